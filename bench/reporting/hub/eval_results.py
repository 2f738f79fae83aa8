"""`.eval_results/*.yaml`: scores of a model as the Hub's benchmarks read them from its repository.

Called by `model_folder`. The format (huggingface.co/docs/hub/eval-results) holds one number for a
task of a benchmark and no interval, so `notes` carries n and the interval.

    - dataset: {id: org/instruct-bench, task_id: topic}
      value: 0.49
      date: '2026-01-01T12:00:00+00:00'
      notes: accuracy, n=100, 95% CI 0.394 to 0.587, 0-shot, rows and scoring 9f0c...
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.errors import RunError
from bench.reporting.hub.card_score import CardScore, asked_how, pairs_of, told
from bench.reporting.hub.target import is_repo_id
from bench.reporting.results.rules_record import time_of
from bench.reporting.results.schema import Result
from bench.store import write_atomic

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

FILE = Path(".eval_results") / "instruct-bench.yaml"
COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A task of a benchmark: `dataset` is its repository (ORG/NAME), `task_id` stands in its
    eval.yaml, `revision` is a commit of it."""

    dataset: str
    task_id: str
    revision: str = ""


def benchmarks_in(dataset: str, results: Iterable[Result]) -> dict[str, Benchmark]:
    """A benchmark at `dataset` that calls its tasks what they are called here."""
    return {result.task.name: Benchmark(dataset, result.task.name) for result in results}


def entries_of(
    results: Sequence[Result],
    scores: Iterable[CardScore],
    benchmarks: Mapping[str, Benchmark],
    source: str = "",
) -> "list[EvalResultEntry]":
    """The headline of each task that `benchmarks` knows; `source` is the address of the board.

    Raises:
        ValueError: a score belongs to none of the results.
    """
    return [
        _entry(result, score, benchmarks[score.task], source)
        for result, score in pairs_of(results, scores)
        if score.task in benchmarks and score.metric == result.task.metrics[0].name
    ]


def write_eval_results(folder: Path, entries: "Sequence[EvalResultEntry]") -> Path:
    """Write `entries` where the Hub looks for them below the folder of a model; the path.

    Raises:
        RunError: what was to be written is against the format, or cannot be written.
    """
    from huggingface_hub import eval_result_entries_to_yaml

    path = folder / FILE
    text = yaml.safe_dump(
        eval_result_entries_to_yaml(list(entries)), sort_keys=False, allow_unicode=True
    )
    read_eval_results(text, str(path))
    write_atomic(path, text.encode())
    return path


def read_eval_results(text: str, name: str) -> "list[EvalResultEntry]":
    """The entries in a file called `name`, read by huggingface_hub and held against the format.

    Raises:
        RunError: the file is against the format; file, key and value found are named.
    """
    from huggingface_hub import parse_eval_result_entries

    try:
        entries = parse_eval_result_entries(yaml.safe_load(text))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunError(f"{name}: cannot be read: {reason}", "write it again") from None
    for place, entry in enumerate(entries):
        for told_of in _problems(entry):
            raise RunError(f"{name}: [{place}].{told_of}", "correct it, then run this again")
    return entries


def _entry(
    result: Result, score: CardScore, benchmark: Benchmark, source: str
) -> "EvalResultEntry":
    from huggingface_hub import EvalResultEntry

    digest = f"rows and scoring {result.task.digest}"
    return EvalResultEntry(
        dataset_id=benchmark.dataset,
        task_id=benchmark.task_id,
        value=score.estimate,
        dataset_revision=benchmark.revision or None,
        date=result.provenance.started or None,
        source_url=source or None,
        source_name="instruct-bench" if source else None,
        notes=f"{score.metric}, {told(score)}, {asked_how(result)}, {digest}",
    )


def _problems(entry: "EvalResultEntry") -> Iterator[str]:
    """What the Hub would refuse and huggingface_hub does not look at."""
    value, revision = entry.value, entry.dataset_revision
    if not is_repo_id(str(entry.dataset_id)):
        yield f"dataset.id: found {entry.dataset_id!r}, expected ORG/NAME"
    if not entry.task_id or not isinstance(entry.task_id, str):
        yield f"dataset.task_id: found {entry.task_id!r}, expected a name in its eval.yaml"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield f"value: found {value!r}, expected a finite number"
    if revision is not None and not COMMIT.fullmatch(str(revision)):
        yield f"dataset.revision: found {revision!r}, expected the 40 digits of a commit"
    if entry.date is not None and time_of(str(entry.date)) is None:
        yield f"date: found {entry.date!r}, expected a time as in ISO 8601"
    if entry.source_url is not None and not str(entry.source_url).startswith(("https:", "http:")):
        yield f"source.url: found {entry.source_url!r}, expected an address"
