"""Confidence intervals of one mean: Wilson for proportions, t otherwise, clustered where rows are.

>>> round(wilson(27, 30).lo, 4), round(wilson(27, 30).hi, 4)
(0.7438, 0.9654)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

Method = Literal["wilson", "t", "wilson_clustered", "t_clustered", "none"]
FEW_CLUSTERS = 20
NOTHING = 1e-12  # a standard error below this is the rounding of equal values


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with bounds; bounds are None where the data cannot give any (one item)."""

    estimate: float
    lo: float | None
    hi: float | None
    method: Method
    warnings: tuple[str, ...] = ()


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4).

    Raises:
        ValueError: n is 0, or successes lies outside [0, n].
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} successes of {n}")
    return _wilson(successes / n, n, level, "wilson")


def mean_interval(
    values: Sequence[float], clusters: Sequence[str] | None = None, level: float = 0.95
) -> Interval:
    """Interval of the mean of `values` [n] in [0, 1]; `clusters` [n] names what is not independent.

    The standard error is CR1 cluster-robust (Liang & Zeger 1986), which for independent items is
    the usual one: SE = sqrt(G / (G - 1) * sum_g (sum_{i in g} e_i)^2) / n.
    Proportions get Wilson's interval, where rows are clustered with the effective sample size
    p (1 - p) / SE^2 times (t_{n-1} / t_{G-1})^2 (Korn & Graubard 1998); graded scores get t with
    G - 1 degrees of freedom, or the effective Wilson interval where t would leave [0, 1].

    Raises:
        ValueError: no values.
    """
    y = np.asarray(values, dtype=float)
    if y.size == 0:
        raise ValueError("no values")
    names = list(clusters) if clusters is not None else [str(place) for place in range(y.size)]
    groups, mean = len(set(names)), float(y.mean())
    clustered = groups < y.size
    proportion = bool(np.isin(y, (0.0, 1.0)).all())
    if proportion and not clustered:
        return _wilson(mean, y.size, level, "wilson")
    if groups < 2:
        return Interval(mean, None, None, "none", ("one independent item: no interval",))
    error = clustered_error(y - mean, names)
    few = clustered and groups < FEW_CLUSTERS
    warnings = (f"only {groups} clusters: the interval may be too narrow",) if few else ()
    quantile = float(stats.t.ppf((1 + level) / 2, groups - 1))
    half, varies = quantile * error, error > NOTHING
    if varies and not proportion and mean - half >= 0 and mean + half <= 1:
        return Interval(mean, mean - half, mean + half, _named("t", clustered), warnings)
    items = min(float(y.size), mean * (1 - mean) / error**2) if varies else float(groups)
    effective = items * (float(stats.t.ppf((1 + level) / 2, y.size - 1)) / quantile) ** 2
    return _wilson(mean, effective, level, _named("wilson", clustered), warnings)


def clustered_error(
    residuals: "np.ndarray[tuple[int], np.dtype[np.float64]]", clusters: Sequence[str]
) -> float:
    """CR1 standard error of a mean from `residuals` [n] around it; two `clusters` [n] or more.

    Liang & Zeger 1986; the formula stands at `mean_interval`.
    """
    names, group = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(group, weights=residuals)
    return math.sqrt(names.size / (names.size - 1) * float((sums**2).sum())) / residuals.size


def _wilson(
    rate: float, n: float, level: float, method: Method, warnings: tuple[str, ...] = ()
) -> Interval:
    """Wilson's interval of `rate` at a sample size that need not be whole."""
    z = float(stats.norm.ppf((1 + level) / 2))
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # The bounds lie around the rate and inside [0, 1] but for rounding.
    lo = 0.0 if rate == 0.0 else min(rate, max(0.0, centre - half))
    hi = 1.0 if rate == 1.0 else max(rate, min(1.0, centre + half))
    return Interval(rate, lo, hi, method, warnings)


def _named(method: Literal["t", "wilson"], clustered: bool) -> Method:
    table: dict[str, Method] = {"t": "t_clustered", "wilson": "wilson_clustered"}
    return table[method] if clustered else method
