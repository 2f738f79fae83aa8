"""A run and its Records -> Results, one for each task.

Called by `bench submit` and `bench board`. Nothing is asked or scored again.
"""

from collections.abc import Callable, Mapping, Sequence

from bench.errors import BenchError, RunError
from bench.reporting.results.diversity import diversity
from bench.reporting.results.schema import (
    BRIER,
    SCHEMA_VERSION,
    SURPRISE,
    Column,
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.scoring.aggregate import DIRECTIONS, Direction, find_aggregate
from bench.scoring.calibration import squares, surprise, top_is_right
from bench.scoring.refusal import declines
from bench.types import Record, Run, TaskRun


def results_of(run: Run, records: Sequence[Record]) -> list[Result]:
    """The Results of a run, in the order of its tasks.

    Raises:
        RunError: a record holds a number that is larger than any measure.
    """
    by_task: dict[str, list[Record]] = {entry.task: [] for entry in run.tasks}
    for record in records:
        by_task[record.task].append(record)
    try:
        return [_result(run, entry, by_task[entry.task]) for entry in run.tasks]
    except OverflowError as error:
        raise RunError(
            f"{run.name}: records.jsonl holds a number that is too large: {error}",
            "run the evaluation again",
        ) from None


def _result(run: Run, entry: TaskRun, records: Sequence[Record]) -> Result:
    scored = [record for record in records if record.status == "scored"]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=_model(run),
        task=_task(entry),
        settings={**run.settings, "dtype": str(run.model_description.get("dtype") or "")},
        provenance=Provenance(
            tool=f"instruct-bench {run.environment.get('instruct-bench', '')}".strip(),
            scorer=f"instruct-bench {run.environment.get('instruct-bench', '')}".strip(),
            command=run.command,
            started=run.started,
            seconds=entry.seconds,
            environment=run.environment,
            git=run.git,
        ),
        asked=entry.rows,
        items=_items(entry, records),
        aggregates={
            **{name: _aggregate(name, scored) for name in entry.aggregates},
            **diversity([record.reply.text for record in scored]),
        },
    )


def _model(run: Run) -> ModelEntry:
    told = run.model_description
    parent = _text(told, "parent")
    reward = _text(told, "reward")
    links = [
        *([Link("policy", _text(told, "parent_name"), parent)] if parent else []),
        *([Link("reward", _text(told, "reward_name"), reward)] if reward else []),
    ]
    parameters = told.get("parameters")
    return ModelEntry(
        name=_text(told, "name") or run.model.rstrip("/").rsplit("/", 1)[-1],
        revision=_text(told, "weights") or run.model_digest,
        stage=_text(told, "stage") or "base",
        family=_text(told, "family"),
        parameters=parameters if isinstance(parameters, int) and parameters else None,
        recipe=_text(told, "recipe"),
        parents=tuple(links),
    )


def _task(entry: TaskRun) -> TaskEntry:
    metrics = [
        Metric(name, chance=entry.chance, rope=entry.rope, margin=entry.margin)
        for name in entry.scorers
    ]
    return TaskEntry(
        name=entry.task,
        version=entry.version,
        digest=entry.digest,
        prompts_digest=entry.prompts_digest,
        kind=entry.kind,
        language=entry.language,
        metrics=tuple(metrics),
        variant=entry.variant,
    )


def _items(entry: TaskRun, records: Sequence[Record]) -> Items:
    return Items(
        ids=tuple(record.id for record in records),
        digests=tuple(record.digest for record in records),
        clusters=tuple(record.cluster or record.id for record in records),
        samples=tuple(record.sample for record in records),
        failures=tuple(
            "" if record.status == "scored" else record.reason or "failed" for record in records
        ),
        scores={name: tuple(r.scores.get(name) for r in records) for name in entry.scorers},
        measures=_measures(records),
    )


def _measures(records: Sequence[Record]) -> dict[str, Column]:
    """The columns of MEASURES that these records can fill at all."""
    found = {name: tuple(map(measure, records)) for name, measure in _MEASURED.items()}
    return {
        name: column for name, column in found.items() if any(value is not None for value in column)
    }


def _generated(measure: Callable[[Record], float]) -> Callable[[Record], float | None]:
    """`measure` of the records that hold a generated text, None of the others."""
    return lambda record: (
        measure(record) if record.status == "scored" and record.reply.text is not None else None
    )


def _chosen(measure: Callable[[Record], float]) -> Callable[[Record], float | None]:
    """`measure` of the records that chose among choices, None of the others."""
    return lambda record: (
        measure(record) if record.status == "scored" and record.probabilities else None
    )


_MEASURED: Mapping[str, Callable[[Record], float | None]] = {
    "parsed": _generated(lambda record: float(record.prediction is not None)),
    "refused": _generated(lambda record: float(declines(record.reply.text or ""))),
    "cut_off": _generated(lambda record: float(record.reply.finish == "length")),
    "characters": _generated(lambda record: float(len(record.reply.text or ""))),
    "tokens": _generated(lambda record: float(record.reply.tokens_out)),
    "probability": _chosen(lambda record: max(record.probabilities)),
    "correct": _chosen(lambda record: float(top_is_right(record))),
    BRIER: _chosen(squares),
    SURPRISE: _chosen(surprise),
}


def _aggregate(name: str, scored: Sequence[Record]) -> float | None:
    picky = DIRECTIONS.get(name, Direction()).needs_probabilities
    readable = [record for record in scored if record.probabilities or not picky]
    try:
        return find_aggregate(name)(readable) if readable else None
    except (BenchError, ValueError):
        return None


def _text(told: Mapping[str, str | int | float], key: str) -> str:
    return str(told.get(key) or "")
