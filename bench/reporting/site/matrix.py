"""The matrix of a task: every item against every row, as a drawing of few elements.

Called by the pages of tasks. The size of a cell is the score, its colour the change against the
row's parent; a cross is a failed item and an empty place a missing one. Cells of one size and
colour that lie beside each other are one dashed line, so a thousand items take a few kilobytes.

    band 1   ■ ■ ■ ■ ■ ▪ ■ ■ ·     sft
             ■ ■ ■ ■ ▪ ■ ■ · ×     ppo
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

from bench.reporting.site.charts.words import escaped, fitted
from bench.reporting.site.grid import Cell, Grid
from bench.reporting.site.links import Links
from bench.reporting.site.view import View

BAND = 100  # items side by side
CELL, PITCH, LINE, LABEL, HEAD = 8, 9, 12, 150, 18  # pixels
SIZES = (3, 5, 7, 8)  # of a cell, from the worst score to the best
Tone = Literal["up", "down", "same"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is drawn; `size` 0 is a cross, None nothing."""

    size: int | None
    tone: Tone = "same"


def matrix_svg(view: View, grid: Grid, links: Links) -> Markup:
    """The drawing; boxes say the item and how good the rows were on it, from 0 to 100."""
    looks = _looks(view, grid)
    bands = range(0, len(grid.items), BAND)
    height = len(bands) * (HEAD + LINE * len(grid.rows) + CELL)
    width = LABEL + PITCH * min(BAND, len(grid.items)) + CELL
    drawn = [
        part
        for number, first in enumerate(bands)
        for part in _band(view, grid, looks, first, height // len(bands) * number, links)
    ]
    return Markup(
        f'<svg class="matrix" role="group" aria-label="{escaped(grid.task)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(drawn)}</svg>"
    )


def _band(
    view: View,
    grid: Grid,
    looks: Sequence[Sequence[Look]],
    first: int,
    top: int,
    links: Links,
) -> Iterator[str]:
    last = min(first + BAND, len(grid.items))
    yield f'<text class="soft" x="{LABEL}" y="{top + 12}">{first + 1}–{last}</text>'
    for line, (row, cells) in enumerate(zip(grid.rows, looks, strict=True)):
        y = top + HEAD + LINE * line
        label = escaped(fitted(view.board.labels[row], LABEL - 12, 11))
        yield f'<text x="{LABEL - 8}" y="{y + 8}" text-anchor="end">{label}</text>'
        yield from _row(cells[first:last], y)
    yield from _columns(view, grid, first, last, top + HEAD - 2, links)


def _row(cells: Sequence[Look], y: int) -> Iterator[str]:
    """The cells of one row of a band."""
    paths: dict[Look, list[str]] = {}
    place = 0
    for look, run in groupby(cells):
        count = len(list(run))
        if look.size is not None:
            paths.setdefault(look, []).append(_run(look.size, LABEL + PITCH * place, y, count))
        place += count
    for look, parts in paths.items():
        kind = f"s{look.size}" if look.size else "cross"
        yield f'<path class="{kind} {look.tone}" d="{"".join(parts)}"/>'


def _run(size: int, x: int, y: int, count: int) -> str:
    """Equal cells side by side: one line to be dashed, or a cross each."""
    if not size:
        return "".join(f"M{x + 1 + PITCH * at} {y + 1}l6 6m-6 0l6-6" for at in range(count))
    start = f"{x + (CELL - size) / 2:g}"
    return f"M{start} {y + CELL // 2}h{PITCH * (count - 1) + size}"


def _columns(
    view: View, grid: Grid, first: int, last: int, top: int, links: Links
) -> Iterator[str]:
    """An invisible box over each item that says its name and leads to its page."""
    height = LINE * len(grid.rows) + 2
    for at in range(first, last):
        item, x = grid.items[at][0], LABEL + PITCH * (at - first)
        share = grid.shares[at]
        mean = "" if share is None else f": {100 * share:.0f}"
        box = (
            f'<rect class="hit" x="{x - 0.5}" y="{top}" width="{PITCH}" height="{height}">'
            f"<title>{escaped(item[:120])}{mean}</title></rect>"
        )
        page = view.items.pages.get((grid.task, item))
        href = links.page(page) if page else None
        # Reached by keyboard through the table of items, which says more.
        yield f'<a href="{escape(href)}" tabindex="-1">{box}</a>' if href else box


def _looks(view: View, grid: Grid) -> list[list[Look]]:
    lines = dict(zip(grid.rows, grid.cells, strict=True))
    return [
        _line(
            grid,
            cells,
            lines.get(parent) if (parent := view.board.parents[row]) is not None else None,
        )
        for row, cells in lines.items()
    ]


def _line(grid: Grid, cells: Sequence[Cell], above: Sequence[Cell] | None) -> list[Look]:
    nothing: Cell = "missing"
    parents = above if above is not None else [nothing] * len(cells)
    return [_look(grid, cell, parent) for cell, parent in zip(cells, parents, strict=True)]


def _look(grid: Grid, cell: Cell, parent: Cell) -> Look:
    if isinstance(cell, str):
        return FAILED if cell == "failed" else MISSING
    size = SIZES[round(grid.share(cell) * (len(SIZES) - 1))]
    if isinstance(parent, str) or parent == cell:
        return Look(size)
    return Look(size, "up" if grid.metric.better(cell - parent) else "down")


FAILED, MISSING = Look(0), Look(None)
