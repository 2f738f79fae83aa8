"""What the rules of `bench board check` read and yield: a Board of Entries, Findings.

The rules stand in `rules_result.py` and `rules_board.py`, their table in `audit.py`.

    Finding(file="leaderboard/results/m/1f0c/topic.json", rule="seal", severity="error",
            told="the content gives 'ab12...', the file states 'ab13...': it was edited")
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.reporting.results.schema import Result

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: where, how bad, and what was found."""

    file: str
    rule: str
    severity: Severity
    told: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A Result that could be read. `place` is where the file lies below the folder of results."""

    file: str
    place: Path
    result: Result


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, the rule that it breaks, and how."""

    file: str
    rule: str
    told: str


@dataclass(frozen=True, slots=True)
class Board:
    """All files below the folders of results."""

    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...] = ()


Told = Iterator[tuple[str, str]]  # (file, what was found)
Check = Callable[[Board], Told]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of a whole board; `sentence` says what is right."""

    check: Check
    sentence: str
    severity: Severity = "error"


Rules = Mapping[str, Rule]


def each(check: Callable[[Result], Iterator[str]]) -> Check:
    """The check of a board that asks one Result after another."""
    return lambda board: (
        (entry.file, told) for entry in board.entries for told in check(entry.result)
    )
