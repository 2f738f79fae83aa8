"""Inline SVG: an interval as a bar with a dot on a scale from 0 to 1."""

from bench.types import Cell

WIDTH, HEIGHT, EDGE = 150, 18, 4


def interval_svg(cell: Cell) -> str:
    """Dot at the estimate, line over the interval, tick at chance; empty without an estimate."""
    if cell.estimate is None:
        return ""
    middle = HEIGHT / 2
    bounds = cell.lo is not None and cell.hi is not None
    line = (
        f'<line class="ci" x1="{_x(cell.lo or 0.0)}" x2="{_x(cell.hi or 0.0)}" '
        f'y1="{middle}" y2="{middle}"/>'
        if bounds
        else ""
    )
    said = f"{cell.estimate:.3f}"
    if bounds:
        said += f", 95% interval {cell.lo:.3f} to {cell.hi:.3f}"
    return (
        f'<svg role="img" aria-label="{said}; chance {cell.chance:.2f}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<line class="axis" x1="{_x(0)}" x2="{_x(1)}" y1="{middle}" y2="{middle}"/>'
        f'<line class="chance" x1="{_x(cell.chance)}" x2="{_x(cell.chance)}" y1="3" '
        f'y2="{HEIGHT - 3}"/>{line}'
        f'<circle class="dot" cx="{_x(cell.estimate)}" cy="{middle}" r="4"/></svg>'
    )


def _x(value: float) -> float:
    """Horizontal place of a score; what leaves [0, 1] stays at the edge of the drawing."""
    return round(EDGE + min(1.0, max(0.0, value)) * (WIDTH - 2 * EDGE), 1)
