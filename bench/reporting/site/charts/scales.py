"""Scales: where a value is drawn between two ends, and round values to write beside the axis.

Called by every chart with axes. What lies outside a scale is drawn at its end, never beyond.

>>> scale = linear([3.0, 17.0], 0, 100)
>>> scale.ticks, scale.at(10)
((0.0, 5.0, 10.0, 15.0, 20.0), 50.0)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `start` to `end` (either way round)."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; with a logarithmic scale it must be positive."""
        value = min(self.high, max(self.low, value))
        if self.logarithmic:
            share = log10(value / self.low) / log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def linear(
    values: Iterable[float],
    start: float,
    end: float,
    most: int = 6,
    within: tuple[float, float] | None = None,
) -> Scale:
    """A scale from a round value below all `values` to one above, with about `most` ticks.

    `within` are bounds that the axis need not leave, as long as no value does.
    """
    found = list(values)
    low, high = _apart(min(found, default=0.0), max(found, default=1.0))
    step = _step((high - low) / most)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    ticks = [step * place for place in range(first, last + 1)]
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    if within and within[0] <= min(found, default=0.0) and max(found, default=1.0) <= within[1]:
        low, high = max(low, within[0]), min(high, within[1])
    slack = step * 1e-6
    kept = tuple(tick for tick in ticks if low - slack <= tick <= high + slack)
    return Scale(low, high, start, end, kept)


def logarithmic(values: Sequence[float], start: float, end: float, most: int = 6) -> Scale:
    """A logarithmic scale around positive `values` with a tenth of its length free at both ends.

    Ticks are the values themselves where there are at most `most`, else powers of ten.
    """
    low, high = min(values, default=1.0), max(values, default=10.0)
    pad = max(0.15, log10(high / low) / 8)
    low, high = low * 10**-pad, high * 10**pad
    own = sorted(set(values))
    return Scale(
        low, high, start, end, tuple(own if len(own) <= most else _powers(low, high, most)), True
    )


def _apart(low: float, high: float) -> tuple[float, float]:
    """The ends of a range; where nothing varies, some room around the value."""
    if high - low > 1e-9 * max(abs(low), abs(high), 1e-300):
        return low, high
    room = abs(high) * 0.1 or 0.5
    return low - room, high + room


def _step(least: float) -> float:
    """The first of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(power * times for times in ROUND if power * times >= least * (1 - 1e-9))


def _powers(low: float, high: float, most: int) -> list[float]:
    first, last = ceil(log10(low)), floor(log10(high))
    every = max(1, ceil((last - first + 1) / most))
    powers = [10.0**power for power in range(first, last + 1, every)]
    return powers if len(powers) > 1 else [low, high]
