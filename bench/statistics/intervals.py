"""Confidence intervals of one mean: Wilson for proportions, t otherwise, clustered where rows are.

Called by `bench.reporting.cells` and by the other intervals of this package.

>>> round(wilson(27, 30).lo, 4), round(wilson(27, 30).hi, 4)
(0.7438, 0.9654)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from bench.statistics.clusters import FEW_CLUSTERS, clustered_error, names_of
from bench.statistics.scale import UNIT, Bounds, Values, from_unit, is_bounded, only_end, to_unit

Method = Literal[
    "wilson",
    "t",
    "wilson_clustered",
    "t_clustered",
    "log_t",
    "log_t_clustered",
    "clopper_pearson",
    "beta_credible",
    "bootstrap_bca",
    "bootstrap_smoothed",
    "bootstrap_two_level",
    "none",
]
BY_T: tuple[Method, ...] = ("t", "t_clustered", "log_t", "log_t_clustered")
FAR = 700.0  # exp of more is infinite
NOTHING = 1e-12  # a standard error below this share of the scale is the rounding of equal values


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with bounds of confidence `level`, None where the data cannot give any.

    `se` is the standard error (CR1 where clustered; None for one independent item), `df` the
    degrees of freedom of the t behind the bounds, `seed` that of the draws behind them. `n_items`
    counts values and `n_clusters` what is independent among them; both are None for an estimate
    that is no mean of items.
    """

    estimate: float
    lo: float | None
    hi: float | None
    method: Method
    warnings: tuple[str, ...] = ()
    level: float = 0.95
    se: float | None = None
    df: int | None = None
    n_items: int | None = None
    n_clusters: int | None = None
    seed: int | None = None


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4).

    Raises:
        ValueError: n is 0, or successes lies outside [0, n].
    """
    _check_counts(successes, n)
    return _proportion(successes, n, level, "wilson", *_wilson(successes / n, n, level))


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Interval of a proportion that never covers less than `level` (Clopper & Pearson 1934).

    Raises:
        ValueError: n is 0, or successes lies outside [0, n].
    """
    _check_counts(successes, n)
    tail, failures = (1 - level) / 2, n - successes
    lo = float(special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    hi = float(special.betainccinv(successes + 1, failures, tail)) if failures else 1.0
    return _proportion(successes, n, level, "clopper_pearson", lo, hi)


def beta_credible(
    successes: int, n: int, level: float = 0.95, prior: tuple[float, float] = (1.0, 1.0)
) -> Interval:
    """Equal-tailed credible interval of a proportion ~ Beta(prior), uniform unless stated.

    Bowyer et al. 2025, arXiv 2503.01747. The estimate stays successes / n, which at the edges
    lies outside the interval.

    Raises:
        ValueError: n is 0, or successes lies outside [0, n].
    """
    _check_counts(successes, n)
    tail, a, b = (1 - level) / 2, successes + prior[0], n - successes + prior[1]
    lo, hi = float(special.betaincinv(a, b, tail)), float(special.betainccinv(a, b, tail))
    return _proportion(successes, n, level, "beta_credible", lo, hi)


def mean_interval(
    values: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    bounds: Bounds = UNIT,
) -> Interval:
    """Interval of the mean of `values` [n]; `clusters` [n] names what is not independent.

    The standard error is CR1 (`bench.statistics.clusters`). Proportions, whose values all lie on
    the two `bounds`, get Wilson's interval, where rows are clustered with the effective sample
    size p (1 - p) / SE^2 times (t_{n-1} / t_{G-1})^2 (Korn & Graubard 1998); graded scores get t
    with G - 1 degrees of freedom, or the effective Wilson interval where t would leave the bounds.
    On a scale with one end, where t would pass it, t holds on the logarithm of the distance from it
    (delta method): distance times exp(-+ t SE / distance).

    Raises:
        ValueError: no values, a value outside the bounds, or not as many clusters as values.
    """
    y = to_unit(values, bounds)
    if y.size == 0:
        raise ValueError("no values")
    names = names_of(clusters, y.size)
    groups, mean = len(set(names)), float(y.mean())
    proportion = is_bounded(bounds) and bool(np.isin(y, (0.0, 1.0)).all())
    if proportion and groups == y.size:
        return _rescaled(wilson(int(y.sum()), y.size, level), bounds)
    error = clustered_error(y - mean, names) if groups > 1 else None
    method, lo, hi = _bounds_of_mean(y, groups, error, level, proportion, bounds)
    found = Interval(
        estimate=mean,
        lo=lo,
        hi=hi,
        method=method,
        warnings=_warnings(y.size, groups, method),
        level=level,
        se=error,
        df=groups - 1 if method in BY_T else None,
        n_items=y.size,
        n_clusters=groups,
    )
    return _rescaled(found, bounds)


def _bounds_of_mean(
    y: Values, groups: int, error: float | None, level: float, proportion: bool, bounds: Bounds
) -> tuple[Method, float | None, float | None]:
    """Method and bounds on the unit scale, which `y` [n] is on unless it has not two ends."""
    clustered, mean, bounded = groups < y.size, float(y.mean()), is_bounded(bounds)
    if error is None:
        return "none", None, None
    quantile = float(special.stdtrit(groups - 1, (1 + level) / 2))
    half = quantile * error
    varies = error > NOTHING * (1.0 if bounded else float(np.abs(y).max()))
    low, high = UNIT if bounded else bounds
    inside = mean - half >= low and mean + half <= high
    if varies and not proportion and inside:
        return _named("t", clustered), mean - half, mean + half
    if not bounded:
        return (
            _past_the_end(mean, half, only_end(bounds), clustered)
            if varies
            else ("none", None, None)
        )
    items = min(float(y.size), mean * (1 - mean) / error**2) if varies else float(groups)
    effective = items * (float(special.stdtrit(y.size - 1, (1 + level) / 2)) / quantile) ** 2
    return _named("wilson", clustered), *_wilson(mean, effective, level)


def _past_the_end(
    mean: float, half: float, end: float | None, clustered: bool
) -> tuple[Method, float, float]:
    """Bounds where t would pass the one `end` of the scale."""
    assert end is not None
    distance = mean - end
    power = min(half / abs(distance), FAR)
    one, other = (end + distance * math.exp(side * power) for side in (-1, 1))
    return _named("log_t", clustered), min(one, other), max(one, other)


def _rescaled(found: Interval, bounds: Bounds) -> Interval:
    """`found` from the unit scale on the scale of the scores."""
    if bounds == UNIT or not is_bounded(bounds):
        return found
    return replace(
        found,
        estimate=from_unit(found.estimate, bounds),
        lo=None if found.lo is None else from_unit(found.lo, bounds),
        hi=None if found.hi is None else from_unit(found.hi, bounds),
        se=None if found.se is None else found.se * (bounds[1] - bounds[0]),
    )


def _warnings(items: int, groups: int, method: Method) -> tuple[str, ...]:
    if method == "none":
        few = "one independent item: no interval"
        return (few if groups < 2 else "equal values on a scale without bounds: no interval",)
    if groups < min(items, FEW_CLUSTERS):
        return (f"only {groups} clusters: the interval may be too narrow",)
    return ()


def _check_counts(successes: int, n: int) -> None:
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} successes of {n}")


def _proportion(
    successes: int, n: int, level: float, method: Method, lo: float, hi: float
) -> Interval:
    rate = successes / n
    return Interval(
        estimate=rate,
        lo=lo,
        hi=hi,
        method=method,
        level=level,
        se=math.sqrt(rate * (1 - rate) / (n - 1)) if n > 1 else None,
        n_items=n,
        n_clusters=n,
    )


def _wilson(rate: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's bounds of `rate` at a sample size that need not be whole."""
    z = float(special.ndtri((1 + level) / 2))
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # The bounds lie around the rate and inside [0, 1] but for rounding.
    lo = 0.0 if rate == 0.0 else min(rate, max(0.0, centre - half))
    hi = 1.0 if rate == 1.0 else max(rate, min(1.0, centre + half))
    return lo, hi


def _named(method: Literal["t", "log_t", "wilson"], clustered: bool) -> Method:
    table: dict[str, Method] = {
        "t": "t_clustered",
        "log_t": "log_t_clustered",
        "wilson": "wilson_clustered",
    }
    return table[method] if clustered else method
