"""Runs -> a bundle that may be published, or everything that speaks against it, in one go.

Called by `bench submit`, which shows all problems or lets `submission.write_bundle` write the
results. The rules stand in `publishable.py`; those of the board for single results apply too.

    Problem(path=Path("runs/m-1f0c/run.json"), key="tasks.topic.version", rule="unchanged",
            found="1", expected="2, as in the registry", remedy="run the evaluation again: ...")
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError, RunError
from bench.registry.known import KnownTask
from bench.reporting.results.files import path_of
from bench.reporting.results.from_run import results_of
from bench.reporting.results.publishable import AGAIN, RUN_RULES, Given, Problem, is_partial
from bench.reporting.results.rule import Board, Entry, Rules
from bench.reporting.results.rules_aggregates import AGGREGATE_RULES
from bench.reporting.results.rules_numbers import NUMBER_RULES
from bench.reporting.results.rules_record import RECORD_RULES
from bench.reporting.results.schema import Result
from bench.store import find_runs, load_run
from bench.types import Run, TaskRun

KnownTasks = Callable[[TaskRun], KnownTask | None]
# `publishable` asks for provenance and for whole tasks once a run, not once a task.
ASKED_OF_RUNS = ("provenance", "undated", "limited")
RESULT_RULES: Rules = {
    name: rule
    for name, rule in {**RECORD_RULES, **NUMBER_RULES, **AGGREGATE_RULES}.items()
    if name not in ASKED_OF_RUNS
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is to be published. Nothing is while there are `problems`; `notes` is what a reader must
    know, such as how many items failed."""

    results: tuple[Result, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def prepare(paths: Sequence[Path], known_tasks: KnownTasks, allow_limit: bool = False) -> Bundle:
    """The Results of the runs at `paths` (or one level below), and all that is wrong with them.

    `known_tasks` gives the task behind an entry of run.json as the registry has it, None where it
    is not known: that is noted then. Runs with a row limit need `allow_limit`, and their results
    say so in `settings.limit`.
    """
    folders, lost = _folders(paths)
    bundles = [_bundle(folder, known_tasks, allow_limit) for folder in folders]
    problems = [*lost, *(problem for bundle in bundles for problem in bundle.problems)]
    problems += _twice(list(zip(folders, bundles, strict=True)))
    return Bundle(
        tuple(result for bundle in bundles for result in bundle.results),
        tuple(dict.fromkeys(problems)),
        tuple(note for bundle in bundles for note in bundle.notes),
    )


def _folders(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """Run folders, and the paths where there is none."""
    found: dict[Path, Path] = {}
    lost: list[Problem] = []
    for path in paths:
        try:
            found |= {folder.resolve(): folder for folder in find_runs([path])}
        except RunError as error:
            lost.append(_unreadable(path, error))
    return list(found.values()), lost


def _bundle(folder: Path, known_tasks: KnownTasks, allow_limit: bool) -> Bundle:
    """The bundle of one run."""
    try:
        run, records = load_run(folder)
    except RunError as error:
        return Bundle((), (_unreadable(folder, error),), ())
    known, lost, notes = _known(folder / "run.json", run, known_tasks)
    given = Given(folder / "run.json", run, tuple(records), known, allow_limit)
    problems = [*lost, *(problem for rule in RUN_RULES for problem in rule(given))]
    if any(problem.rule == "tasks" for problem in problems):
        return Bundle((), tuple(problems), ())
    results = _results(given)
    problems += [problem for result in results for problem in _of_result(given.file, result)]
    return Bundle(tuple(results), tuple(problems), (*notes, *_notes(given)))


def _known(
    file: Path, run: Run, known_tasks: KnownTasks
) -> tuple[dict[str, KnownTask], list[Problem], list[str]]:
    """The tasks that are known, those that cannot be read, and a note for each unknown one."""
    known: dict[str, KnownTask] = {}
    problems: list[Problem] = []
    notes: list[str] = []
    for entry in run.tasks:
        try:
            task = known_tasks(entry)
        except BenchError as error:
            key, rule = f"tasks.{entry.task}", "unchanged"
            problems.append(
                Problem(file, key, rule, error.cause, "a task that can be read", error.remedy)
            )
            continue
        if task is None:
            notes.append(f"{entry.task}: not in the registry, so nothing says it is unchanged")
        else:
            known[entry.task] = task
    return known, problems, notes


def _results(given: Given) -> list[Result]:
    """The Results of a run; `settings.limit` is the limit that left rows out, or None."""
    made = results_of(given.run, given.records)
    found = []
    for entry, result in zip(given.run.tasks, made, strict=True):
        partial = is_partial(entry, given.known.get(entry.task))
        limit = entry.limit if partial else None
        found.append(replace(result, settings={**result.settings, "limit": limit}))
    return found


def _of_result(file: Path, result: Result) -> Iterator[Problem]:
    """What the rules of the board say of a Result that does not lie there yet."""
    board = Board((Entry(str(file), path_of(result), result),))
    for name, rule in RESULT_RULES.items():
        for _, told in rule.check(board):
            where, _, found = told.partition(": ")
            key = (
                where
                if where.startswith(("model.", "provenance."))
                else f"{result.task.name}: {where}"
            )
            yield Problem(file, key, name, found.removeprefix("found "), rule.sentence, AGAIN)


def _twice(bundles: Sequence[tuple[Path, Bundle]]) -> Iterator[Problem]:
    """Results that would be written to one file."""
    taken: dict[Path, Path] = {}
    for folder, bundle in bundles:
        for result in bundle.results:
            first = taken.setdefault(path_of(result), folder)
            if first != folder:
                yield Problem(
                    folder / "run.json",
                    f"tasks.{result.task.name}",
                    "duplicates",
                    f"the same model, task and wording in {first}",
                    "one run of each",
                    "leave one of the two runs out",
                )


def _notes(given: Given) -> Iterator[str]:
    """What a reader of the results must know."""
    for entry in given.run.tasks:
        if entry.failed:
            yield f"{entry.task}: {entry.failed} of {entry.rows} items failed and have no score"
        if is_partial(entry, given.known.get(entry.task)):
            yield f"{entry.task}: partial, only the first {entry.limit} rows were asked"
    if given.run.git.get("dirty") == "yes":
        yield f"{given.run.name}: the working tree held changes that are in no commit"


def _unreadable(path: Path, error: RunError) -> Problem:
    told = error.cause.removeprefix(f"{path}: ")
    found = f"no run that can be read ({told})"
    return Problem(path, "", "readable", found, "run.json and records.jsonl", error.remedy)
