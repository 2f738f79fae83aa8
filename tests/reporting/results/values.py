"""Results that are right, and ways to break the file of one."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.reporting.results.audit import audit
from bench.reporting.results.files import SEAL, save_result
from bench.reporting.results.rule import Finding
from bench.reporting.results.schema import (
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.seal import seal_of
from bench.statistics.calibration import ece_change
from bench.types import Json

BASE, SFT = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
PROVENANCE = Provenance(
    tool="instruct-bench 0.1",
    scorer="instruct-bench 0.1",
    command="bench eval demo/sft -t topic",
    started="2026-01-01T12:00:00+00:00",
    seconds=3.5,
    environment={"python": "3.12.3", "instruct-bench": "0.1"},
    git={"commit": "c0ffee", "dirty": "no"},
)
BASE_MODEL = ModelEntry("small", BASE, "base", parameters=1000)
SFT_MODEL = ModelEntry("demo/sft", SFT, "sft", parents=(Link("policy", "small", BASE),))


def result(model: ModelEntry = BASE_MODEL, task: str = "topic", n: int = 20, **changes) -> Result:
    """A model's answers to `n` items, drawn from its revision."""
    draw = random.Random(f"{model.revision} {task}")
    scores = tuple(float(draw.random() < 0.6) for _ in range(n))
    sure = tuple(draw.random() for _ in range(n))
    squares = tuple(2 * (right - one) ** 2 for right, one in zip(scores, sure, strict=True))
    return replace(
        Result(
            schema_version=1,
            model=model,
            task=TaskEntry(
                task, 1, f"rows-of-{task}", "p", "classification", "en", (Metric("accuracy"),)
            ),
            settings={"shots": 0, "limit": None},
            provenance=PROVENANCE,
            asked=n,
            items=Items(
                ids=tuple(f"{task}-{at}" for at in range(n)),
                digests=tuple(f"d{at}" for at in range(n)),
                clusters=tuple(f"{task}-{at}" for at in range(n)),
                samples=(0,) * n,
                failures=("",) * n,
                scores={"accuracy": scores},
                measures={
                    "probability": sure,
                    "correct": scores,
                    "brier": squares,
                    "nll": squares,
                },
            ),
            aggregates={
                "mcc": -0.1,
                "ece": ece_change(sure, scores, sure, scores).child,
                "brier": sum(squares) / n,
                "nll": sum(squares) / n,
                "pass@1": sum(scores) / n,
                "corpus_bleu": None,
            },
        ),
        **changes,
    )


def write_board(folder: Path) -> Path:
    """A base model and its child on two tasks, nothing wrong with them."""
    for model in (BASE_MODEL, SFT_MODEL):
        for task in ("facts", "topic"):
            save_result(folder, result(model, task))
    return folder


def faults(folder: Path) -> list[Finding]:
    """What the audit finds, but for the notes that results which are only saved do not have."""
    return [finding for finding in audit([folder]) if finding.rule != "noted"]


def edit(path: Path, change: Callable[[dict[str, Json]], object], sealed: bool = True) -> None:
    """Change the content of a file of results, and seal it again unless the edit is to show."""
    content = json.loads(path.read_text("utf-8"))
    change(content)
    if sealed:
        content[SEAL] = seal_of(content, SEAL)
    path.write_text(json.dumps(content), "utf-8")
