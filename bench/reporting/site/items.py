"""Which items have a page of their own, and where it lies.

Called by `bench.reporting.site.view`.

    item/topic/42.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.site.addresses import slugs
from bench.reporting.site.grid import Grid
from bench.reporting.site.texts import Texts

MOST = 1_000  # pages of items in all, shared by the tasks: those on which rows differ most


@dataclass(frozen=True, slots=True)
class Chosen:
    """`pages` holds the address of each item (task, id) that has a page; `known` counts, for each
    task, the items that have texts."""

    pages: Mapping[tuple[str, str], str]
    known: Mapping[str, int]


def items_of(grids: Sequence[Grid], slug: Mapping[str, str], texts: Texts, most: int) -> Chosen:
    """The items with texts; tasks share `most` pages, and of more items in one there are those on
    which the rows differ most."""
    told: dict[str, set[str]] = {}
    for _, task, _, item, _ in texts.outputs:
        told.setdefault(task, set()).add(item)
    spread: dict[str, dict[str, float]] = {}
    for grid in grids:
        known = spread.setdefault(grid.task, {})
        for (item, _, _), apart in zip(grid.items, grid.spread, strict=True):
            if item in told.get(grid.task, ()):
                known[item] = max(apart, known.get(item, 0.0))
    pages, each = {}, most // max(1, len(told))
    for task, known in spread.items():
        chosen = sorted(known, key=lambda item: (-known[item], item))[:each]
        for item, part in zip(chosen, slugs(chosen), strict=True):
            pages[task, item] = f"item/{slug[task]}/{part}.html"
    return Chosen(pages, {task: len(known) for task, known in spread.items()})
