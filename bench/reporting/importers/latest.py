"""Of several Results of one model on one task the last: a model is asked a task once on a board.

Called by the importers that read whole folders.
"""

from collections.abc import Iterable
from pathlib import Path

from bench.reporting.results.files import path_of
from bench.reporting.results.schema import Result


def latest(results: Iterable[Result], lost: set[str]) -> tuple[Result, ...]:
    """The last of `results` for each place on the board; `lost` is told of the others."""
    found: dict[Path, Result] = {}
    for result in results:
        place = path_of(result)
        if place in found:
            lost.add(f"{place.as_posix()}: an earlier run of {found[place].provenance.started}")
        found[place] = result
    return tuple(found.values())
