"""lm-eval's results_*.json with samples_*.jsonl -> Results, one for each task and filter.

Called by `bench import lm_eval FOLDER`; written for lm-evaluation-harness 0.4.13 run with
`--log_samples`. Items are named by lm-eval's hash of the document, not by its place, and their
means must be those that the results state. Several filters of a task are its variants:

    gsm8k@strict-match    exact_match .2017        gsm8k@flexible-extract    exact_match .7847
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.document import Document, whole
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.latest import latest
from bench.reporting.importers.lm_eval_run import (
    READ_RESULTS,
    model_of,
    provenance_of,
    settings_of,
)
from bench.reporting.importers.lm_eval_samples import (
    READ_SAMPLES,
    choices_of,
    metrics_of,
    rows_of,
)
from bench.reporting.importers.metrics import bounds_notes, metric_of
from bench.reporting.importers.reading import read_lines, read_object
from bench.reporting.importers.rows import digest_of, items_of
from bench.reporting.importers.unread import unread
from bench.reporting.results.schema import (
    SCHEMA_VERSION,
    Items,
    Metric,
    Result,
    TaskEntry,
)

REMEDY = "run lm_eval again with --log_samples --output_path FOLDER, then import FOLDER"
ROUNDING = 1e-6  # between a mean that is stated and that of the samples
ALWAYS_LOST = ("results: standard errors (worked out anew from the items)",)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one task that went through one filter."""

    run: Document
    task: str
    filter: str
    variant: str
    samples: Sequence[Document]
    where: str


def read_lm_eval(path: Path) -> Imported:
    """The Results of the results_*.json at or below `path`; of several runs of a task the last.

    Raises:
        RunError: there are none, a file is damaged, no task has samples with scores of single
            items, a score leaves its bounds, or samples and results disagree.
    """
    files = [path] if path.is_file() else sorted(path.rglob("results_*.json"))
    if not files:
        raise RunError(f"{path}: holds no results_*.json", REMEDY)
    lost: set[str] = set(ALWAYS_LOST)
    in_order = sorted(files, key=lambda file: file.name)
    results = latest([result for file in in_order for result in _read(file, lost)], lost)
    if not results:
        raise RunError(
            f"{path}: no task has samples with scores of single items; {'; '.join(sorted(lost))}",
            REMEDY,
        )
    return Imported(results, tuple(sorted(lost)))


def _read(file: Path, lost: set[str]) -> Iterator[Result]:
    run = read_object(file, REMEDY)
    stamp = file.stem.removeprefix("results")
    lost |= {f"results: {key}" for key in unread(dict(run.content), READ_RESULTS)}
    lost |= {f"results: group {name} (a mean over tasks)" for name in run.inner("groups").content}
    for task in run.inner("configs").content:
        path = file.parent / f"samples_{task}{stamp}.jsonl"
        if not path.is_file():
            lost.add(f"results: {task} (no {path.name}: scores without items)")
            continue
        samples = read_lines(path, REMEDY)
        if not samples:
            lost.add(f"results: {task} ({path.name} holds no lines)")
        for part in _parts(run, task, samples, str(path)):
            result = _result(part, lost)
            if result:
                yield result


def _parts(run: Document, task: str, samples: Sequence[Document], where: str) -> list[Part]:
    filters: dict[str, list[Document]] = {}
    for sample in samples:
        filters.setdefault(sample.text("filter", "none"), []).append(sample)
    several = len(filters) > 1
    return [
        Part(run, task, name, name if several else "", lines, where)
        for name, lines in filters.items()
    ]


def _result(part: Part, lost: set[str]) -> Result | None:
    """None where no metric is a score of single items; the reason is in `lost` then."""
    names, over_all = metrics_of(part.samples)
    metrics = _metrics(part, names, lost)
    read = READ_SAMPLES | {*names, *over_all}
    lost |= {f"samples: {key}" for one in part.samples for key in unread(dict(one.content), read)}
    if not metrics:
        lost.add(f"samples: {part.task} ({', '.join(over_all)}: no scores of single items)")
        return None
    generated = _config(part).text("output_type", "") == "generate_until"
    rows = rows_of(part.samples, [metric.name for metric in metrics], generated)
    items = items_of(rows, metrics, part.where, REMEDY)
    _check_means(part, items)
    return Result(
        schema_version=SCHEMA_VERSION,
        model=model_of(part.run),
        task=_task(part, metrics, items, lost),
        settings=settings_of(part.run, part.task),
        provenance=provenance_of(part.run, bounds_notes(metrics)),
        asked=part.run.inner("n-samples").inner(part.task).count("effective", len(rows)),
        items=items,
        aggregates={name: value for name in over_all if (value := _stated(part, name)) is not None},
    )


def _metrics(part: Part, names: Sequence[str], lost: set[str]) -> list[Metric]:
    choices = choices_of(part.samples)
    chance = sum(1 / count for count in choices) / len(choices) if choices else 0.0
    higher = part.run.inner("higher_is_better").inner(part.task).content
    found = []
    for name in names:
        lower = higher.get(name) is False
        guess = chance if name.startswith("acc") else 0.0
        metric = metric_of(name, [one.number(name) for one in part.samples], lower, guess)
        if metric:
            found.append(metric)
        else:
            lost.add(f"samples: {name} of {part.task} (bounds unknown)")
    return found


def _check_means(part: Part, items: Items) -> None:
    """What the results state of a metric that is a mean is the mean of the samples."""
    listed = [one for one in _config(part).inners("metric_list") if "metric" in one.content]
    means = {
        one.text("metric") for one in listed if one.content.get("aggregation") in (None, "mean")
    }
    for name, column in items.scores.items():
        stated, scored = _stated(part, name), [score for score in column if score is not None]
        if name not in means or stated is None or not scored:
            continue
        mean = sum(scored) / len(scored)
        if abs(mean - stated) > ROUNDING:
            raise RunError(
                f"{part.where}: the mean of {name} is {mean:.6f}, the results state {stated:.6f}",
                REMEDY,
            )


def _stated(part: Part, name: str) -> float | None:
    """The number that the results state, None where they state none."""
    return part.run.inner("results").inner(part.task).finite(f"{name},{part.filter}")


def _config(part: Part) -> Document:
    return part.run.inner("configs").inner(part.task)


def _task(part: Part, metrics: Sequence[Metric], items: Items, lost: set[str]) -> TaskEntry:
    config = _config(part)
    version = str(part.run.inner("versions").content.get(part.task, 0))
    stated = version.split(".")[0]
    if version not in (stated, f"{stated}.0"):
        lost.add(f"results: {part.task} has version {version}, kept is {stated}")
    prompts = [one.text("prompt_hash", "") for one in part.samples]
    parts = [config.text("dataset_path", ""), config.text("dataset_name", "")]
    return TaskEntry(
        name=part.task,
        version=whole(stated) or 0,
        digest=digest_of([list(items.digests), [metric.name for metric in metrics], part.filter]),
        prompts_digest=digest_of(list(prompts)),
        kind="",
        language="",
        metrics=tuple(metrics),
        variant=part.variant,
        title=part.task,
        source=" ".join(text for text in parts if text),
    )
