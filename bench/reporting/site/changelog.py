"""What became of the board and when, from the results: which model was added, with what change.

Called by `bench.reporting.site.build` for the page and for the feed. There is no clock: an entry
bears the time at which its results were begun.

    Entry(when="2026-03-02T09:00:00Z", row=2, tasks=("topic", "facts"), first=True, ...)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.reporting.comparison.values import Change
from bench.reporting.site.frame import Page
from bench.reporting.site.view import View

ADDRESS = "changelog.html"
UNKNOWN = "1970-01-01T00:00:00Z"  # a feed must have a time


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote down about the board: why something moved."""

    date: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The results of one row that were begun on one day; `first` where they are its first, and
    then with the `changes` that it is the child of. Or a note, with no row."""

    when: str
    id: str
    row: int | None
    label: str
    page: str
    tasks: tuple[str, ...]
    first: bool
    changes: tuple[Change, ...]
    note: Note | None = None

    @property
    def day(self) -> str:
        """The date, "" where nobody knows it."""
        return "" if self.when == UNKNOWN else self.when[:10]


def entries_of(view: View, notes: Sequence[Note] = ()) -> list[Entry]:
    """The entries, newest first."""
    found = [*_added(view), *(_noted(note, place) for place, note in enumerate(notes))]
    return sorted(found, key=lambda entry: (entry.when, entry.id), reverse=True)


def changelog_page(entries: Sequence[Entry]) -> Page:
    """The page."""
    return Page(ADDRESS, "changelog.html", {"entries": entries})


def moment(text: str) -> str:
    """A time as RFC 3339 has it, in UTC; `UNKNOWN` for what is no time."""
    try:
        found = datetime.fromisoformat(text)
        when = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return UNKNOWN
    return f"{when.isoformat(timespec='seconds').removesuffix('+00:00')}Z"


def _added(view: View) -> list[Entry]:
    entries = []
    for row, of_row in enumerate(view.board.rows):
        days: dict[str, list[tuple[str, str]]] = {}
        for (task, _), result in of_row.results.items():
            when = moment(result.provenance.started)
            days.setdefault(when[:10], []).append((when, task))
        for place, day in enumerate(sorted(days)):
            changes = [one for one in view.board.changes if one.edge.child == row]
            entries.append(
                Entry(
                    when=max(when for when, _ in days[day]),
                    id=f"{day}-{view.rows[row]}",
                    row=row,
                    label=view.board.labels[row],
                    page=view.lineage_page(row),
                    tasks=tuple(dict.fromkeys(task for _, task in days[day])),
                    first=place == 0,
                    changes=() if place else tuple(changes),
                )
            )
    return entries


def _noted(note: Note, place: int) -> Entry:
    when = moment(note.date)
    return Entry(
        when=when,
        id=f"{when[:10]}-note-{place + 1}",
        row=None,
        label=note.title,
        page="",
        tasks=(),
        first=False,
        changes=(),
        note=note,
    )
