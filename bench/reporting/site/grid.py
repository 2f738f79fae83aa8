"""Every item of a task in one wording against every row that was asked it.

Made once by `bench.reporting.site.view`; read by the pages of tasks and items.

    grid.cells[2][0]     row 2 of the grid on its easiest item: 1.0, "failed" or "missing"
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.reporting.comparison.lineage import Row
from bench.reporting.results.schema import Items, Metric, Result

Cell = float | Literal["failed", "missing"]
ItemKey = tuple[str, int, str]  # id, sample, digest


@dataclass(frozen=True, slots=True)
class Grid:
    """`cells` [row][item] hold scores of the headline; `rows` are positions on the board, `places`
    [row] the positions of the items in the row's Result. Items go from the easiest to the hardest;
    `shares` [item] is how good the rows were on average, `spread` [item] how far apart."""

    task: str
    variant: str
    metric: Metric
    rows: tuple[int, ...]
    items: tuple[ItemKey, ...]
    cells: tuple[tuple[Cell, ...], ...]
    shares: tuple[float | None, ...]
    spread: tuple[float, ...]
    binary: bool

    def share(self, score: float) -> float:
        """How good a score is, from 0 (worst) to 1 (best)."""
        return share_of(score, self.metric)


def grid_of(rows: Sequence[Row], task: str, variant: str) -> Grid:
    """The Grid of `task` in the wording `variant`."""
    asked = [place for place, row in enumerate(rows) if (task, variant) in row.results]
    results = [rows[place].results[task, variant] for place in asked]
    metric = results[0].task.metrics[0]
    columns = [_column(result, metric.name) for result in results]
    keys = list(dict.fromkeys(key for column in columns for key in column))
    told = [_told([column.get(key, "missing") for column in columns], metric) for key in keys]
    # Stable: items that are as hard as each other stay in their order.
    order = sorted(range(len(keys)), key=lambda at: -_known(told[at][0]))
    scores = {cell for column in columns for cell in column.values() if isinstance(cell, float)}
    return Grid(
        task=task,
        variant=variant,
        metric=metric,
        rows=tuple(asked),
        items=tuple(keys[at] for at in order),
        cells=tuple(tuple(column.get(keys[at], "missing") for at in order) for column in columns),
        shares=tuple(told[at][0] for at in order),
        spread=tuple(told[at][1] for at in order),
        binary=scores <= {metric.low, metric.high},
    )


def share_of(score: float, metric: Metric) -> float:
    """How good a score is, from 0 (worst) to 1 (best); 0.5 in the middle of a scale without end."""
    if math.isfinite(metric.low) and math.isfinite(metric.high):
        share = (score - metric.low) / ((metric.high - metric.low) or 1.0)
    else:
        share = 0.5 + math.atan(score) / math.pi
    share = min(1.0, max(0.0, share))
    return 1.0 - share if metric.lower_is_better else share


def keys_of(items: Items) -> list[ItemKey]:
    """What identifies each item."""
    return list(zip(items.ids, items.samples, items.digests, strict=True))


def _column(result: Result, metric: str) -> dict[ItemKey, Cell]:
    """Each item that was asked, with its score."""
    items = result.items
    scores = items.scores.get(metric) or (None,) * len(items.ids)
    return {
        key: "failed" if reason else "missing" if score is None else float(score)
        for key, reason, score in zip(keys_of(items), items.failures, scores, strict=True)
    }


def _told(cells: Sequence[Cell], metric: Metric) -> tuple[float | None, float]:
    """How good the rows are on an item on average, and how far the best is from the worst."""
    known = [share_of(cell, metric) for cell in cells if isinstance(cell, float)]
    if not known:
        return None, 0.0
    return sum(known) / len(known), max(known) - min(known)


def _known(share: float | None) -> float:
    return -1.0 if share is None else share
