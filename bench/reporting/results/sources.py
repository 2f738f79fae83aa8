"""Results from wherever they lie: run folders, folders of runs, folders of result files.

Called by `bench board build` and `bench compare`. One that is damaged among many is left out and
named; one that was asked for by itself is refused, and so is an edited file where results are
published.

    read_sources([Path("runs/demo"), Path("leaderboard/results")])
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ProblemsError, RunError
from bench.reporting.results.files import load_sound, result_paths
from bench.reporting.results.from_run import results_of
from bench.reporting.results.rule import Entry
from bench.reporting.results.schema import Result
from bench.reporting.results.sound import check_sound
from bench.store import find_runs, load_run
from bench.types import Json


@dataclass(frozen=True, slots=True)
class Damaged:
    """A run folder or a file of results that cannot be read. `cause` begins with the file, `told`
    says the same without the folder that was asked for; `names` are those it may be asked by."""

    path: Path
    cause: str
    remedy: str
    told: str
    names: frozenset[str]

    def __str__(self) -> str:
        """One line for a reader of the terminal."""
        return f"left out, damaged: {self.cause}; try: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Sources:
    """The Results of all paths in order, the run folders that hold the replies' texts, the files
    of results, and what is left out of both."""

    results: tuple[Result, ...] = ()
    runs: tuple[Path, ...] = ()
    entries: tuple[Entry, ...] = ()
    damaged: tuple[Damaged, ...] = ()


def read_sources(paths: Sequence[Path], strict: Sequence[Path] = ()) -> Sources:
    """Everything below `paths`, each read as what it is; in the folders `strict` nothing may be
    damaged.

    Raises:
        RunError: a path holds neither runs nor results, is itself a damaged run, or is one of
            `strict` and holds a damaged file; or nothing but damaged ones is there.
    """
    results: list[Result] = []
    runs: list[Path] = []
    entries: list[Entry] = []
    damaged: list[Damaged] = []
    known_whole = {folder.resolve() for folder in strict}
    for path in paths:
        if (path / "run.json").is_file():
            results += read_run(path)
            runs.append(path)
        elif any(path.glob("*/run.json")):
            for folder, made in _sound(find_runs([path]), path, read_run, damaged):
                results += made
                runs.append(folder)
        elif files := result_paths(path):
            whole = path.resolve() in known_whole
            read = _strictly(files) if whole else _sound(files, path, _read_file, damaged)
            for file, made in read:
                results += made
                entries += [Entry(str(file), file.relative_to(path), one) for one in made]
        else:
            raise RunError(
                f"{path}: {'holds neither runs nor results' if path.exists() else 'not there'}",
                "bench eval MODEL -t core -o runs, then bench board build runs",
            )
    if damaged and not results:
        raise _nothing_else(damaged)
    return Sources(tuple(results), tuple(runs), tuple(entries), tuple(damaged))


def read_run(folder: Path) -> list[Result]:
    """The Results of the run in `folder`.

    Raises:
        RunError: the run is missing or damaged, its records are not of the tasks it names, or hold
            what no score can be.
    """
    run, records = load_run(folder)
    named = [entry.task for entry in run.tasks]
    strange = sorted({record.task for record in records} - set(named))
    if strange or len(set(named)) < len(named):
        told = f"found {named}, records.jsonl holds {strange}" if strange else "found one twice"
        raise RunError(f"{folder / 'run.json'}: tasks: {told}", "run the evaluation again")
    made = results_of(run, records)
    return [check_sound(result, str(folder), "run the evaluation again") for result in made]


def _read_file(path: Path) -> list[Result]:
    return [load_sound(path)]


def _strictly(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Result]]]:
    return ((path, _read_file(path)) for path in paths)


def _sound(
    paths: Sequence[Path],
    source: Path,
    read: Callable[[Path], list[Result]],
    damaged: list[Damaged],
) -> Iterator[tuple[Path, list[Result]]]:
    """Each of `paths` with what `read` makes of it; those that it refuses go to `damaged`."""
    for path in paths:
        try:
            made = read(path)
        except RunError as error:
            told = error.cause.replace(f"{source}/", "")
            damaged.append(Damaged(path, error.cause, error.remedy, told, _names(path)))
        else:
            yield path, made


def _nothing_else(damaged: Sequence[Damaged]) -> RunError:
    """The error of sources in which nothing is sound."""
    if len(damaged) == 1:
        return RunError(damaged[0].cause, damaged[0].remedy)
    lines = [f"{one.cause}; try: {one.remedy}" for one in damaged]
    return ProblemsError(f"nothing here can be read, {len(damaged)} are damaged:", lines)


def _names(path: Path) -> frozenset[str]:
    """What a run folder or a file of results is called, as far as what is left of it says."""
    run = path.is_dir()
    folders = {path.name, path.name.rsplit("-", 1)[0]} if run else {path.parent.parent.name}
    try:
        content: Json = json.loads((path / "run.json" if run else path).read_bytes())
    except (OSError, ValueError, RecursionError):
        content = None
    model = content.get("model") if isinstance(content, dict) else None
    stated = model.get("name") if isinstance(model, dict) else model
    names = [stated, stated.rstrip("/").rsplit("/", 1)[-1]] if isinstance(stated, str) else []
    return frozenset({*folders, *names})
