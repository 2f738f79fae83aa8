"""Inline SVG: an interval as a bar with a dot on a scale from 0 to 1."""

from bench.types import Cell

WIDTH, HEIGHT, EDGE = 168, 18, 5


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


def _line(style: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{style}" x1="{_x(x1)}" x2="{_x(x2)}" y1="{y1}" y2="{y2}"/>'


def _x(value: float) -> float:
    """Horizontal place of a score; what leaves [0, 1] stays at the edge of the drawing."""
    return round(EDGE + min(1.0, max(0.0, value)) * (WIDTH - 2 * EDGE), 1)
