"""Better, equivalent or worse: a paired difference against a region of practical equivalence.

Called by `bench.reporting.comparison`, with the region from the task file (Benavoli et al. 2017,
JMLR 18:77; Kruschke 2018, Adv. Meth. Pract. Psych. Sci. 1:270). Over several tasks: `signed_rank`.

>>> from bench.statistics.paired import paired_difference
>>> one = paired_difference([1.0] * 50 + [0.0] * 50, [1.0] * 36 + [0.0] * 45 + [1.0] * 19)
>>> found = compare(one, region=0.02)
>>> round(found.p_worse, 3), round(found.p_equivalent, 3), round(found.p_better, 3), found.verdict
(0.692, 0.195, 0.113, 'undetermined')
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from bench.statistics.paired import PairedDifference

Verdict = Literal["better", "equivalent", "worse", "undetermined"]
QUANTILES = 1_000  # of the share of discordant items; probabilities are then good to 1e-5


@dataclass(frozen=True, slots=True)
class Rope:
    """Probabilities that the true difference lies beyond or within `region` of 0; they add to 1.

    `method` is the posterior they come from: "dirichlet" for zeros and ones of independent items
    and where all differences are equal, "t" otherwise, "none" where there is none (then the
    probabilities are None). Better is lower where lower scores are better. Interval, counts and
    warnings are those of `difference`.
    """

    difference: PairedDifference
    region: float
    p_worse: float | None
    p_equivalent: float | None
    p_better: float | None
    method: Literal["dirichlet", "t", "none"]
    verdict: Verdict


def compare(difference: PairedDifference, region: float) -> Rope:
    """`difference` against a `region` >= 0, in units of the score.

    Zeros and ones of independent items: both, child only, parent only, neither ~ Dirichlet(1, 1,
    1, 1), worked out without draws. The rest: the posterior of Student's t under a flat prior, CR1
    where clustered. Where all differences are equal: those not yet seen may be of either extreme.

    Raises:
        ValueError: the region is below 0.
    """
    if region < 0:
        raise ValueError(f"a region of {region}: it reaches from -region to region")
    below, above, method = _tails(difference, region)
    found = verdict(difference.lo, difference.hi, region, difference.lower_is_better)
    if below is None or above is None:
        return Rope(difference, region, None, None, None, method, found)
    worse, better = (above, below) if difference.lower_is_better else (below, above)
    # Rounding can pass 0 by an ulp.
    within = max(0.0, 1 - worse - better)
    return Rope(difference, region, worse, within, better, method, found)


def verdict(
    lo: float | None, hi: float | None, region: float = 0.0, lower_is_better: bool = False
) -> Verdict:
    """What an interval from `lo` to `hi` says of the difference child - parent.

    "equivalent" where it lies within [-region, region], also when it excludes 0: a difference, but
    too small to matter. Else "better" above 0 and "worse" below it, or the other way round where
    lower is better. Without bounds, or across 0 and out of the region, "undetermined".
    """
    if lo is None or hi is None:
        return "undetermined"
    if -region <= lo and hi <= region:
        return "equivalent"
    if lo > 0:
        return "worse" if lower_is_better else "better"
    if hi < 0:
        return "better" if lower_is_better else "worse"
    return "undetermined"


def _tails(
    found: PairedDifference, region: float
) -> tuple[float | None, float | None, Literal["dirichlet", "t", "none"]]:
    """P(difference < -region) and P(difference > region)."""
    if found.se is None:
        return None, None, "none"
    span = found.bounds[1] - found.bounds[0]
    if found.child_only is not None and found.parent_only is not None and _independent(found):
        wins, losses = found.child_only, found.parent_only
        usual = found.n_items - wins - losses + 1
        return *_beyond(wins, losses, usual, 0.0, region / span), "dirichlet"
    if found.method == "equal":
        return *_beyond(0, 0, found.n_clusters, found.estimate / span, region / span), "dirichlet"
    if found.method == "none":
        return None, None, "none"
    below, above = (
        float(special.stdtr(found.n_clusters - 1, (sign * found.estimate - region) / found.se))
        for sign in (-1, 1)
    )
    return below, above, "t"


def _independent(found: PairedDifference) -> bool:
    return found.n_clusters == found.n_items


def _beyond(up: int, down: int, usual: int, each: float, region: float) -> tuple[float, float]:
    """P(mean < -region) and P(mean > region) of gains 1 for `up` items and -1 for `down` items,
    while `usual` of them changed by `each`.

    The three shares are Dirichlet(up + 1, down + 1, usual + 1). Then the share s of the first two
    together is Beta(up + down + 2, usual + 1), the share v of gains among them is an independent
    Beta(up + 1, down + 1), and the mean is (1 - s) each + s (2 v - 1). The chance of a v that goes
    beyond the region is averaged over quantiles of s.
    """
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    share = special.betaincinv(up + down + 2, usual + 1, places)
    below, above = (
        special.betainc(ours + 1, theirs + 1, np.clip((1 - needed / share) / 2, 0.0, 1.0))
        for ours, theirs, needed in (
            (up, down, region + (1 - share) * each),
            (down, up, region - (1 - share) * each),
        )
    )
    return min(1.0, math.fsum(below) / QUANTILES), min(1.0, math.fsum(above) / QUANTILES)
