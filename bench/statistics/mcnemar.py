"""McNemar's test: are the two kinds of disagreement between paired zeros and ones equally likely?

Called by `bench.statistics.paired`. The exact test is conservative, the mid-p test nearly never
too liberal and closer to its level (Fagerland, Lydersen & Laake 2013, BMC Med. Res. Meth. 13:91).

>>> round(mcnemar_exact(14, 19), 4), round(mcnemar_midp(14, 19), 4)
(0.4869, 0.3915)
"""

from scipy import special


def mcnemar_exact(child_only: int, parent_only: int) -> float:
    """Two-sided binomial p-value of these discordant counts; 1 where there are none."""
    below, _ = _tail(child_only, parent_only)
    return min(1.0, 2 * below)


def mcnemar_midp(child_only: int, parent_only: int) -> float:
    """The exact p-value less half the probability of what was seen, on both sides."""
    below, seen = _tail(child_only, parent_only)
    return min(1.0, 2 * below - seen)


def _tail(child_only: int, parent_only: int) -> tuple[float, float]:
    """P(X <= k) and P(X = k) for the smaller count k and X ~ Binomial(n, 1/2)."""
    few, n = min(child_only, parent_only), child_only + parent_only
    below = float(special.bdtr(few, n, 0.5))
    return below, below - (float(special.bdtr(few - 1, n, 0.5)) if few else 0.0)
