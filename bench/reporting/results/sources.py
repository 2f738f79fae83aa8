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
class Sources:
    """The Results of all paths in order, and the run folders that hold the replies' texts."""

    results: tuple[Result, ...]
    runs: tuple[Path, ...]


def read_sources(paths: Sequence[Path]) -> Sources:
    """Everything below `paths`, each read as what it is.

    Raises:
        RunError: a path holds neither runs nor results, or holds damaged ones.
    """
    results: list[Result] = []
    runs: list[Path] = []
    for path in paths:
        if _holds_runs(path):
            folders = find_runs([path])
            runs += folders
            results += [result for folder in folders for result in results_of(*load_run(folder))]
        elif result_paths(path):
            results += load_results([path])
        else:
            raise RunError(
                f"{path}: {'holds neither runs nor results' if path.exists() else 'not there'}",
                "bench eval MODEL -t core -o runs, then bench board build runs",
            )
    return Sources(tuple(results), tuple(runs))


def _holds_runs(path: Path) -> bool:
    return (path / "run.json").is_file() or any(path.glob("*/run.json"))
