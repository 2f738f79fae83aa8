"""Items whose score changed from parent to child: what training mended and what it broke.

Called by the pages of lineages.

    Flips(task="topic", variant="", better=17, worse=12, same=91, first=(Flip("42", 1.0, 0.0), ...))
"""

from dataclasses import dataclass

import numpy as np

from bench.reporting.comparison.pairing import pair
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.site.view import View

MOST = 8  # items named for each side


@dataclass(frozen=True, slots=True)
class Flip:
    """One item; `page` is None where it has none."""

    name: str
    child: float
    parent: float
    page: str | None


@dataclass(frozen=True, slots=True)
class Flips:
    """Counts of items on which the child is better, worse and the same, and those that changed
    most."""

    task: str
    variant: str
    better: int
    worse: int
    same: int
    mended: tuple[Flip, ...]
    broken: tuple[Flip, ...]


def flips_of(view: View, change: Change) -> list[Flips]:
    """The flips of each task and wording that was compared."""
    return [
        found
        for whole in change.contrasts
        if whole.estimate is not None
        for contrast in (whole.variants or (whole,))
        if (found := _flips(view, change, contrast)) is not None
    ]


def _flips(view: View, change: Change, contrast: Contrast) -> Flips | None:
    child = view.result(change.edge.child, contrast.task, contrast.variant)
    parent = view.result(change.edge.parent, contrast.task, contrast.variant)
    if child is None or parent is None:
        return None
    metric = contrast.metric
    paired = pair(child, parent, metric.name)
    gain = (paired.child - paired.parent) * (-1 if metric.lower_is_better else 1)
    pages = view.items.pages

    def first(places: list[int]) -> tuple[Flip, ...]:
        found = []
        for place in places[:MOST]:
            name = child.items.ids[paired.child_rows[place]]
            scores = float(paired.child[place]), float(paired.parent[place])
            found.append(Flip(name, *scores, pages.get((contrast.task, name))))
        return tuple(found)

    # Largest first; of equal ones those that have a page, then as they come.
    order = np.argsort(-np.abs(gain), kind="stable").tolist()
    paged = sorted(
        order,
        key=lambda at: (
            -abs(gain[at]),
            (contrast.task, child.items.ids[paired.child_rows[at]]) not in pages,
        ),
    )
    return Flips(
        task=contrast.task,
        variant=contrast.variant,
        better=int((gain > 0).sum()),
        worse=int((gain < 0).sum()),
        same=int((gain == 0).sum()),
        mended=first([at for at in paged if gain[at] > 0]),
        broken=first([at for at in paged if gain[at] < 0]),
    )
