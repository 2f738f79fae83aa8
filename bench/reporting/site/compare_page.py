"""The page on which any models are compared: the paired differences of every pair on every task.

Called by `bench.reporting.site.build`; shown by `templates/compare.html`. The page holds all pairs;
its script hides those of models that were not chosen (`compare.html?m=sft-6b&m=ppo-6b`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.comparison.board import FEWEST_CLUSTERS
from bench.reporting.comparison.values import VERDICTS, Verdict
from bench.reporting.results.schema import Metric
from bench.reporting.site.digits import Shown, scale_of, shown, shown_contrast
from bench.reporting.site.frame import Page
from bench.reporting.site.overview import Column, columns_of
from bench.reporting.site.view import View
from bench.statistics.ranks import Pair

ADDRESS = "compare.html"


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second on one task. Parent and child have the verdict of their lineage; other
    pairs that of the interval that holds for all pairs of the task at once."""

    shown: Shown
    verdict: Verdict
    estimate: float


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two rows of the board; a difference is None where they were not asked the same. `counts` are
    the verdicts that occur, with the number of tasks."""

    first: int
    second: int
    page: str | None
    change_id: str
    cells: tuple[Difference | None, ...]
    counts: tuple[tuple[Verdict, int], ...]

    @property
    def balance(self) -> int:
        """Tasks on which the first is better, less those on which it is worse."""
        counts = dict(self.counts)
        return counts.get("better", 0) - counts.get("worse", 0)


def compare_page(view: View) -> Page:
    """The page."""
    columns = columns_of(view)
    known = [_pairs(view, column) for column in columns]
    changes = {(one.edge.child, one.edge.parent): one for one in view.board.changes}
    rows = range(len(view.board.rows))
    pairs = []
    for second in rows:
        for first in rows[second + 1 :]:
            change = changes.get((first, second))
            cells = tuple(found.get((first, second)) for found in known)
            pairs.append(
                PairRow(
                    first=first,
                    second=second,
                    page=view.lineage_page(first) if change else None,
                    change_id=view.change_id(change) if change else "",
                    cells=cells,
                    counts=counts_of(
                        [one.verdict for one in change.contrasts]
                        if change
                        else _verdicts(view, (first, second), columns, cells)
                    ),
                )
            )
    values = {
        "fewest": FEWEST_CLUSTERS,
        "columns": columns,
        "pairs": pairs,
        "models": [
            (view.rows[row], view.board.labels[row], view.board.rows[row].model) for row in rows
        ],
    }
    return Page(ADDRESS, "compare.html", values)


def counts_of(verdicts: Sequence[Verdict]) -> tuple[tuple[Verdict, int], ...]:
    """The verdicts that occur, in their order, with the number of tasks."""
    found = Counter(verdicts)
    return tuple((verdict, found[verdict]) for verdict in VERDICTS if found[verdict])


def _verdicts(
    view: View,
    pair: tuple[int, int],
    columns: Sequence[Column],
    cells: Sequence[Difference | None],
) -> list[Verdict]:
    """One verdict for each task that either was run on: what all wordings with a number say."""
    told: dict[str, set[Verdict]] = {}
    for column, cell in zip(columns, cells, strict=True):
        name = column.task.name
        if any(view.result(row, name, column.variant) for row in pair):
            told.setdefault(name, set()).update([cell.verdict] if cell else [])
    return [_agreed(verdicts) for verdicts in told.values()]


def _agreed(verdicts: set[Verdict]) -> Verdict:
    if len(verdicts) > 1:
        return "undetermined"
    return next(iter(verdicts), "no number")


def _pairs(view: View, column: Column) -> Mapping[tuple[int, int], Difference]:
    """Later row minus earlier row on one task, by the two rows."""
    key, level = (column.task.name, column.variant), view.board.level
    found: dict[tuple[int, int], Difference] = {}
    if key in view.board.ranks:
        ranked = view.board.ranked[key]
        for pair in view.board.ranks[key].pairs:
            first, second = ranked[pair.first], ranked[pair.second]
            sign = 1 if first > second else -1
            told = _of_pair(pair, sign, column.metric, level)
            found[max(first, second), min(first, second)] = told
    for change in view.board.changes:
        for whole in change.contrasts:
            for one in whole.variants or (whole,):
                if (one.task, one.variant) == key and one.estimate is not None:
                    told = Difference(shown_contrast(one), one.verdict, one.estimate)
                    found[change.edge.child, change.edge.parent] = told
    return found


def _of_pair(pair: Pair, sign: int, metric: Metric, level: float) -> Difference:
    """A Pair is of scores turned so that more is better; `sign` is -1 to swap the two."""
    verdict: Verdict = "undetermined"
    joint = sorted((sign * pair.joint_lo, sign * pair.joint_hi))
    if joint[0] > 0 or joint[1] < 0:
        verdict = "better" if joint[0] > 0 else "worse"
    turn = -sign if metric.lower_is_better else sign
    span = metric.high - metric.low  # no difference is larger
    bounds = sorted(max(-span, min(span, turn * bound)) for bound in (pair.lo, pair.hi))
    # Without variance there is no interval to show: nobody knows the difference that well.
    lo, hi = (bounds[0], bounds[1]) if pair.se else (None, None)
    told = shown(turn * pair.estimate, lo, hi, scale_of(metric), level, signed=True)
    return Difference(told, verdict, turn * pair.estimate)
