"""Inline SVG: several metrics over the steps of training, raw points faint under a running mean.

Called by `bench.reporting.curves`. Lines are told apart by their classes `line-0`, `line-1`, ...,
to which the page gives colours.

>>> running_mean([1.0, 6.0, 5.0], 2)
[1.0, 4.0, 5.0]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite

WIDTH, HEIGHT = 340, 170
LEFT, RIGHT, TOP, BOTTOM = 60, 8, 10, 22
COLOURS = 9
WINDOW = 10  # the running mean covers this fraction of the points
MOST = 200  # points drawn of one line; more look the same and make the page heavy


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: its values [n] at ascending steps [n]; values that are not finite are counted in
    `not_finite` and left out."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    not_finite: int = 0


def make_series(name: str, points: Sequence[tuple[int, float]]) -> Series:
    """A Series of (step, value) pairs; of several at one step the last counts."""
    found = sorted((step, value) for step, value in dict(points).items() if isfinite(value))
    return Series(
        name=name,
        steps=tuple(step for step, _ in found),
        values=tuple(value for _, value in found),
        not_finite=len(dict(points)) - len(found),
    )


def lines_svg(series: Sequence[Series]) -> str:
    """A chart of all `series` on common axes, which say their least and greatest values."""
    drawn = [one for one in series if one.values]
    if not drawn:
        return ""
    steps = [step for one in drawn for step in one.steps]
    values = [value for one in drawn for value in one.values]
    box = _Box(min(steps), max(steps), min(values), max(values))
    lines = [
        f'<g class="line-{number % COLOURS}{" dashed" if number >= COLOURS else ""}">'
        f"{_line(one, box)}</g>"
        for number, one in enumerate(series)
        if one.values
    ]
    said = f"steps {box.first} to {box.last}, values {short(box.low)} to {short(box.high)}"
    return (
        f'<svg role="img" aria-label="{said}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
        + _label("end", LEFT - 6, TOP + 4, short(box.high))
        + _label("end", LEFT - 6, HEIGHT - BOTTOM, short(box.low))
        + _label("start", LEFT, HEIGHT - 6, f"step {box.first}")
        + _label("end", WIDTH - RIGHT, HEIGHT - 6, str(box.last))
        + "".join(lines)
        + "</svg>"
    )


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean around each value: `window` // 2 values on both sides, near the ends fewer.

    There are always as many on one side as on the other, so a line that rises is not drawn late.
    """
    sums, n = [0.0, *accumulate(values)], len(values)
    sides = [min(window // 2, at, n - 1 - at) for at in range(n)]
    return [
        (sums[at + side + 1] - sums[at - side]) / (2 * side + 1) for at, side in enumerate(sides)
    ]


def short(value: float) -> str:
    """Three digits, as on an axis."""
    return f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Box:
    """The ranges of both axes."""

    first: int
    last: int
    low: float
    high: float

    def place(self, step: int, value: float) -> str:
        """Where a point is drawn; what does not vary lies in the middle."""
        across = _share(step, self.first, self.last)
        up = _share(value, self.low, self.high)
        x = LEFT + 4 + across * (WIDTH - LEFT - RIGHT - 8)
        y = HEIGHT - BOTTOM - 4 - up * (HEIGHT - TOP - BOTTOM - 4)
        return f"{x:.1f} {y:.1f}"


def _line(series: Series, box: _Box) -> str:
    """Points as strokes of no length with round ends, and the running mean as a path."""
    n = len(series.values)
    means = running_mean(series.values, n // WINDOW)
    drawn = min(n, MOST)
    shown = [round(number * (n - 1) / max(1, drawn - 1)) for number in range(drawn)]
    raw = [box.place(series.steps[at], series.values[at]) for at in shown]
    mean = [box.place(series.steps[at], means[at]) for at in shown]
    points = "".join(f"M{place}h0" for place in raw)
    return f'<path class="raw" d="{points}"/><path class="mean" d="M{"L".join(mean)}h0"/>'


def _share(value: float, low: float, high: float) -> float:
    # Halves, as the distance of two floats may be more than a float holds.
    return 0.5 if low == high else (value / 2 - low / 2) / (high / 2 - low / 2)


def _label(anchor: str, x: int, y: int, text: str) -> str:
    return f'<text class="label" text-anchor="{anchor}" x="{x}" y="{y}">{text}</text>'
