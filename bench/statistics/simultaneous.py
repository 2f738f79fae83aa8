"""Intervals of several estimates that hold all at once, by the largest |t| among them (max-t).

Called by the reports for intervals that are compared on one page, and by `bench.statistics.ranks`
and `selection`. Narrower than Bonferroni's, the more so where estimates rise and fall together:

>>> one, other = simultaneous_intervals([0.1, 0.3], [[0.01, 0.009], [0.009, 0.01]])
>>> round(one.lo, 2), round(one.hi, 2), round(one.p, 2)
(-0.11, 0.31, 0.4)
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bench.statistics.covariance import Array
from bench.statistics.draws import centred_draws, seed_of

AT_ONCE = 300_000  # numbers at a time: they stay in the cache
SAME = 1e-12  # of the variances of two estimates, what rounding leaves where they are one


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """One of several estimates; the intervals of the whole family hold at once with `level`.

    `p` is adjusted: how probable it is, were all true values 0, that any estimate of the family
    lies so many standard errors from 0. Bounds and `p` are None where the standard error is 0.
    """

    estimate: float
    se: float
    lo: float | None
    hi: float | None
    level: float
    method: Literal["max_t"]
    p: float | None


@dataclass(frozen=True, slots=True)
class LargestT:
    """Draws, sorted, of the largest |t| among `comparisons` of estimates whose true values are 0.

    Whatever the covariance, it lies between the |t| of one comparison and that of as many
    independent ones (Sidak 1967): the noise of the draws is kept between the two.
    """

    draws: Array
    comparisons: int
    degrees: float

    def critical(self, level: float) -> float:
        """How many standard errors intervals reach to each side to hold at once with `level`."""
        one = float(stats.t.isf((1 - level) / 2, self.degrees))
        apart = float(stats.t.isf((1 - level ** (1 / self.comparisons)) / 2, self.degrees))
        return min(max(float(np.quantile(self.draws, level)), one), apart)

    def p_values(self, statistics: Array) -> Array:
        """How probable a largest |t| of at least each of `statistics` [K] is."""
        one = 2 * stats.t.sf(statistics, self.degrees)
        with np.errstate(divide="ignore"):  # log1p(-1) where a statistic is 0
            apart = -np.expm1(self.comparisons * np.log1p(-one))
        above = 1 - np.searchsorted(self.draws, statistics) / self.draws.size
        return np.clip(above, one, apart)


def simultaneous_intervals(
    estimates: ArrayLike,
    covariance: ArrayLike,
    level: float = 0.95,
    degrees: float = math.inf,
    seed: int | None = None,
) -> list[Simultaneous]:
    """Intervals of `estimates` [M] with `covariance` [M, M] that hold all at once.

    `degrees` of freedom are clusters - 1 for a covariance from clusters; `seed` is derived from
    the covariance unless given. Intervals are symmetric: for differences, not for rates near 0
    or 1.

    Raises:
        ValueError: the shapes of estimates and covariance do not fit.
    """
    means, spread = checked(estimates, covariance)
    errors = np.sqrt(np.diag(spread))
    largest = largest_t(spread, np.eye(means.size), degrees, seed)
    p_values = largest.p_values(np.abs(means) / np.where(errors > 0, errors, 1.0))
    critical, found = largest.critical(level), []
    for mean, error, p in zip(means.tolist(), errors.tolist(), p_values.tolist(), strict=True):
        lo, hi = mean - critical * error, mean + critical * error
        known = Simultaneous(mean, error, lo, hi, level, "max_t", p)
        found.append(known if error > 0 else replace(known, lo=None, hi=None, p=None))
    return found


def largest_t(
    covariance: Array, contrasts: Array, degrees: float = math.inf, seed: int | None = None
) -> LargestT:
    """The largest |t| among `contrasts` [P, M] of M estimates; those that do not vary are left out.

    For a covariance from clusters the draws are those of the Gaussian multiplier bootstrap over
    clusters (Chernozhukov, Chetverikov & Kato 2013, Annals of Statistics 41:2786), each divided by
    the root of one chi-squared with clusters - 1 `degrees` of freedom.
    """
    errors = contrast_errors(covariance, contrasts)
    scaled = contrasts[errors > 0] / errors[errors > 0, None]
    drawn = centred_draws(covariance, seed_of(covariance) if seed is None else seed, degrees)
    step = max(1, AT_ONCE // max(1, len(scaled)))
    parts = [drawn[start : start + step] @ scaled.T for start in range(0, len(drawn), step)]
    largest = np.concatenate([np.abs(part).max(axis=1, initial=0.0) for part in parts])
    return LargestT(np.sort(largest), max(1, len(scaled)), degrees)


def contrast_errors(covariance: Array, contrasts: Array) -> Array:
    """Standard errors [P] of `contrasts` [P, M]; 0 where only rounding is left."""
    variances = ((contrasts @ covariance) * contrasts).sum(axis=1)
    apart = contrasts**2 @ np.diag(covariance)
    return np.sqrt(np.where(variances > SAME * apart, variances, 0.0))


def checked(estimates: ArrayLike, covariance: ArrayLike) -> tuple[Array, Array]:
    """Both as arrays [M] and [M, M].

    Raises:
        ValueError: their shapes do not fit, or a number is not finite.
    """
    means = np.asarray(estimates, dtype=np.float64)
    spread = np.asarray(covariance, dtype=np.float64)
    if means.ndim != 1 or not means.size or spread.shape != (means.size, means.size):
        raise ValueError(f"estimates of shape {means.shape}, covariance of shape {spread.shape}")
    if not (np.isfinite(means).all() and np.isfinite(spread).all()):
        raise ValueError("an estimate or a covariance is missing")
    return means, spread
