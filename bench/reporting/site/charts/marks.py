"""A model on a plane: its mark, with whiskers over its intervals.

Called by `sizes` and `scatter`.
"""

from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.plane import Plane
from bench.reporting.site.charts.shapes import line
from bench.reporting.site.charts.stages import mark, stage_class


def spot(stage: str, across: Dot, up: Dot, plane: Plane, aside: float = 0.0) -> str:
    """The mark of a stage with a whisker for each interval, `aside` pixels to the right; both
    estimates must be known."""
    x, y = plane.at(across.estimate or 0.0, up.estimate or 0.0)
    style = f"whisker {stage_class(stage)}"
    drawn = ""
    if up.lo is not None and up.hi is not None:
        drawn += line(style, x + aside, plane.y.at(up.lo), x + aside, plane.y.at(up.hi))
    if across.lo is not None and across.hi is not None:
        drawn += line(style, plane.x.at(across.lo), y, plane.x.at(across.hi), y)
    return drawn + mark(stage, x + aside, y)
