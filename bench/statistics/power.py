"""Power: how many items a difference needs, and the smallest difference that items can show.

Printed beside every difference that is not significant: with 100 items whose differences have a
standard deviation of 0.5, a true change below 0.14 is missed more than once in five times.

>>> round(mde(0.5, 100), 3), items_needed(0.03, paired_deviation(0.5, 0.5))
(0.14, 2181)
"""

import math

from scipy import special


def paired_deviation(rate: float, correlation: float) -> float:
    """Standard deviation of the difference of two zeros or ones of equal `rate`.

    Var(d) = 2 p (1 - p) (1 - rho), where rho is the correlation of the two models' scores.
    """
    return math.sqrt(2 * rate * (1 - rate) * (1 - correlation))


def items_needed(
    difference: float,
    deviation: float,
    level: float = 0.95,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Items for a two-sided test at `level` to find a true `difference` with probability `power`.

    n = (z_{1 - a/2} + z_power)^2 sd^2 / difference^2, times the design effect of clusters (Miller
    2024, arXiv 2411.00640, eq. 9); `deviation` is the standard deviation of one item's difference.

    Raises:
        ValueError: the difference is 0.
    """
    if difference == 0:
        raise ValueError("no number of items finds a difference of 0")
    needed = (_reach(level, power) * deviation / difference) ** 2 * design_effect
    return max(2, math.ceil(needed))


def mde(
    deviation: float,
    n_items: int,
    level: float = 0.95,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float:
    """The minimum detectable effect: `n_items` find it with probability `power`.

    Raises:
        ValueError: no items.
    """
    if n_items < 1:
        raise ValueError(f"{n_items} items")
    return _reach(level, power) * deviation * math.sqrt(design_effect / n_items)


def mde_among(effect: float, tests: int, level: float = 0.95, power: float = 0.8) -> float:
    """The minimum detectable `effect` of one test, when it is one of so many `tests` and must pass
    the first step of Holm's adjustment: the level / their number.

    Raises:
        ValueError: no tests.
    """
    if tests < 1:
        raise ValueError(f"{tests} tests")
    return effect * _reach(1 - (1 - level) / tests, power) / _reach(level, power)


def _reach(level: float, power: float) -> float:
    return float(special.ndtri((1 + level) / 2) + special.ndtri(power))
