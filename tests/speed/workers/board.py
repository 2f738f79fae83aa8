"""The board of made-up models, and its site.

    python -m tests.speed.workers.board FOLDER MODELS TASKS ITEMS

Models come in families of four, a base and its children; half of the tasks have graded scores. Any
ask is answered with the seconds of the board and the number of files of the site.
"""

from tests.speed.workers.answer import Line

line = Line()

import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from bench.reporting.comparison.board import make_board  # noqa: E402
from bench.reporting.results.schema import (  # noqa: E402
    SCHEMA_VERSION,
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.reporting.site.build import build_site  # noqa: E402

STAGES = ("base", "sft", "dpo", "ppo_ptx")
KINDS = ("qa", "classification", "summarization", "code", "safety")


def main(folder: str, models: str, tasks: str, items: str) -> None:
    results = [
        result(model, task, int(items))
        for model in range(int(models))
        for task in range(int(tasks))
    ]
    line.ready()
    for _ in line.asks():
        begun = time.perf_counter()
        board = make_board(results)
        seconds = time.perf_counter() - begun
        written = build_site(board, Path(folder))
        line.answer(board_seconds=seconds, files=len(written))


def result(model: int, task: int, items: int) -> Result:
    """Scores by a model's skill and an item's difficulty."""
    family, stage = divmod(model, len(STAGES))
    draw = np.random.default_rng([model, task])
    hard = np.random.default_rng(task).normal(size=items)
    chances = 1 / (1 + np.exp(hard - 0.3 * stage - 0.2 * family))
    graded = np.clip(chances + draw.normal(scale=0.2, size=items), 0, 1).round(3)
    column = graded if task % 2 else (draw.random(items) < chances).astype(float)
    name = f"task_{task:02}"
    ids = tuple(f"{name}-{item}" for item in range(items))
    return Result(
        schema_version=SCHEMA_VERSION,
        model=entry(family, stage),
        task=TaskEntry(
            name=name,
            version=1,
            digest=f"rows of {name}",
            prompts_digest=f"prompts of {name}",
            kind=KINDS[task % len(KINDS)],
            language="en",
            metrics=(Metric("rouge_l" if task % 2 else "accuracy"),),
        ),
        settings={"shots": 0, "seed": 0, "limit": None},
        provenance=Provenance(
            tool="instruct-bench 0.9",
            scorer="instruct-bench 0.9",
            command=f"bench eval model-{model} -t {name}",
            started="2026-01-01T12:00:00+00:00",
            seconds=12.5,
        ),
        asked=items,
        items=Items(
            ids=ids,
            digests=ids,
            clusters=ids,
            samples=(0,) * items,
            failures=("",) * items,
            scores={"rouge_l" if task % 2 else "accuracy": tuple(column.tolist())},
            measures={"characters": tuple((80 + 20 * draw.normal(size=items)).tolist())},
        ),
    )


def entry(family: int, stage: int) -> ModelEntry:
    """A model; its parent is the first of its family."""
    base = f"base-{family}"
    return ModelEntry(
        name=f"{STAGES[stage].replace('_', '-')}-{family}",
        revision=f"{STAGES[stage]}-{family}",
        stage=STAGES[stage],
        family=f"family {family}",
        size=f"{family + 1}b",
        parameters=(family + 1) * 10**9,
        parents=(Link("policy", base, base),) if stage else (),
    )


main(*sys.argv[1:])
