"""A source of a recipe -> rows to learn from: a task's train split, a file, or a Hub data set.

`corpus.py` loads all sources of a named mixture with it. Every row comes in alternative wordings: a
task's own and those of its variants; plain data has one.

>>> rows = load_source(Source(task="topic"), Places(Path())).rows
>>> rows[0][0].target in ("business", "health", "politics", "science", "sports")
True
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.data import Row, load_hub_split, load_rows, read_file
from bench.registry.folder import SUITES, Task, all_tasks, select
from bench.registry.prompt import Failure, as_text, as_turns, digest, examples_of
from bench.training.instructions import INSTRUCTIONS
from bench.training.messages import Name
from bench.training.preferences import PREFERENCES
from bench.training.settings import Source
from bench.types import Demonstration, Example, Json, Prompt, Ranking

Item = Demonstration | Ranking
T_co = TypeVar("T_co", bound=Item, covariant=True)

COLUMNS = (
    "prompt",
    "completion",
    "messages",
    "instruction",
    "context",
    "response",
    "chosen",
    "rejected",
    "completions",
    "ranks",
    "id",
)
SHAPES: dict[tuple[str, ...], Callable[[Row, Name], Item]] = {**PREFERENCES, **INSTRUCTIONS}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a recipe looks: its own folder, further task folders, the mirror of the Hub."""

    recipe_folder: Path
    task_folders: tuple[Path, ...] = ()
    data_root: Path | None = None


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T_co]):
    """The rows of a source, each in its alternative wordings, the first of them the row's own.

    `digest` identifies their content; `failures` are rows that could not be read.
    """

    label: str
    rows: tuple[tuple[T_co, ...], ...]
    digest: str
    failures: tuple[Failure, ...] = ()


def load_source(source: Source, places: Places) -> Loaded[Item]:
    """All rows of `source`: Rankings if its columns are those of preferences, else Demonstrations.

    Raises:
        TaskError: the data cannot be found or read, its columns have no known shape, or no row
            can be read. UsageError: no such task or variant.
    """
    rows, failures = _of_task(source, places) if source.task else _of_data(source, places)
    return Loaded(source.label, rows, content_digest(rows), tuple(failures))


def content_digest(rows: Sequence[Sequence[Item]]) -> str:
    """The digest of everything that is learned from `rows`."""
    return digest([[_content(item) for item in wordings] for wordings in rows])


def _content(item: Item) -> list[object]:
    prompt = item.prompt
    turns = [[turn.role, turn.text] for turn in prompt.turns]
    said = (
        [item.target]
        if isinstance(item, Demonstration)
        else [item.replies, item.ranks, item.scores, item.target]
    )
    return [prompt.id, prompt.group, turns, prompt.text, prompt.delimiter, *said]


Read = tuple[tuple[tuple[Item, ...], ...], list[Failure]]


def _of_task(source: Source, places: Places) -> Read:
    task = _task(source, places)
    rows = load_rows(task, "train", places.data_root)[: source.limit]
    variants = tuple(task.spec.variants) if "*" in source.variants else source.variants
    wordings: list[dict[str, Example]] = []
    failures: dict[str, Failure] = {}
    for variant in ("", *variants):
        examples, failed = examples_of(task, rows, [], variant=variant)
        failures = {failure.where: failure for failure in failed} | failures
        places_left = [row.where for row in rows if row.where not in {f.where for f in failed}]
        wordings.append(dict(zip(places_left, examples, strict=True)))
    readable = [row for row in rows if row.where not in failures]
    if not readable:
        raise _none_readable(source, list(failures.values()))
    learned = tuple(
        tuple(
            _demonstration(wording[row.where], source.label, _group(source, row))
            for wording in wordings
        )
        for row in readable
    )
    return learned, list(failures.values())


def _task(source: Source, places: Places) -> Task:
    if source.task in SUITES:
        raise UsageError(f"{source.task!r} is a suite, a source is one task", _trainable(places))
    ((task, _),) = select([source.task], places.task_folders)
    if not task.spec.splits.train:
        raise TaskError(f"task {task.name!r} has no train split", _trainable(places))
    return task


def _trainable(places: Places) -> str:
    tasks = all_tasks(places.task_folders)
    return f"name one of {', '.join(task.name for task in tasks if task.spec.splits.train)}"


def _demonstration(example: Example, label: str, group: str) -> Demonstration:
    prompt = Prompt(
        source=label,
        id=example.id,
        group=group or example.cluster,
        turns=as_turns(example),
        text=as_text(example),
        delimiter=example.delimiter,
        example=example,
    )
    return Demonstration(prompt, example.target)


def _of_data(source: Source, places: Places) -> Read:
    given = _rows(source, places)
    rows = [_renamed(source, row) for row in given]
    read = _shape(source, rows)
    learned: list[tuple[Item, ...]] = []
    failures: list[Failure] = []
    for number, (row, original) in enumerate(zip(rows, given, strict=True)):
        value = row.values.get("id")
        identity = str(number if value is None else value)
        try:
            name = Name(source.label, identity, _group(source, original))
            learned.append((read(row, name),))
        except TaskError as error:
            failures.append(Failure(identity, row.where, error.cause))
    if not learned:
        raise _none_readable(source, failures)
    return tuple(learned), failures


def _rows(source: Source, places: Places) -> list[Row]:
    if source.file:
        rows = list(islice(read_file(places.recipe_folder / source.file), source.limit))
    else:
        rows = load_hub_split(
            source.hub, source.config, source.revision, source.split, places.data_root
        )[: source.limit]
    if not rows:
        raise TaskError(f"source {source.label!r} holds no rows", "add rows or drop the source")
    return rows


def _renamed(source: Source, row: Row) -> Row:
    if not source.columns:
        return row
    kept = {
        name: value for name, value in row.values.items() if name not in source.columns.values()
    }
    ours = {name: _column(source, row, theirs) for name, theirs in source.columns.items()}
    return Row(kept | ours, row.where)


def _column(source: Source, row: Row, name: str) -> Json:
    return row.values.get(name)


def _group(source: Source, row: Row) -> str:
    if not source.group:
        return ""
    value = row.values.get(source.group)
    if value is None:
        raise TaskError(f"{row.where}: group: no value in column {source.group!r}", "fill it")
    return str(value)


def _shape(source: Source, rows: Sequence[Row]) -> Callable[[Row, Name], Item]:
    """How rows with these columns are read."""
    found = {name for row in rows for name in row.values}
    for columns, read in SHAPES.items():
        if found.issuperset(columns):
            return read
    known = "; ".join(" + ".join(columns) for columns in SHAPES)
    raise TaskError(
        f"source {source.label!r}: the columns {', '.join(sorted(found))} have no known shape",
        f"rename them with columns, into one of: {known}",
    )


def _none_readable(source: Source, failures: Sequence[Failure]) -> TaskError:
    return TaskError(
        f"source {source.label!r}: none of {len(failures)} rows can be read; the first: "
        f"{failures[0].reason}",
        "mend the rows or the recipe's columns",
    )
