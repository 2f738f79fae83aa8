"""Bootstrap intervals of a mean: whole clusters drawn anew, BCa for many, smoothed for few.

For skewed graded scores, where the interval by t (`bench.statistics.intervals`) is symmetric and
they are not. Neither leaves the scale of the scores.

>>> found = bootstrap_interval([0.0] * 60 + [0.2, 0.4, 0.5, 0.9, 1.0])
>>> round(found.estimate, 3), round(found.lo, 2), round(found.hi, 2), found.method
(0.046, 0.02, 0.11, 'bootstrap_bca')
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from bench.statistics.clusters import cluster_totals
from bench.statistics.draws import seed_of
from bench.statistics.intervals import NOTHING, Interval, mean_interval
from bench.statistics.scale import (
    UNIT,
    Bounds,
    Matrix,
    Values,
    from_unit,
    is_bounded,
    only_end,
    to_unit,
)

DRAWS = 10_000
FEW_UNITS = 50  # below it the percentiles of plain draws lie too close together
SHUFFLES = 10
BLOCK = 2**17  # counts at a time: they stay in the cache


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int | None = None,
    bounds: Bounds = UNIT,
) -> Interval:
    """Interval of the mean of `values` [n]; `clusters` [n] are drawn whole.

    From 50 clusters (or independent items) on, bias-corrected and accelerated percentiles of the
    drawn means (Efron 1987, JASA 82:171). Below, plain percentiles of smoothed draws: each mean is
    spread by a Beta distribution around it, with the variance h^2 that normal noise of Scott's
    bandwidth on every cluster would add (h = 1.06 G^(-1/5) SE; Silverman & Young 1987, Biometrika
    74:469), which keeps the mean and cannot leave the scale; on a scale with one end the noise is
    log-normal, on one with none normal. Where nothing varies there is nothing
    to draw: that is `mean_interval`'s. The seed is made from the data unless one is given.

    Raises:
        ValueError: no values, a value outside the bounds, or not as many clusters as values.
    """
    plain = mean_interval(values, clusters, level, bounds)
    sums, sizes = cluster_totals(to_unit(values, bounds), clusters)
    if not _varies(sums, sizes):
        return plain
    used = seed_of(sums, sizes) if seed is None else seed
    random = np.random.default_rng(used)
    means = _drawn_means(sums, sizes, draws, random)
    few = sums.size < FEW_UNITS
    if few:
        means = _smoothed(means, sums, sizes, bounds, random)
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
    else:
        tails = _bca_tails(means, sums, sizes, level)
    lo, hi = (from_unit(float(bound), bounds) for bound in np.quantile(means, tails))
    return replace(
        plain,
        lo=min(lo, plain.estimate),
        hi=max(hi, plain.estimate),
        method="bootstrap_smoothed" if few else "bootstrap_bca",
        df=None,
        seed=used,
    )


def _drawn_means(sums: Values, sizes: Values, draws: int, random: np.random.Generator) -> Values:
    """Means [draws] of as many clusters as there are, drawn with replacement.

    Drawing is dear, so each row of counts (how often a cluster was drawn) is given to the clusters
    in ten random orders. Each is a fair draw, and two with the same counts are uncorrelated.
    """
    groups = sums.size
    orders = np.stack([random.permutation(groups) for _ in range(SHUFFLES)], axis=1)
    values, weights = sums[orders], sizes[orders]
    rows, means = -(-draws // SHUFFLES), []
    for start in range(0, rows, step := max(1, BLOCK // groups)):
        counts = _counts(min(step, rows - start), groups, random)
        means.append(((counts @ values) / (counts @ weights)).ravel())
    each = sums / sizes
    # Rounding can pass the range of the clusters' means by an ulp.
    return np.clip(np.concatenate(means)[:draws], each.min(), each.max())


def _counts(rows: int, groups: int, random: np.random.Generator) -> Matrix:
    """How often each of `groups` is among as many draws with replacement [rows, groups]."""
    drawn = random.integers(0, groups, (rows, groups))
    drawn += np.arange(0, rows * groups, groups)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=rows * groups)
    return counts.reshape(rows, groups).astype(np.float64)


def _varies(sums: Values, sizes: Values) -> bool:
    means = sums / sizes
    spread, reach = float(np.ptp(means)), float(np.abs(means).max())
    return spread > NOTHING * max(1.0, reach)


def _smoothed(
    means: Values, sums: Values, sizes: Values, bounds: Bounds, random: np.random.Generator
) -> Values:
    """`means` with noise around each, of standard deviation 1.06 G^(-1/5) SE."""
    # From the sorted totals, for a last bit that came with the order would change all draws.
    groups, n = sums.size, float(sizes.sum())
    mean = float(sums.sum()) / n
    squares = float(((sums - mean * sizes) ** 2).sum())
    spread = 1.06 * groups**-0.2 * math.sqrt(groups / (groups - 1) * squares) / n
    noisy = means.copy()
    if not is_bounded(bounds):
        end, noise = only_end(bounds), random.standard_normal(means.size)
        if end is None:
            noisy += spread * noise
            return noisy
        ratio = spread / (mean - end)
        noisy += (means - end) * np.expm1(ratio * noise - ratio**2 / 2)
        return noisy
    concentration = max(mean * (1 - mean) / spread**2 - 1, NOTHING)
    inner = (means > NOTHING) & (means < 1 - NOTHING)
    noisy[inner] = random.beta(concentration * means[inner], concentration * (1 - means[inner]))
    return noisy


def _bca_tails(means: Values, sums: Values, sizes: Values, level: float) -> Values:
    """The shares of draws below the two bounds; Efron 1987, eq. 3.9 and 6.6."""
    mean = sums.sum() / sizes.sum()
    tied = np.abs(means - mean) <= NOTHING * max(1.0, abs(mean))
    below = float(((means < mean) & ~tied).mean() + tied.mean() / 2)
    bias = float(special.ndtri(below))
    without = (sums.sum() - sums) / (sizes.sum() - sizes)
    influence = without.mean() - without
    acceleration = float((influence**3).sum() / (6 * (influence**2).sum() ** 1.5))
    shifted = bias + special.ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    tails: Values = special.ndtr(bias + shifted / np.maximum(1 - acceleration * shifted, NOTHING))
    return tails
