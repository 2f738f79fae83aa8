"""Do annotators agree beyond chance: Krippendorff's alpha, Fleiss' kappa, raw agreement.

Called by the reports on human and model judges. Ratings stand in a table of units (items judged)
by annotators; None or NaN is a rating that was not given.

>>> ratings = [[1, 1], [1, 1], [0, 0], [0, 0], [1, 0], [1, 1]] * 10
>>> found = krippendorff_alpha(ratings)
>>> round(found.estimate, 3), round(found.lo, 1), round(found.hi, 1), found.method
(0.66, 0.4, 0.8, 'bootstrap')
>>> round(raw_agreement(ratings).estimate, 3)
0.833
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bench.statistics.covariance import Array
from bench.statistics.draws import seed_of
from bench.statistics.estimate import Estimate
from bench.statistics.intervals import NOTHING
from bench.statistics.winrate import win_rate

Scale = Literal["nominal", "ordinal", "interval", "ratio"]
Ratings = Sequence[Sequence[float | None]]
FEW_UNITS = 50
SKEWED = 0.9  # share of one value beyond which chance agreement is all but certain
RESAMPLES = 2000
AT_ONCE = 4_000_000  # weights of a bootstrap held at a time


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """How often each of `values` [V], in rising order, was given to each unit: `counts` [U, V]."""

    values: Array
    counts: Array
    alone: int  # units with fewer than two ratings, which are not in `counts`


def krippendorff_alpha(
    ratings: Ratings, scale: Scale = "nominal", level: float = 0.95, resamples: int = RESAMPLES
) -> Estimate:
    """Krippendorff's alpha, 1 - observed / expected disagreement, of `ratings` [units, annotators].

    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability. Units with one rating are left
    out. None where all ratings are equal: there is nothing to disagree about. Percentile bounds of
    units drawn with replacement; the seed is derived from the ratings.

    Raises:
        ValueError: rows of different lengths, no unit with two ratings, or ratios below 0.
    """
    table = _table(ratings)
    if scale == "ratio" and (table.values < 0).any():
        raise ValueError(f"a rating of {table.values.min():g} on a ratio scale")
    return _bootstrapped(table, lambda weights: _alpha(table, weights, scale), level, resamples)


def fleiss_kappa(ratings: Ratings, level: float = 0.95, resamples: int = RESAMPLES) -> Estimate:
    """Fleiss' kappa of `ratings` [units, annotators], each unit rated equally often.

    Fleiss 1971, Psychological Bulletin 76:378. Bounds as for `krippendorff_alpha`.

    Raises:
        ValueError: units rated unequally often (alpha allows that), or as `krippendorff_alpha`.
    """
    table = _table(ratings)
    times = np.unique(table.counts.sum(axis=1))
    if times.size > 1 or table.alone:
        raise ValueError("units are rated unequally often: use krippendorff_alpha")
    return _bootstrapped(table, lambda weights: _kappa(table, weights), level, resamples)


def raw_agreement(ratings: Ratings, level: float = 0.95) -> Estimate:
    """The share of pairs of annotators that gave a unit the same value, averaged over units.

    Chance is not taken out. t bounds of the log-odds with units - 1 degrees of freedom, Wilson's
    where all units are alike.

    Raises:
        ValueError: as `krippendorff_alpha`.
    """
    table = _table(ratings)
    times = table.counts.sum(axis=1)
    shares = (table.counts * (table.counts - 1)).sum(axis=1) / (times * (times - 1))
    found = win_rate(shares, level=level).win_rate
    return replace(found, warnings=(*found.warnings, *_warnings(table)))


def _table(ratings: Ratings) -> _Table:
    if len({len(row) for row in ratings}) > 1:
        raise ValueError("units have rows of different lengths: give None where nobody rated")
    given = np.array([[np.nan if one is None else one for one in row] for row in ratings], float)
    if given.ndim != 2:
        raise ValueError("no ratings")
    values, codes = np.unique(given[~np.isnan(given)], return_inverse=True)
    counts = np.zeros((given.shape[0], values.size))
    np.add.at(counts, (np.nonzero(~np.isnan(given))[0], codes), 1.0)
    paired = counts.sum(axis=1) > 1
    if not paired.any():
        raise ValueError("no unit has two ratings")
    kept = counts[paired]
    # Values that only lone ratings gave are out; units stand in an order of their own.
    used = kept.sum(axis=0) > 0
    kept = kept[:, used]
    return _Table(values[used], kept[np.lexsort(kept.T)], int((~paired).sum()))


def _alpha(table: _Table, weights: Array, scale: Scale) -> Array:
    """Alpha [B] of units weighted [B, U]; NaN where fewer than two values are left.

    With n_uc ratings c of unit u, m_u of it and n in all: 1 - (n - 1) D_o / D_e for
    D_o = sum_u sum_ck n_uc n_uk d(c, k) / (m_u - 1) and D_e = sum_ck n_c n_k d(c, k).
    """
    counts, sizes = table.counts, table.counts.sum(axis=1)
    margins = weights @ counts
    if scale in ("nominal", "ratio"):
        distances = _distances(table.values, scale)
        within = ((counts @ distances) * counts).sum(axis=1)
        expected = ((margins @ distances) * margins).sum(axis=1)
    else:
        # d(c, k) = (x_c - x_k)^2: sums of squares take the place of the double sum.
        x = _positions(table.values, margins, scale)
        within = 2 * (sizes * (x**2 @ counts.T) - (x @ counts.T) ** 2)
        centre = (margins * x).sum(axis=1, keepdims=True) / margins.sum(axis=1, keepdims=True)
        expected = 2 * margins.sum(axis=1) * (margins * (x - centre) ** 2).sum(axis=1)
    observed = (weights * (within / (sizes - 1))).sum(axis=1)
    varied = (margins > 0).sum(axis=1) > 1
    ratio = np.divide(observed, expected, out=np.full(expected.shape, np.nan), where=varied)
    alpha: Array = 1 - (margins.sum(axis=1) - 1) * ratio
    return alpha


def _distances(values: Array, scale: Scale) -> Array:
    """[V, V]: 1 between different values, or of ratios ((c - k) / (c + k))^2."""
    if scale == "nominal":
        return 1 - np.eye(values.size)
    total = values[:, None] + values
    between = values[:, None] - values
    shares = np.divide(between, total, out=np.zeros(total.shape), where=total > 0)
    squares: Array = shares**2
    return squares


def _positions(values: Array, margins: Array, scale: Scale) -> Array:
    """[B or 1, V]: the values, or of ordinal ones the mean ranks as a share of all ratings.

    Two mean ranks are sum_{g=c}^{k} n_g - (n_c + n_k) / 2 apart.
    """
    centred: Array = (values - values.mean())[None, :]
    if scale == "interval":
        return centred
    below = margins.cumsum(axis=1) - margins / 2
    ranks: Array = below / margins.sum(axis=1, keepdims=True) - 0.5
    return ranks


def _kappa(table: _Table, weights: Array) -> Array:
    """Kappa [B] of units weighted [B, U]; NaN where fewer than two values are left."""
    times = float(table.counts[0].sum())
    shares = (table.counts * (table.counts - 1)).sum(axis=1) / (times * (times - 1))
    margins = weights @ table.counts
    chance = ((margins / margins.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    varied = (margins > 0).sum(axis=1) > 1
    excess = weights @ shares / weights.sum(axis=1) - chance
    kappa: Array = np.divide(excess, 1 - chance, out=np.full(chance.shape, np.nan), where=varied)
    return kappa


def _bootstrapped(
    table: _Table, statistic: Callable[[Array], Array], level: float, resamples: int
) -> Estimate:
    units, warnings = table.counts.shape[0], _warnings(table)
    estimate = float(statistic(np.ones((1, units)))[0])
    nothing = Estimate(None, None, None, None, level, "none", units, units, warnings=warnings)
    if np.isnan(estimate):
        told = "all ratings are equal: nothing to disagree about"
        return replace(nothing, warnings=(*warnings, told))
    seed = seed_of(table.values, table.counts)
    random, step = np.random.default_rng(seed), max(1, AT_ONCE // (units * table.values.size))
    drawn = []
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        weights = random.multinomial(units, np.full(units, 1 / units), rows).astype(float)
        drawn.append(statistic(weights))
    kept = np.concatenate(drawn)
    kept = kept[~np.isnan(kept)]
    if kept.size < 2 or float(kept.std(ddof=1)) <= NOTHING:
        told = "nothing varies between units: no interval"
        return replace(nothing, estimate=estimate, warnings=(*warnings, told))
    lo, hi = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Estimate(
        estimate, float(kept.std(ddof=1)), lo, hi, level, "bootstrap", units, units, seed=seed,
        warnings=warnings,
    )  # fmt: skip


def _warnings(table: _Table) -> tuple[str, ...]:
    units, told = table.counts.shape[0], []
    if units < FEW_UNITS:
        told.append(f"only {units} units: the interval may be too narrow")
    if table.alone:
        told.append(
            f"left out, with fewer than two ratings: {table.alone} of {units + table.alone}"
        )
    margins = table.counts.sum(axis=0)
    share, value = float(margins.max() / margins.sum()), table.values[margins.argmax()]
    if share > SKEWED:
        told.append(f"{share:.0%} of the ratings are {value:g}: little is left beyond chance")
    return tuple(told)
