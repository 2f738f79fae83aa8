"""Results from wherever they lie: run folders, folders of runs, folders of result files.

Called by `bench board build` and `bench compare`.

    read_sources([Path("runs/demo"), Path("leaderboard/results")])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.reporting.results.files import load_results, result_paths
from bench.reporting.results.from_run import results_of
from bench.reporting.results.schema import Result
from bench.store import find_runs, load_run


@dataclass(frozen=True, slots=True)
class Damaged:
    """A run among others that cannot be read, and why."""

    folder: Path
    error: RunError


@dataclass(frozen=True, slots=True)
class Sources:
    """The Results of all paths in order, the run folders that hold the replies' texts, and the runs
    that were left out because they are damaged."""

    results: tuple[Result, ...]
    runs: tuple[Path, ...]
    damaged: tuple[Damaged, ...]


def read_sources(paths: Sequence[Path]) -> Sources:
    """Everything below `paths`, each read as what it is; of many runs the damaged are left out.

    Raises:
        RunError: a path holds neither runs nor results, is itself a damaged run, holds a damaged
            result file, or there is nothing but damaged runs.
    """
    results: list[Result] = []
    runs: list[Path] = []
    damaged: list[Damaged] = []
    for path in paths:
        if _holds_runs(path):
            for folder in find_runs([path]):
                try:
                    results += results_of(*load_run(folder))
                    runs.append(folder)
                except RunError as error:
                    if folder == path:
                        raise
                    damaged.append(Damaged(folder, error))
        elif result_paths(path):
            results += load_results([path])
        else:
            raise RunError(
                f"{path}: {'holds neither runs nor results' if path.exists() else 'not there'}",
                "bench eval MODEL -t core -o runs, then bench board build runs",
            )
    if damaged and not results:
        raise damaged[0].error
    return Sources(tuple(results), tuple(runs), tuple(damaged))


def _holds_runs(path: Path) -> bool:
    return (path / "run.json").is_file() or any(path.glob("*/run.json"))
