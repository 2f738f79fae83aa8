"""every_eval_ever records -> Results: aggregate files with their files of samples.

Called by `bench import every_eval_ever PATH`; written for schema 0.3.0, which may come from any
tool. A score without samples cannot become a Result; neither can one whose samples are on another
scale than it (73.4 beside zeros and ones). What our own export writes is read back whole:

    data/gsm8k/org/model/8d0e...-....json with 8d0e...-..._samples.jsonl
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.document import Document
from bench.reporting.importers.every_eval_ever_keys import READ_AGGREGATE, READ_SAMPLE
from bench.reporting.importers.every_eval_ever_rows import merged
from bench.reporting.importers.every_eval_ever_run import (
    aggregates_of,
    asked_of,
    metric_of,
    model_of,
    provenance_of,
    settings_of,
    task_of,
)
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.latest import latest
from bench.reporting.importers.reading import read_lines, read_object, read_text
from bench.reporting.importers.rows import items_of
from bench.reporting.importers.unread import unread
from bench.reporting.results.schema import SCHEMA_VERSION, Metric, Result

REMEDY = "check the files: every_eval_ever validate FILE"
SAMPLES = "_samples.jsonl"
ROUNDING = 1e-6  # of the scale, between a score that is stated and the mean of its samples
Scored = tuple[Document, Metric, list[Document]]  # an evaluation result, its metric, its samples


def read_every_eval_ever(path: Path) -> Imported:
    """The Results of the aggregate file at `path`, or of all below it.

    Raises:
        RunError: there are none, a file is damaged or not the one whose checksum is stated, no
            score has samples on its own scale, or a sample's score leaves its bounds.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        raise RunError(f"{path}: holds no .json files", REMEDY)
    lost: set[str] = set()
    results = latest([result for file in files for result in _read(file, lost)], lost)
    if not results:
        raise RunError(f"{path}: no score has samples; {'; '.join(sorted(lost))}", REMEDY)
    return Imported(results, tuple(sorted(lost)))


def _read(file: Path, lost: set[str]) -> list[Result]:
    log = read_object(file, REMEDY)
    lost |= unread(dict(log.content), READ_AGGREGATE)
    samples = _samples(log, file)
    lost |= {f"samples: {key}" for one in samples for key in unread(dict(one.content), READ_SAMPLE)}
    tasks: dict[str, list[Scored]] = {}
    for told in log.inners("evaluation_results"):
        scored = _scored(told, samples, lost)
        if scored:
            tasks.setdefault(told.text("evaluation_name"), []).append(scored)
    return [_result(log, found, file) for found in tasks.values()]


def _samples(log: Document, file: Path) -> list[Document]:
    """The lines of the file of samples beside the aggregate file, [] where there is none."""
    path = file.with_name(f"{file.stem}{SAMPLES}")
    declared = log.inner("detailed_evaluation_results")
    if not path.is_file() and not declared.content:
        return []
    stated = declared.text("checksum", "")
    if stated and declared.text("hash_algorithm", "") == "sha256":
        found = hashlib.sha256(read_text(path, REMEDY).encode()).hexdigest()
        if found != stated:
            raise RunError(f"{path}: sha256 is {found}, {file.name} states {stated}", REMEDY)
    lines = read_lines(path, REMEDY)
    rows = declared.count("total_rows", len(lines))
    if rows != len(lines):
        raise RunError(f"{path}: holds {len(lines)} lines, {file.name} states {rows}", REMEDY)
    return lines


def _scored(told: Document, samples: Sequence[Document], lost: set[str]) -> Scored | None:
    """None where a Result cannot hold the score; the reason is in `lost` then."""
    name = told.text("evaluation_name")
    metric = metric_of(told)
    own = [one for one in samples if _belongs(one, told)]
    label = f"evaluation_results: {name} {metric.name if metric else ''}".strip()
    if metric is None:
        lost.add(f"{label} (bounds unknown)")
        return None
    if not own:
        lost.add(f"{label} (a score without samples)")
        return None
    mean = sum(one.inner("evaluation").number("score") for one in own) / len(own)
    stated = told.inner("score_details").number("score")
    if abs(mean - stated) > ROUNDING * (metric.high - metric.low):
        lost.add(f"{label} (the score is {stated:g}, the mean of its samples {mean:g})")
        return None
    return told, metric, own


def _belongs(sample: Document, told: Document) -> bool:
    """By the id of the result; by the name where samples carry none."""
    result = sample.text("evaluation_result_id", "")
    if result:
        return result == told.text("evaluation_result_id", "")
    return sample.text("evaluation_name") == told.text("evaluation_name")


def _result(log: Document, found: Sequence[Scored], file: Path) -> Result:
    metrics = [metric for _, metric, _ in found]
    rows = merged([(metric.name, samples) for _, metric, samples in found])
    first = found[0][0]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=model_of(log),
        task=task_of(first, metrics, [row.digest for row in rows]),
        settings=settings_of(first),
        provenance=provenance_of(log, first, file.name),
        asked=asked_of(log, len(rows)),
        items=items_of(rows, metrics, f"{file.stem}{SAMPLES}", REMEDY),
        aggregates=aggregates_of(log),
    )
