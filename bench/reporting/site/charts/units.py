"""Scores and differences of a metric on an axis: in points, with better on the right.

Called by the charts of differences and of scores. A metric from 0 to 1 is shown in points, x 100;
a difference of another one is drawn as points of its range and written in its own unit.

>>> unit = unit_of(Metric("toxicity", lower_is_better=True))
>>> unit.place(0.031), unit.number(0.031)
(-3.1, '3.1')
"""

from dataclasses import dataclass

from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.say import say, spoken
from bench.reporting.site.charts.words import finite, plain, short

POINTS = 100.0


@dataclass(frozen=True, slots=True)
class Unit:
    """`sign` is -1 where lower is better; `low` and `span` are those of the metric, `span` 0 where
    it is not bounded, so that nothing can be drawn on a common axis."""

    sign: float
    low: float
    span: float

    @property
    def scale(self) -> float:
        """What a score is multiplied by to be shown."""
        return POINTS if self.in_points else 1.0

    @property
    def in_points(self) -> bool:
        """Whether the metric goes from 0 to 1."""
        return (self.low, self.span) == (0.0, 1.0)

    def place(self, difference: float) -> float:
        """A difference in points of the metric's range, better above 0; 0 without a range."""
        return self.sign * POINTS * difference / self.span if self.span else 0.0

    def placed(self, dot: Dot) -> Dot:
        """A difference with its bounds as `place` has it, nothing without a range."""
        return dot.each(self.place) if self.span else Dot(None)

    def number(self, value: float) -> str:
        """A score, or a distance between scores, as text."""
        return plain(POINTS * value) if self.in_points else short(value)

    def share(self, dot: Dot) -> Dot:
        """A score as points between the metric's worst and its best; nothing without a range."""
        return dot.each(self._share) if self.span else Dot(None)

    def _share(self, value: float) -> float:
        share = POINTS * (value - self.low) / self.span
        return share if self.sign > 0 else POINTS - share


def axis_name(metric: Metric) -> str:
    """`accuracy, points`; says so where lower is better."""
    name = spoken(metric.name) or say("score")
    axis = say("{metric}, points", metric=name) if unit_of(metric).in_points else name
    return say("{axis}, lower is better", axis=axis) if metric.lower_is_better else axis


def unit_of(metric: Metric) -> Unit:
    """How scores of `metric` are drawn and written."""
    low, high = finite(metric.low), finite(metric.high)
    bounded = low is not None and high is not None and high > low
    return Unit(
        sign=-1.0 if metric.lower_is_better else 1.0,
        low=low if bounded and low is not None else 0.0,
        span=high - low if bounded and low is not None and high is not None else 0.0,
    )
