"""Several samples of every item: what of the error comes from the items, what from the sampling.

Items are the units; more samples of the same items shrink only the second part.

>>> found = replicates([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
>>> round(found.se, 4), round(found.item_variance, 4), round(found.sample_variance, 4)
(0.2041, 0.0104, 0.0312)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.statistics.draws import seed_of
from bench.statistics.intervals import NOTHING, Interval, Method, mean_interval
from bench.statistics.scale import UNIT, Bounds, Matrix, Values

DRAWS = 2_000
BLOCK = 2**18  # sampled scores at a time
ONE_EACH = "one sample of each item: its noise cannot be told from the items' differences"


@dataclass(frozen=True, slots=True)
class Replicates:
    """The mean over items of their means over samples, with the two parts of its variance.

    `item_variance` + `sample_variance` are the variance of the mean: what is left with ever more
    samples of these items, and what each item's samples add (0 for greedy decoding). Both are
    None where no item has two samples. `n_rep` is the smallest number of samples of an item.
    """

    estimate: float
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: Method
    df: int | None
    item_variance: float | None
    sample_variance: float | None
    n_items: int
    n_clusters: int
    n_rep: int
    warnings: tuple[str, ...] = ()


def replicates(
    scores: Sequence[Sequence[float]],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    bounds: Bounds = UNIT,
) -> Replicates:
    """Interval and variance parts of `scores`, a row of samples for each of n items.

    Var(mean) = Var_item / n + E[Var_sample] / (n K) for K samples (Miller 2024, arXiv 2411.00640,
    section 3.1). The second part is estimated within items, the first is what remains of the
    squared standard error, at least 0. `clusters` [n] names items that are not independent.

    Raises:
        ValueError: no items, an item without samples, or a score outside the bounds.
    """
    rows = _rows(scores)
    means = [float(row.mean()) for row in rows]
    found = mean_interval(means, clusters, level, bounds)
    noise = _sample_variance(rows)
    items = None if noise is None or found.se is None else max(0.0, found.se**2 - noise)
    return Replicates(
        estimate=found.estimate,
        se=found.se,
        lo=found.lo,
        hi=found.hi,
        level=level,
        method=found.method,
        df=found.df,
        item_variance=items,
        sample_variance=noise,
        n_items=len(rows),
        n_clusters=found.n_clusters or 0,
        n_rep=min(row.size for row in rows),
        warnings=found.warnings if noise is not None else (*found.warnings, ONE_EACH),
    )


def replicated_error(rates: Sequence[float], samples: int) -> float:
    """Standard error of the mean of n items with these true success `rates` and K `samples` each.

    sqrt(Var(p) / n + E[p (1 - p)] / (n K)): what more samples would buy.

    Raises:
        ValueError: fewer than two rates, or no samples.
    """
    if len(rates) < 2 or samples < 1:
        raise ValueError(f"{len(rates)} items with {samples} samples each")
    p = np.asarray(rates, dtype=float)
    between, within = float(p.var(ddof=1)), float((p * (1 - p)).mean())
    return math.sqrt((between + within / samples) / p.size)


def two_level_bootstrap(
    scores: Sequence[Sequence[float]],
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int | None = None,
    bounds: Bounds = UNIT,
) -> Interval:
    """Percentile interval from items drawn anew, and in each drawn item its K samples drawn anew.

    `scores` [n, K]. Both levels together count the noise of samples twice (Davison & Hinkley 1997,
    section 3.8), so draws are pulled towards the mean until their variance is what it should be:
    that of the items' means over n. They stay within the range of the scores. The seed is made
    from the scores unless one is given.

    Raises:
        ValueError: no items, not as many samples of each, or a score outside the bounds.
    """
    rows = _rows(scores)
    if len({row.size for row in rows}) > 1:
        raise ValueError("items differ in their number of samples: drop some, or use `replicates`")
    table = np.sort(np.stack(rows), axis=1)
    table = table[np.lexsort(table.T[::-1])]
    plain = mean_interval(table.mean(axis=1).tolist(), None, level, bounds)
    if plain.se is None or np.ptp(table) <= NOTHING:
        return plain
    used = seed_of(table) if seed is None else seed
    means = _drawn_means(table, draws, np.random.default_rng(used))
    pull = min(1.0, plain.se / float(means.std()))
    tails = [(1 - level) / 2, (1 + level) / 2]
    pulled = plain.estimate + pull * (np.quantile(means, tails) - plain.estimate)
    # Rounding can pass the range of the scores by an ulp.
    lo, hi = np.clip(pulled, table.min(), table.max())
    return Interval(
        estimate=plain.estimate,
        lo=min(float(lo), plain.estimate),
        hi=max(float(hi), plain.estimate),
        method="bootstrap_two_level",
        level=level,
        se=plain.se,
        n_items=len(rows),
        n_clusters=len(rows),
        seed=used,
    )


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """P(one of k samples passes), unbiased: 1 - C(n - c, k) / C(n, k).

    Chen et al. 2021, arXiv 2107.03374, eq. 1, for c `passed` of n `samples` of an item.

    Raises:
        ValueError: k is not among 1..n, or `passed` is not among 0..n.
    """
    _check_passes(samples, passed, k)
    return 1 - math.comb(samples - passed, k) / math.comb(samples, k)


def pass_hat_k(samples: int, passed: int, k: int) -> float:
    """P(all of k samples pass), unbiased: C(c, k) / C(n, k); "pass^k" of reliability.

    Yao et al. 2024, arXiv 2406.12045, section 4.

    Raises:
        ValueError: k is not among 1..n, or `passed` is not among 0..n.
    """
    _check_passes(samples, passed, k)
    return math.comb(passed, k) / math.comb(samples, k)


def _rows(scores: Sequence[Sequence[float]]) -> list[Values]:
    rows = [np.asarray(row, dtype=float) for row in scores]
    if not rows or not all(row.size for row in rows):
        raise ValueError(f"{len(rows)} items, {sum(not row.size for row in rows)} without samples")
    return rows


def _sample_variance(rows: Sequence[Values]) -> float | None:
    """The part of the variance of the mean that samples add, from the variance within items."""
    freedom = sum(row.size - 1 for row in rows)
    if not freedom:
        return None
    within = math.fsum(float(((row - row.mean()) ** 2).sum()) for row in rows) / freedom
    return within * math.fsum(1 / row.size for row in rows) / len(rows) ** 2


def _drawn_means(table: Matrix, draws: int, random: np.random.Generator) -> Values:
    n, samples = table.shape
    means, rows = np.empty(draws), max(1, BLOCK // table.size)
    for start in range(0, draws, rows):
        size = (min(rows, draws - start), n, samples)
        items = random.integers(0, n, (*size[:2], 1))
        drawn = table[items, random.integers(0, samples, size)]
        means[start : start + size[0]] = drawn.mean(axis=(1, 2))
    return means


def _check_passes(samples: int, passed: int, k: int) -> None:
    if not (1 <= k <= samples and 0 <= passed <= samples):
        raise ValueError(f"k = {k} of {samples} samples, {passed} passed")
