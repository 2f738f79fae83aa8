"""Inline SVG for the board: a score with its interval, a change with its interval, a lineage."""

import math
from collections.abc import Sequence

from bench.reporting.lineage import Place
from bench.types import Cell, Contrast

WIDTH, HEIGHT, EDGE = 168, 18, 5
ROW, STEP = 28, 22  # pixels of the lineage: height of a run, indentation of a child


def interval_svg(cell: Cell) -> str:
    """Dot at the estimate, line over the interval, tick at chance; empty without an estimate.

    The axis has ticks at 0, 0.5 and 1.
    """
    if cell.estimate is None:
        return ""
    middle = HEIGHT / 2
    said, line = f"{cell.estimate:.3f}", ""
    if cell.lo is not None and cell.hi is not None:
        said += f", {cell.level:.0%} interval {cell.lo:.3f} to {cell.hi:.3f}"
        line = _line("ci", cell.lo, cell.hi, middle, middle)
    return (
        f'<svg role="img" aria-label="{said}; chance {cell.chance:.2f}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        + _line("axis", 0, 1, middle, middle)
        + "".join(_line("axis", at, at, middle - 3, middle + 3) for at in (0, 0.5, 1))
        + _line("chance", cell.chance, cell.chance, 1, HEIGHT - 1)
        + line
        + f'<circle class="dot" cx="{_x(cell.estimate)}" cy="{middle}" r="4"/></svg>'
    )


def change_svg(contrast: Contrast, reach: float) -> str:
    """The same of a change, on an axis from -reach to reach with its line at 0."""
    if contrast.estimate is None:
        return ""
    middle = HEIGHT / 2
    said, line = f"{contrast.estimate:+.3f}", ""
    if contrast.lo is not None and contrast.hi is not None:
        lo, hi = contrast.lo, contrast.hi
        said += f", {contrast.level:.0%} interval {lo:.3f} to {hi:.3f}"
        line = _line("ci", _share(lo, reach), _share(hi, reach), middle, middle)
    at = _x(_share(contrast.estimate, reach))
    return (
        f'<svg role="img" aria-label="{said}; axis from {-reach:.2f} to {reach:.2f}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        + _line("axis", 0, 1, middle, middle)
        + "".join(_line("axis", at, at, middle - 3, middle + 3) for at in (0, 1))
        + _line("chance", 0.5, 0.5, 1, HEIGHT - 1)
        + line
        + f'<circle class="dot" cx="{at}" cy="{middle}" r="4"/></svg>'
    )


def reach_of(contrasts: Sequence[Contrast]) -> float:
    """How far an axis must go on both sides of 0 to hold all intervals, in steps of 0.05."""
    ends = [
        abs(end)
        for contrast in contrasts
        for end in (contrast.estimate, contrast.lo, contrast.hi)
        if end is not None
    ]
    return max(1, math.ceil(max(ends, default=0.0) * 20 - 1e-9)) / 20


def tree_svg(places: Sequence[Place]) -> str:
    """A dot for each run, one below the other, and a line from its parent to each child.

    What it shows is also said in words beside it.
    """
    width, height = STEP * (max(place.depth for place in places) + 1), ROW * len(places)
    drawn = [_node(number, place, places) for number, place in enumerate(places)]
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="--rows: {len(places)}">{"".join(drawn)}</svg>'
    )


def _node(number: int, place: Place, places: Sequence[Place]) -> str:
    x, y = STEP * (place.depth + 0.5), ROW * (number + 0.5)
    line = ""
    if place.parent is not None:
        above = places[place.parent]
        x0, y0 = STEP * (above.depth + 0.5), ROW * (place.parent + 0.5)
        line = f'<path class="branch" d="M{x0} {y0}V{y}H{x}"/>'
    return f'{line}<circle class="dot" cx="{x}" cy="{y}" r="5"/>'


def _share(change: float, reach: float) -> float:
    """Where a change stands between -reach (0) and reach (1)."""
    return (change / reach + 1) / 2


def _line(style: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{style}" x1="{_x(x1)}" x2="{_x(x2)}" y1="{y1}" y2="{y2}"/>'


def _x(value: float) -> float:
    """Horizontal place of a score; what leaves [0, 1] stays at the edge of the drawing."""
    return round(EDGE + min(1.0, max(0.0, value)) * (WIDTH - 2 * EDGE), 1)
