"""How much a difference depends on the prompt: each variant alone, all pooled, a badge if fragile.

Called by the reports for tasks with several prompts (or metrics) of the same items. 175B PPO-ptx
minus SFT of InstructGPT, truthful on 100 questions: +0.13 and +0.19 under two prompts, -0.30 under
the third. Whoever shows one of the three shows what they like; here

    Sensitivity(lo=-0.30, hi=0.19, fragile=True, reason="rises under QA; falls under instruction")
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.statistics.covariance import Array
from bench.statistics.multiplicity import holm
from bench.statistics.paired import PairedDifference, paired_difference
from bench.statistics.scale import UNIT, Bounds

SAME = 1e-9  # of the largest, what rounding leaves of nothing


@dataclass(frozen=True, slots=True)
class Variant:
    """The difference under one variant; `p_adjusted` (Holm) counts all variants."""

    name: str
    difference: PairedDifference
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """`variants` in the order they were met; `lo` and `hi` are their extreme estimates.

    `pooled` is the difference over all rows, with what rows share as clusters. `p_same` tests that
    all variants have the same true difference; None where there are too few clusters to tell.
    `fragile` is defined at `sensitivity`; `reason` says why, "" where it is not.
    """

    variants: tuple[Variant, ...]
    lo: float
    hi: float
    pooled: PairedDifference
    p_same: float | None
    fragile: bool
    reason: str


def sensitivity(
    variants: Sequence[str],
    items: Sequence[str],
    child: Sequence[float],
    parent: Sequence[float],
    level: float = 0.95,
    bounds: Bounds = UNIT,
    lower_is_better: bool = False,
) -> Sensitivity:
    """Differences child [n] - parent [n] of n rows, each one of `items` under one of `variants`.

    `items` [n] are what is independent: the item, or the passage where items share one. A variant
    is significant if its p-value, adjusted by Holm over the variants, is at most 1 - level. The
    difference is fragile if

        one variant is significantly above 0 and another significantly below, or
        one is significant, another is not, and they differ: p_same is at most 1 - level.

    Without the last clause any effect near the edge of what the items can show would be fragile:
    significant here and not there is no difference by itself (Gelman & Stern 2006, The American
    Statistician 60:328).

    Raises:
        ValueError: no rows, lengths differ, or a score lies outside the bounds.
    """
    if not len(variants) == len(items) == len(child) == len(parent):
        raise ValueError(f"{len(variants)} rows, {len(items)} items, {len(child)} scores")
    names = list(dict.fromkeys(variants))
    place = np.array([names.index(name) for name in variants])

    def compared(rows: NDArray[np.intp]) -> PairedDifference:
        ours, theirs = [child[row] for row in rows], [parent[row] for row in rows]
        shared = [items[row] for row in rows]
        return paired_difference(ours, theirs, shared, level, bounds, lower_is_better)

    pooled = compared(np.arange(len(variants)))
    found = [compared(np.flatnonzero(place == at)) for at in range(len(names))]
    adjusted = holm([difference.p_value for difference in found])
    rows = tuple(Variant(*row) for row in zip(names, found, adjusted, strict=True))
    p_same = _p_same(np.subtract(child, parent), place, items)
    reason = _reason(rows, p_same, 1 - level)
    estimates = [difference.estimate for difference in found]
    return Sensitivity(rows, min(estimates), max(estimates), pooled, p_same, bool(reason), reason)


def _p_same(change: Array, place: NDArray[np.intp], items: Sequence[str]) -> float | None:
    """Hotelling's T^2 for equal means of V variants, whose covariance is CR1 over G items.

    F = T^2 (G - k) / (k (G - 1)) with k and G - k degrees of freedom, k = V - 1 or fewer where
    variants vary as one (Anderson 2003, section 5.3). Where some differ by the same on every item,
    the p-value is that of a sign test.
    """
    groups, group = np.unique(np.asarray(items), return_inverse=True)
    sizes = np.bincount(place)
    if groups.size < sizes.size:
        return None
    means = np.bincount(place, change) / sizes
    influence = np.zeros((sizes.size, groups.size))
    np.add.at(influence, (place, group), (change - means[place]) / sizes[place])
    apart, contrasts = np.diff(means), np.diff(influence, axis=0)
    values, vectors = np.linalg.eigh(contrasts @ contrasts.T)
    varies = values > SAME * values.max(initial=0.0)
    along, basis = values[varies], vectors[:, varies]
    if (np.abs(apart - basis @ (basis.T @ apart)) > SAME * np.abs(change).max()).any():
        return float(2.0 ** (1 - groups.size))
    free, rest = along.size, groups.size - along.size
    if not free:
        return 1.0
    # T^2 / (G - 1): the (G - 1) / G of CR1 is left with the F below.
    ratio = float(((basis.T @ apart) ** 2 / along).sum()) / groups.size
    return float(stats.f.sf(ratio * rest / free, free, rest))


def _reason(rows: Sequence[Variant], p_same: float | None, alpha: float) -> str:
    sure = [row for row in rows if row.p_adjusted is not None and row.p_adjusted <= alpha]
    rises = ", ".join(row.name for row in sure if row.difference.estimate > 0)
    falls = ", ".join(row.name for row in sure if row.difference.estimate < 0)
    unsure = ", ".join(row.name for row in rows if row not in sure)
    if rises and falls:
        return f"rises under {rises}; falls under {falls}"
    if sure and unsure and p_same is not None and p_same <= alpha:
        verb, names = ("rises", rises) if rises else ("falls", falls)
        return f"{verb} under {names}; undecided under {unsure}"
    return ""
