"""The mark of one score inside a table: its estimate and interval between the ends of the metric.

Called by the tables of the pages, once a cell; it is said in words beside it, so it has no ids.

    interval_svg(score)    '<svg class="chart glyph" role="img" aria-label="61.3 [52.0, 69.4]; ...'
"""

from bench.reporting.comparison.scores import Score
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.scales import Scale
from bench.reporting.site.charts.shapes import circle, line
from bench.reporting.site.charts.units import unit_of
from bench.reporting.site.charts.words import escaped
from bench.reporting.site.digits import shown

WIDTH, HEIGHT, EDGE = 120, 18, 6.0


def interval_svg(score: Score) -> str:
    """Line over the interval, dot at the estimate, a tall tick at chance; "" where there is no
    estimate or the metric has no range. The worst score is on the left."""
    metric, unit = score.metric, unit_of(score.metric)
    dot = Dot(score.estimate, score.lo, score.hi).known()
    placed, middle = unit.share(dot), HEIGHT / 2
    if dot.estimate is None or placed.estimate is None:
        return ""
    scale = Scale(0, 100, EDGE, WIDTH - EDGE)
    drawn = line("axis", scale.start, middle, scale.end, middle)
    drawn += "".join(line("axis", x, middle - 3, x, middle + 3) for x in (scale.start, scale.end))
    told = shown(dot.estimate, dot.lo, dot.hi, unit.scale, score.level)
    said = f"{told.value} {told.interval}" if told.interval else told.value
    chance = unit.share(Dot(metric.chance).known()).estimate
    if chance is not None:
        drawn += line("chance", scale.at(chance), 1, scale.at(chance), HEIGHT - 1)
        said += f"; chance {unit.number(metric.chance)}"
    if placed.lo is not None and placed.hi is not None:
        drawn += line("interval", scale.at(placed.lo), middle, scale.at(placed.hi), middle)
    drawn += circle("dot", scale.at(placed.estimate), middle, 4)
    if metric.lower_is_better:
        said += "; lower is better, better is on the right"
    return (
        f'<svg class="chart glyph" role="img" aria-label="{escaped(said)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">{drawn}</svg>'
    )
