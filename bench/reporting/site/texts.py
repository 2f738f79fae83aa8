"""What was asked and what was answered, as text: Results hold scores only.

Read from run folders by `texts_of_runs`; `bench board build` hands it to `build_site`, which makes
a page for each item that has texts. Prompts come from the task folders: an item whose digest is
another one there has changed since, and has no prompt.

    texts.prompts["topic", "", "42", "9f2c41d07a55e310"]     "Text: ...\\nTopic:"
    texts.outputs[2, "topic", "", "42", 0]                   Output(text="sport", ...)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.registry.folder import find_task_files, search_folders, select
from bench.registry.prompt import as_text, load_examples
from bench.reporting.comparison.board import Board
from bench.reporting.results.from_run import results_of
from bench.reporting.results.schema import Result
from bench.store import load_run
from bench.types import Record

PromptKey = tuple[str, str, str, str]  # task, variant, item, digest
OutputKey = tuple[int, str, str, str, int]  # row on the board, task, variant, item, sample


@dataclass(frozen=True, slots=True)
class Output:
    """`text` as the model wrote it, None where it chose among choices; `prediction` what was read
    from it, None where nothing could be; `choices` with the probability of each."""

    text: str | None
    prediction: str | None
    choices: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instruction and question without solved examples, and the answers that count as right."""

    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Texts:
    """`notes` say what has no text, and why."""

    prompts: Mapping[PromptKey, Prompt] = field(default_factory=dict)
    outputs: Mapping[OutputKey, Output] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def texts_of_runs(
    board: Board, folders: Iterable[Path], tasks: Sequence[Path] = (), root: Path | None = None
) -> Texts:
    """The texts of the runs in `folders` that are on `board`.

    Task folders are searched as `bench eval --tasks` does; `root` is a local mirror of the Hub.

    Raises:
        RunError: a folder holds no run, or a damaged one.
    """
    outputs: dict[OutputKey, Output] = {}
    notes: list[str] = []
    for folder in folders:
        run, records = load_run(folder)
        by_task: dict[str, list[Record]] = {}
        for record in records:
            by_task.setdefault(record.task, []).append(record)
        for result in results_of(run, records):
            name, variant = result.task.name, result.task.variant
            row = _row_of(board, result)
            if row is None:
                notes.append(f"{folder.name}: {name} is not on this board as it was run there")
                continue
            for one in by_task.get(name, []):
                outputs[row, name, variant, one.id, one.sample] = _output(one)
    asked = dict.fromkeys((task, variant) for _, task, variant, _, _ in outputs)
    prompts, missing = _prompts(list(asked), tasks, root)
    return Texts(prompts, outputs, (*notes, *missing))


def _row_of(board: Board, result: Result) -> int | None:
    """The row that holds this very Result."""
    key = result.task.name, result.task.variant
    return next(
        (
            place
            for place, row in enumerate(board.rows)
            if (row.model.name, row.model.revision) == (result.model.name, result.model.revision)
            and (known := row.results.get(key)) is not None
            and known.items == result.items
            and known.settings == result.settings
        ),
        None,
    )


def _output(record: Record) -> Output:
    choices = zip(record.choices, record.probabilities, strict=False)
    return Output(record.reply.text, record.prediction, tuple(choices))


def _prompts(
    asked: Sequence[tuple[str, str]], folders: Sequence[Path], root: Path | None
) -> tuple[dict[PromptKey, Prompt], list[str]]:
    """The prompts of these tasks and wordings, and why there are none for others."""
    found: dict[PromptKey, Prompt] = {}
    notes: list[str] = []
    known = find_task_files(search_folders(folders))
    for name, variant in asked:
        if name not in known:
            notes.append(f"{name}: no task folder here, so no prompts")
            continue
        try:
            examples, _ = load_examples(select([name], folders)[0][0], variant=variant, root=root)
        except BenchError as error:
            notes.append(f"{name}: no prompts: {error.cause}")
            continue
        for one in examples:
            found[name, variant, one.id, one.digest] = Prompt(as_text(one), one.answers)
    return found, notes
