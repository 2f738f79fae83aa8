"""The page of methods, written from the board: what was computed how, and what was left out.

Called by `bench.reporting.site.build`; shown by `templates/methods.html`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.reporting.comparison.comparable import shown
from bench.reporting.results.schema import Result
from bench.reporting.site.frame import Page
from bench.reporting.site.method_table import ALWAYS, METHODS, Method
from bench.reporting.site.overview import refused_of
from bench.reporting.site.task_page import told_of
from bench.reporting.site.view import View
from bench.types import Json

ADDRESS = "methods.html"
Reading = Callable[[Result], Mapping[str, Json]]
NO_METHOD = ("none", "not_identified")
MOST_REASONS = 3  # reasons of failures named for one row


@dataclass(frozen=True, slots=True)
class Used:
    """A method and how many numbers of the board it gave; None for what all of them use."""

    name: str
    method: Method | None
    count: int | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Items of one row on one task that have no score."""

    label: str
    task: str
    variant: str
    page: str
    fragment: str
    failed: int
    missing: int
    reasons: tuple[str, ...]


def methods_page(view: View) -> Page:
    """The page."""
    results = [result for row in view.board.rows for result in row.results.values()]
    values = {
        "used": used_methods(view),
        "told": told_of(score.metric.name for score in view.board.scores if not score.headline),
        "left_out": _left_out(view),
        "refused": refused_of(view.board.changes),
        "seeds": sorted({ranks.seed for ranks in view.board.ranks.values()}),
        "tools": _told(
            results, lambda one: {"tool": one.provenance.tool, "scorer": one.provenance.scorer}
        ),
        "environments": _told(results, lambda one: one.provenance.environment),
        "settings": _told(results, lambda one: one.settings),
        "notes": view.texts.notes,
    }
    return Page(ADDRESS, "methods.html", values)


def used_methods(view: View) -> list[Used]:
    """The methods behind the numbers of the board, most used first, then what all use."""
    board = view.board
    contrasts = [
        one
        for change in board.changes
        for whole in (*change.contrasts, *change.others)
        for one in (whole, *whole.variants)
    ]
    counts = Counter(
        [
            *(score.method for score in board.scores),
            *(one.method for one in contrasts),
            *(change.pooled.method for change in board.changes if change.pooled),
            *(ranks.method for ranks in board.ranks.values()),
            *(winner.method for winner in board.winners.values()),
            *(m.win_rate.method for one in board.judged for m in one.matches),
        ]
    )
    for name in NO_METHOD:
        counts.pop(name, None)
    told = {
        "fragile": any(one.fragile for one in contrasts),
        "equal_length": any(one.equal_length for one in contrasts),
        "ece": any(shift.measure == "ece" for one in contrasts for shift in one.shifts),
        "replicates": any(score.from_sampling is not None for score in board.scores),
        "bradley_terry": any(one.ratings for one in board.judged),
        "length_controlled": any(m.controlled for one in board.judged for m in one.matches),
        "krippendorff": any(one.alpha for one in board.judged),
        "slot": any(one.slot for one in board.judged),
    }
    always = [*(ALWAYS if contrasts else ()), *(name for name, used in told.items() if used)]
    return [
        *(Used(name, METHODS.get(name), count) for name, count in counts.most_common()),
        *(Used(name, METHODS[name], None) for name in always),
    ]


def _left_out(view: View) -> list[LeftOut]:
    found = []
    for (row, task, variant), score in view.headlines.items():
        if not score.failed and not score.missing:
            continue
        result = view.board.rows[row].results[task, variant]
        reasons = Counter(reason for reason in result.items.failures if reason)
        found.append(
            LeftOut(
                label=view.board.labels[row],
                task=task,
                variant=variant,
                page=view.task_page(task),
                fragment=view.score_id(row, variant),
                failed=score.failed,
                missing=score.missing,
                reasons=tuple(reason for reason, _ in reasons.most_common(MOST_REASONS)),
            )
        )
    return found


def _told(results: list[Result], of: Reading) -> list[tuple[str, list[tuple[str, int]]]]:
    """Each key with its values and how many Results have them."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        for key, value in of(result).items():
            counts.setdefault(key, Counter())[shown(value)] += 1
    return [(key, counts[key].most_common()) for key in sorted(counts)]
