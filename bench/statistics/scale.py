"""The scale of scores: its bounds, and scores moved to [0, 1] and back.

Called by the intervals of this package, which are worked out on [0, 1] and given on the scale of
the scores, so that none leaves it.

>>> to_unit([0.0, 25.0, 100.0], (0.0, 100.0)).tolist(), from_unit(0.25, (0.0, 100.0))
([0.0, 0.25, 1.0], 25.0)
"""

import math
from collections.abc import Sequence

import numpy as np

Values = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Bounds = tuple[float, float]

UNIT: Bounds = (0.0, 1.0)
UNBOUNDED: Bounds = (-math.inf, math.inf)


def is_bounded(bounds: Bounds) -> bool:
    """Whether both ends are finite.

    Raises:
        ValueError: the lower end is not below the upper one.
    """
    low, high = bounds
    if not low < high:
        raise ValueError(f"bounds {low} and {high}: the first must be below the second")
    return math.isfinite(low) and math.isfinite(high)


def only_end(bounds: Bounds) -> float | None:
    """The finite end of a scale that has one, as amounts from 0 to infinity do."""
    ends = [end for end in bounds if math.isfinite(end)]
    return ends[0] if len(ends) == 1 else None


def to_unit(values: Sequence[float] | Values, bounds: Bounds) -> Values:
    """`values` [n] on [0, 1]; as they are where the scale has not two ends.

    Raises:
        ValueError: a value lies outside the bounds, or is not a number.
    """
    y = np.asarray(values, dtype=float)
    low, high = bounds
    for value in y[~((low <= y) & (y <= high))][:1]:
        raise ValueError(f"the score {value} lies outside [{low}, {high}]")
    return (y - low) / (high - low) if is_bounded(bounds) else y


def from_unit(value: float, bounds: Bounds) -> float:
    """`value` in [0, 1] on the scale of the scores; as it is where that has not two ends."""
    low, high = bounds
    # Rounding can pass the edge by an ulp.
    return min(high, low + (high - low) * value) if is_bounded(bounds) else value
