"""A source of a recipe -> rows to learn from: a task's train split, a file, or a Hub data set.

`corpus.py` loads all sources of a named mixture with it. Every row comes in alternative wordings: a
task's own and those of its variants; plain data has one.

>>> rows = load_source(Source(task="topic"), Places(Path())).rows
>>> rows[0][0].prompt.id, rows[0][0].target
('topic-train-001', 'travel')
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.data import Row, load_hub_split, load_rows, read_file
from bench.registry.folder import Task, all_tasks, select
from bench.registry.prompt import Failure, as_text, as_turns, digest, examples_of
from bench.training.data.data_settings import Source
from bench.training.data.instructions import INSTRUCTIONS
from bench.training.data.messages import Name
from bench.training.data.pairs import join_pairs
from bench.training.data.preferences import PREFERENCES, from_pair
from bench.training.data.rankings import SampledRanking
from bench.types import Demonstration, Example, Prompt, Ranking

Item = Demonstration | Ranking
T_co = TypeVar("T_co", bound=Item, covariant=True)

COLUMNS = (
    "prompt",
    "completion",
    "messages",
    "instruction",
    "context",
    "response",
    "text",
    "chosen",
    "rejected",
    "completions",
    "ranks",
    "id",
)
Read = tuple[tuple[tuple[Item, ...], ...], list[Failure], int]  # at last: how many were joined
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

    `digest` identifies their content; `failures` are rows that could not be read; `joined` counts
    the pairs that were joined to an earlier one of their prompt (`pairs.py`).
    """

    label: str
    rows: tuple[tuple[T_co, ...], ...]
    digest: str
    failures: tuple[Failure, ...] = ()
    joined: int = 0


def load_source(source: Source, places: Places) -> Loaded[Item]:
    """All rows of `source`: Rankings if its columns are those of preferences, else Demonstrations.

    Raises:
        TaskError: the data cannot be found or read, its columns have no known shape, or no row
            can be read. UsageError: no such task or variant.
    """
    rows, failures, joined = (_of_task if source.task else _of_data)(source, places)
    if not rows:
        raise TaskError(
            f"source {source.label!r}: none of {len(failures)} rows can be read; the first: "
            f"{failures[0].reason}",
            "mend the rows or the recipe's columns",
        )
    return Loaded(source.label, rows, content_digest(rows), tuple(failures), joined)


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
    ended = [item.ended] if isinstance(item, SampledRanking) else []
    return [prompt.id, prompt.group, turns, prompt.text, prompt.delimiter, *said, *ended]


def _of_task(source: Source, places: Places) -> Read:
    task = _task(source, places)
    rows = load_rows(task, "train", places.data_root)[: source.limit]
    _require_columns(source, rows)
    variants = tuple(task.spec.variants) if "*" in source.variants else source.variants
    wordings, failures = _worded(task, rows, ("", *dict.fromkeys(variants)))
    learned: list[tuple[Item, ...]] = []
    for row in rows:
        if row.where in failures:
            continue
        examples = [wording[row.where] for wording in wordings]
        try:
            group = _group(source, row)
            learned.append(tuple(_demonstration(source.label, group, item) for item in examples))
        except TaskError as error:
            failures[row.where] = Failure(examples[0].id, row.where, error.cause)
    return tuple(learned), list(failures.values()), 0


def _task(source: Source, places: Places) -> Task:
    chosen = [task for task, _ in select([source.task], places.task_folders)]
    if [task.name for task in chosen] != [source.task]:
        raise UsageError(f"{source.task!r} is a suite, a source is one task", _trainable(places))
    if source.columns:
        cause = f"source {source.label!r}: columns mean nothing to a task"
        raise UsageError(cause, "leave them out: task.yaml says how its rows are read")
    if not chosen[0].spec.splits.train:
        raise TaskError(f"task {source.task!r} has no train split", _trainable(places))
    return chosen[0]


def _trainable(places: Places) -> str:
    tasks = all_tasks(places.task_folders)
    return f"name one of {', '.join(task.name for task in tasks if task.spec.splits.train)}"


def _worded(
    task: Task, rows: Sequence[Row], variants: Sequence[str]
) -> tuple[list[dict[str, Example]], dict[str, Failure]]:
    """Place of a row -> its Example, for each variant; place of a row -> why some variant fails."""
    wordings: list[dict[str, Example]] = []
    failures: dict[str, Failure] = {}
    for variant in variants:
        examples, failed = examples_of(task, rows, [], variant=variant)
        places = {failure.where for failure in failed}
        read = [row.where for row in rows if row.where not in places]
        wordings.append(dict(zip(read, examples, strict=True)))
        failures = {failure.where: failure for failure in failed} | failures
    return wordings, failures


def _demonstration(label: str, group: str, example: Example) -> Demonstration:
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
    rows = _rows(source, places)
    _require_columns(source, rows)
    renamed = [_renamed(source, row) for row in rows]
    read = _reader(source, renamed)
    learned: list[Item] = []
    failures: list[Failure] = []
    for number, (row, original) in enumerate(zip(renamed, rows, strict=True)):
        value = row.values.get("id")
        identity = str(number if value is None else value)
        try:
            name = Name(source.label, identity, _group(source, original))
            learned.append(read(row, name))
        except TaskError as error:
            failures.append(Failure(identity, row.where, error.cause))
    pairs = [item for item in learned if isinstance(item, Ranking)] if read is from_pair else []
    distinct = join_pairs(pairs) if pairs else learned
    return tuple((item,) for item in distinct), failures, len(learned) - len(distinct)


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


def _require_columns(source: Source, rows: Sequence[Row]) -> None:
    """What the recipe says about columns is about columns that there are."""
    for name in source.columns:
        if name not in COLUMNS:
            cause = f"source {source.label!r}: columns: {name!r} is none of our names"
            raise TaskError(cause, did_you_mean(name, COLUMNS))
    found = _columns(rows)
    wanted = [("columns", name) for name in source.columns.values()] + [("group", source.group)]
    for key, name in wanted:
        if name and name not in found:
            cause = f"source {source.label!r}: {key}: the data has no column {name!r}"
            raise TaskError(cause, did_you_mean(name, found))


def _renamed(source: Source, row: Row) -> Row:
    theirs = set(source.columns.values())
    kept = {name: value for name, value in row.values.items() if name not in theirs}
    ours = {name: row.values.get(column) for name, column in source.columns.items()}
    return Row(kept | ours, row.where)


def _group(source: Source, row: Row) -> str:
    if not source.group:
        return ""
    value = row.values.get(source.group)
    if value is None:
        raise TaskError(f"{row.where}: column {source.group!r}, the group, is empty", "fill it")
    return str(value)


def _reader(source: Source, rows: Sequence[Row]) -> Callable[[Row, Name], Item]:
    """The function that reads rows with these columns."""
    found = _columns(rows)
    for columns, read in SHAPES.items():
        if found.issuperset(columns):
            return read
    known = "; ".join(" + ".join(columns) for columns in SHAPES)
    near = {name: get_close_matches(name, COLUMNS, n=1) for name in sorted(found - set(COLUMNS))}
    hints = [f", {name} is perhaps {names[0]}" for name, names in near.items() if names]
    raise TaskError(
        f"source {source.label!r}: the columns {', '.join(sorted(found))} have no known shape",
        f"rename them with columns into one of {known}{''.join(hints)}",
    )


def _columns(rows: Sequence[Row]) -> set[str]:
    return {name for row in rows for name in row.values}
