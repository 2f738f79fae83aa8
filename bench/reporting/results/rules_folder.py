"""Rules for what lies beside the results of a model: its SUBMISSION.md says what was submitted.

Called by `bench.reporting.results.audit`. A result that was taken away, or put in by hand, shows
in a note that names other results than the folder holds.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from bench.reporting.results.rule import Board, Rule, Rules, Told
from bench.reporting.results.schema import Result
from bench.reporting.results.submission_note import NOTE, note_of

SHOWN = 80  # characters of a line that is wrong


def noted(board: Board) -> Told:
    """Every folder of results has a note."""
    for folder in _folders(board):
        if not (folder / NOTE).is_file():
            yield str(folder / NOTE), "not there: nobody says which results were submitted"


def notes(board: Board) -> Told:
    """The note is the one that the results beside it give."""
    for folder, results in _folders(board).items():
        try:
            found = (folder / NOTE).read_text("utf-8").splitlines()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            yield str(folder / NOTE), f"cannot be read: {error}"
            continue
        yield from ((str(folder / NOTE), told) for told in _first_difference(found, results))


def case(board: Board) -> Told:
    """No two paths are one where the disk does not tell upper from lower case."""
    known: dict[str, Path] = {}
    clashes: dict[Path, Path] = {}
    for entry in board.entries:
        path = Path(entry.file)
        for place in (*reversed(path.parents), path):
            first = known.setdefault(str(place).casefold(), place)
            if first != place:
                clashes[place] = first
                break  # what lies below it is told by this
    for place, first in clashes.items():
        yield str(place), f"is {first} on disks that do not tell upper from lower case"


FOLDER_RULES: Rules = {
    "case": Rule(case, "no two paths differ in upper and lower case alone", "warning"),
    "noted": Rule(noted, f"each folder of results has a {NOTE}", "warning"),
    "notes": Rule(notes, f"a {NOTE} names the results beside it and no others"),
}


def _folders(board: Board) -> Mapping[Path, list[Result]]:
    """The folders all of whose files could be read, with their Results."""
    broken = {Path(file.file).parent for file in board.unread}
    found: dict[Path, list[Result]] = {}
    for entry in board.entries:
        folder = Path(entry.file).parent
        if folder not in broken:
            found.setdefault(folder, []).append(entry.result)
    return found


def _first_difference(found: list[str], results: list[Result]) -> Iterator[str]:
    expected = note_of(results).splitlines()
    for number, (line, right) in enumerate(zip_longest(found, expected), start=1):
        if line != right:
            yield f"line {number}: found {_short(line)}, the results beside it give {_short(right)}"
            return


def _short(line: str | None) -> str:
    if line is None:
        return "no more lines"
    return repr(line if len(line) <= SHOWN else line[:SHOWN] + "...")
