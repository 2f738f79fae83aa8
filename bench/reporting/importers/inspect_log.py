"""Inspect logs (.eval and .json) -> Results: one for each log, a metric for each of its scores.

Called by `bench import inspect_log PATH`; written for version 2 of the log, inspect-ai 0.3. Epochs
become samples of an item; the metadata key by which the log's own standard errors are clustered
names the clusters. Values are read as Inspect reads them:

    "C" 1.0    "P" 0.5    "I" 0.0    "N" 0.0 (no answer)    true 1.0    {"length": 9} two.length
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.archive import read_members
from bench.reporting.importers.document import Document, whole
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.inspect_run import READ, model_of, provenance_of, settings_of
from bench.reporting.importers.inspect_samples import Scored, cluster_key, scored, wording
from bench.reporting.importers.latest import latest
from bench.reporting.importers.metrics import bounds_notes, metric_of
from bench.reporting.importers.reading import parse_object, read_object
from bench.reporting.importers.rows import Row, digest_of, items_of
from bench.reporting.importers.unread import unread
from bench.reporting.results.schema import SCHEMA_VERSION, Metric, Result, TaskEntry
from bench.types import Json

REMEDY = "write the log again with inspect eval, or inspect eval-retry where it was cut short"
VERSION = 2


@dataclass(frozen=True, slots=True)
class Log:
    """A log in one piece: its header, and its samples in the order of the data set."""

    header: Document
    samples: Sequence[Document]


def read_inspect(path: Path) -> Imported:
    """The Results of the log at `path`, or of all logs below it.

    Raises:
        RunError: there are none, a log is damaged, of another version or without samples, no score
            is a number from 0 to 1, or a score leaves its bounds.
    """
    found = path.rglob("*") if path.is_dir() else [path]
    files = sorted(file for file in found if file.suffix in (".eval", ".json"))
    if not files:
        raise RunError(f"{path}: holds no .eval and no .json log of Inspect", REMEDY)
    lost: set[str] = set()
    results = latest([_result(_log(file), lost) for file in files], lost)
    return Imported(results, tuple(sorted(lost)))


def _log(file: Path) -> Log:
    if file.suffix == ".eval":
        members = read_members(file, REMEDY)
        if "header.json" not in members:
            raise RunError(f"{file}: holds no header.json: the evaluation did not end", REMEDY)
        header = parse_object(members["header.json"], f"{file}: header.json", REMEDY)
        samples = [
            parse_object(content, f"{file}: {name}", REMEDY)
            for name, content in members.items()
            if name.startswith("samples/") and name.endswith(".json")
        ]
    else:
        header = read_object(file, REMEDY)
        samples = header.inners("samples")
    if header.content.get("version") != VERSION:
        raise header.refuse("version", str(VERSION))
    return Log(header, _in_order(header, samples))


def _in_order(header: Document, samples: Sequence[Document]) -> list[Document]:
    """By place in the data set, then by epoch: logs list samples as they were answered."""
    listed = header.inner("eval").inner("dataset").content.get("sample_ids")
    ids = [str(one) for one in listed] if isinstance(listed, list) else []
    ids += [str(sample.content.get("id")) for sample in samples]
    places = {name: place for place, name in reversed(list(enumerate(ids)))}
    return sorted(
        samples,
        key=lambda sample: (places[str(sample.content.get("id"))], sample.count("epoch", 1)),
    )


def _result(log: Log, lost: set[str]) -> Result:
    header, where = log.header, log.header.where
    contents: list[Json] = [dict(sample.content) for sample in log.samples]
    whole: Json = {**header.content, "samples": contents}
    lost |= unread(whole, READ)
    found = [scored(sample, cluster_key(header)) for sample in log.samples]
    metrics = _metrics(header, found, lost)
    lost |= {told for metric in metrics for told in _no_number(where, metric.name, found)}
    rows = [_row(one, metrics) for one in found]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=model_of(header),
        task=_task(log, metrics, rows, lost),
        settings=settings_of(header),
        provenance=provenance_of(header, bounds_notes(metrics)),
        asked=_asked(header, len(rows)),
        items=items_of(rows, metrics, where, REMEDY),
    )


def _metrics(header: Document, found: Sequence[Scored], lost: set[str]) -> list[Metric]:
    """A Metric for each score whose bounds are known, Inspect's headline first."""
    names = list(dict.fromkeys(name for one in found for name in one.scores))
    headline = header.inner("results").inner("headline").text("score", "")
    metrics = []
    for name in sorted(names, key=lambda name: name != headline):
        values = [value for one in found if (value := one.scores.get(name)) is not None]
        metric = metric_of(name, values) if values else None
        if metric:
            metrics.append(metric)
        else:
            lost.add(f"samples.scores.{name} ({'bounds unknown' if values else 'no numbers'})")
    if not metrics:
        raise RunError(f"{header.where}: no score is a number from 0 to 1; found {names}", REMEDY)
    return metrics


def _no_number(where: str, name: str, found: Sequence[Scored]) -> list[str]:
    """A sentence where samples lack a number of the metric `name`; they are kept as failed."""
    lacking = [one.id for one in found if not one.failure and one.scores.get(name) is None]
    told = f"{where}: samples.scores.{name}: no number for {len(lacking)} samples, as for "
    return [f"{told}{lacking[0]!r}; they count as failed"] if lacking else []


def _row(one: Scored, metrics: Sequence[Metric]) -> Row:
    numbers: Mapping[str, float] = {
        metric.name: value
        for metric in metrics
        if (value := one.scores.get(metric.name)) is not None
    }
    return Row(one.id, one.digest, one.cluster, one.sample, one.failure, numbers, one.measures)


def _task(log: Log, metrics: Sequence[Metric], rows: Sequence[Row], lost: set[str]) -> TaskEntry:
    told = log.header.inner("eval")
    data = told.inner("dataset")
    version = told.content.get("task_version")
    if isinstance(version, str) and not version.isdigit():
        lost.add(f"eval.task_version ({version}: a version is a whole number)")
    digests: list[Json] = [row.digest for row in rows]
    return TaskEntry(
        name=told.text("task"),
        version=whole(str(version)) or 0,
        digest=digest_of([digests, [metric.name for metric in metrics]]),
        prompts_digest=digest_of([wording(sample) for sample in log.samples]),
        kind="",
        language="",
        metrics=tuple(metrics),
        title=told.text("task_display_name", ""),
        source=data.text("location", "") or data.text("name", ""),
    )


def _asked(header: Document, there: int) -> int:
    """How many samples were meant to be answered: those selected, in every epoch."""
    told = header.inner("eval")
    ids = told.inner("dataset").content.get("sample_ids")
    epochs = max(1, told.inner("config").count("epochs", 1))
    return len(ids) * epochs if isinstance(ids, list) and ids else there
