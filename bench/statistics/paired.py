"""The paired difference child - parent of scores on the same items: estimate, interval, P(better).

Called by `bench.reporting.contrasts`. Which interval when, all inside [-1, 1] and none of width 0:

    newcombe10       zeros and ones of fewer than 200 independent items
    t, t_clustered   otherwise: Student's t, CR1 standard error where items share a cluster
    wilson(...)      where t would leave [-1, 1]: Wilson's at the effective number of items
    equal            where nothing varies: what the items leave open about differences not yet seen

>>> found = paired_difference([1.0] * 50 + [0.0] * 50, [1.0] * 36 + [0.0] * 45 + [1.0] * 19)
>>> round(found.estimate, 2), round(found.lo, 4), round(found.hi, 4), round(found.p_better, 4)
(-0.05, -0.1607, 0.0628, 0.1958)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from bench.statistics.intervals import (
    FEW_CLUSTERS,
    NOTHING,
    Interval,
    Method,
    clustered_error,
    mean_interval,
    wilson,
)

PairedMethod = Method | Literal["newcombe10", "equal"]
FEW_ITEMS = 200  # below it Student's t covers too little of differences between zeros and ones
FEW_DISCORDANT = 10


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A mean difference with what is known of it; None where fewer than two clusters say nothing.

    `se` is the standard error (CR1 where clustered), `p_better` the probability that the true
    difference is above 0.
    """

    estimate: float
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: PairedMethod
    p_better: float | None
    n_items: int
    n_clusters: int
    warnings: tuple[str, ...] = ()


def paired_difference(
    child: Sequence[float],
    parent: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
) -> PairedDifference:
    """The mean of child [n] - parent [n], scores in [0, 1] of the same n items in the same order.

    `clusters` [n] names what is not independent. Zeros and ones of fewer than 200 independent items
    get Newcombe's interval and P(better) = P(Beta(b + 1, c + 1) > 1/2), where b items are right in
    the child alone and c in the parent alone: all four outcomes ~ Dirichlet(1, 1, 1, 1). The rest
    gets t with G - 1 degrees of freedom (G clusters), and P(better) from that t.

    Raises:
        ValueError: no items, or not as many of one as of the other.
    """
    names = list(clusters) if clusters is not None else [str(at) for at in range(len(child))]
    if not len(child) == len(parent) == len(names) or not names:
        raise ValueError(f"{len(child)} and {len(parent)} scores in {len(names)} clusters")
    ours, theirs = np.asarray(child, dtype=float), np.asarray(parent, dtype=float)
    change, groups = ours - theirs, len(set(names))
    binary = bool(np.isin([ours, theirs], (0.0, 1.0)).all())
    wins, losses = int((change > 0).sum()), int((change < 0).sum())
    warnings = _warnings(groups, len(names), wins + losses if binary else None)
    mean = float(change.mean())
    if groups < 2:
        return PairedDifference(
            mean, None, None, None, level, "none", None, len(names), groups, warnings
        )
    error = clustered_error(change - mean, names)
    method: PairedMethod
    if binary and groups == len(names) < FEW_ITEMS:
        both = int((ours * theirs).sum())
        lo, hi = newcombe10(both, wins, losses, len(names) - both - wins - losses, level)
        method, p_better = "newcombe10", _p_of_wins(wins, losses)
    elif error < NOTHING:
        (lo, hi), method = _equal(mean, groups, level), "equal"
        p_better = _p_of_wins(groups * (mean > 0), groups * (mean < 0))
    else:
        lo, hi, method = _students(change, names, error, level)
        p_better = float(stats.t.cdf(mean / error, groups - 1))
    return PairedDifference(
        mean, error, lo, hi, level, method, p_better, len(names), groups, warnings
    )


def newcombe10(
    both: int, child_only: int, parent_only: int, neither: int, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference of two paired proportions from the four counts of a 2x2 table.

    Newcombe 1998, Statistics in Medicine 17:2635, method 10: Wilson's bounds of the two
    proportions, joined with their correlation phi, which is corrected for continuity.
    """
    n = both + child_only + parent_only + neither
    margins = (both + child_only) * (parent_only + neither)
    margins *= (both + parent_only) * (child_only + neither)
    excess = float(both * neither - child_only * parent_only)
    excess = max(excess - n / 2, 0.0) if excess > 0 else excess
    phi = excess / math.sqrt(margins) if margins else 0.0
    child_below, child_above = _wilson_distances(both + child_only, n, level)
    parent_below, parent_above = _wilson_distances(both + parent_only, n, level)
    difference = (child_only - parent_only) / n
    below = _joined(child_below, parent_above, phi)
    above = _joined(child_above, parent_below, phi)
    return _inside(difference, difference - below, difference + above)


def _wilson_distances(successes: int, n: int, level: float) -> tuple[float, float]:
    """From a proportion down to its lower bound, and up to its upper bound."""
    found = wilson(successes, n, level)
    lo, hi = _bounds(found)
    return found.estimate - lo, hi - found.estimate


def _bounds(found: Interval) -> tuple[float, float]:
    """The bounds of an interval of two independent items or more, which always has them."""
    assert found.lo is not None
    assert found.hi is not None
    return found.lo, found.hi


def _joined(one: float, other: float, phi: float) -> float:
    # Rounding can pass 0 by an ulp.
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))


def _p_of_wins(wins: int, losses: int) -> float:
    """P(Beta(wins + 1, losses + 1) > 1/2)."""
    return float(stats.beta.sf(0.5, wins + 1, losses + 1))


def _equal(mean: float, groups: int, level: float) -> tuple[float, float]:
    """Bounds where all of `groups` differ by the same `mean`.

    With the confidence asked for, other differences have at most the probability u that Clopper &
    Pearson's interval allows to what was never seen in `groups` draws; they may be -1 or 1.
    """
    unseen = 1 - ((1 - level) / 2) ** (1 / groups)
    return _inside(mean, (1 - unseen) * mean - unseen, (1 - unseen) * mean + unseen)


def _students(
    change: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    clusters: Sequence[str],
    error: float,
    level: float,
) -> tuple[float, float, PairedMethod]:
    """Bounds by t, or by Wilson where those would leave [-1, 1]: differences moved to [0, 1]."""
    mean, groups = float(change.mean()), len(set(clusters))
    half = float(stats.t.ppf((1 + level) / 2, groups - 1)) * error
    if abs(mean) + half <= 1 + NOTHING:
        lo, hi = _inside(mean, mean - half, mean + half)
        return lo, hi, "t" if groups == change.size else "t_clustered"
    found = mean_interval(((change + 1) / 2).tolist(), clusters, level)
    lo, hi = _bounds(found)
    return 2 * lo - 1, 2 * hi - 1, found.method


def _inside(estimate: float, lo: float, hi: float) -> tuple[float, float]:
    # The bounds lie around the estimate and inside [-1, 1] but for rounding.
    return max(-1.0, min(lo, estimate)), min(1.0, max(hi, estimate))


def _warnings(groups: int, items: int, discordant: int | None) -> tuple[str, ...]:
    if groups < 2:
        return ("fewer than two independent items: no interval",)
    found = []
    if discordant is not None and discordant < FEW_DISCORDANT:
        found.append(f"too few discordant pairs (fewer than {FEW_DISCORDANT})")
    if groups < min(items, FEW_CLUSTERS):
        found.append(f"only {groups} clusters: the interval may be too narrow")
    return tuple(found)
