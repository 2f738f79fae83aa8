"""A plane of two axes with their grid, ticks and names, and what stands below it.

Called by the charts of scores against something: sizes, lengths, costs, stages.

    plane = Plane(x=linear(...), y=linear(...))
    plane.drawn("parameters", "accuracy, points", compact, short)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.chart import LINE
from bench.reporting.site.charts.scales import Scale
from bench.reporting.site.charts.shapes import Point, line, rect, text
from bench.reporting.site.charts.stages import mark, stage_word
from bench.reporting.site.charts.words import SMALL, fitted, width_of

TOP, LEFT, FOOT = 34.0, 46.0, 44.0  # pixels around the plane for ticks and names
BEYOND = 14.0  # pixels that the last tick may reach beyond the plane


@dataclass(frozen=True, slots=True)
class Plane:
    """Both scales; `y` runs upward."""

    x: Scale
    y: Scale

    def at(self, across: float, up: float) -> Point:
        """The pixel of a pair of values."""
        return self.x.at(across), self.y.at(up)

    def drawn(
        self,
        x_name: str,
        y_name: str,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
    ) -> str:
        """Grid, ticks and the names of both axes."""
        left, right, top, bottom = self.x.start, self.x.end, self.y.end, self.y.start
        drawn = [text(8, top - 16, fitted(y_name, right - 8, SMALL), "soft")]
        for tick in self.y.ticks:
            drawn.append(line("grid", left, self.y.at(tick), right, self.y.at(tick)))
            drawn.append(
                text(
                    left - 6,
                    self.y.at(tick) + 4,
                    fitted(y_text(tick), left - 8, SMALL),
                    "soft",
                    "end",
                )
            )
        free = left - 20.0
        for tick in self.x.ticks:
            x, words = self.x.at(tick), x_text(tick)
            drawn.append(line("axis", x, bottom, x, bottom + 4))
            half = width_of(words, SMALL) / 2
            middle = min(x, right + BEYOND - half)
            if middle - half > free:
                drawn.append(text(middle, bottom + 17, words, "soft", "middle"))
                free = middle + half + 4
        name = fitted(x_name, right - left, SMALL)
        drawn.append(text(right, bottom + 34, name, "soft", "end"))
        drawn.append(line("axis", left, bottom, right, bottom))
        return "".join(drawn)


def stage_legend(stages: Sequence[str], x: float, y: float, room: float) -> tuple[str, float]:
    """Shape and word of each stage in rows of at most `room` pixels, and their height."""
    drawn, across, down = [], x, y
    for stage in stages:
        word = stage_word(stage)
        width = 22 + width_of(word, SMALL)
        if across > x and across + width > x + room:
            across, down = x, down + LINE + 2
        drawn.append(mark(stage, across + 6, down + 8, 4.5))
        drawn.append(text(across + 15, down + 12, fitted(word, room - 22, SMALL), "small"))
        across += width + 8
    return "".join(drawn), (down - y + LINE + 4 if stages else 0.0)


def box(style: str, one: Point, other: Point) -> str:
    """A box by two opposite corners."""
    left, right = sorted((one[0], other[0]))
    top, bottom = sorted((one[1], other[1]))
    return rect(style, left, top, right - left, bottom - top)
