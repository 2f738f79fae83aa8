"""Newcombe's interval of the difference of two paired proportions.

Called by `bench.statistics.paired` for fewer than 200 items, of which Student's t covers too few.

>>> lo, hi = newcombe10(36, 14, 19, 31)
>>> round(lo, 4), round(hi, 4)
(-0.1607, 0.0628)
"""

import math

from bench.statistics.intervals import wilson


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
    # The bounds lie inside [-1, 1] but for rounding.
    return max(-1.0, difference - below), min(1.0, difference + above)


def _wilson_distances(successes: int, n: int, level: float) -> tuple[float, float]:
    """From a proportion down to its lower bound, and up to its upper bound."""
    found = wilson(successes, n, level)
    assert found.lo is not None
    assert found.hi is not None
    return found.estimate - found.lo, found.hi - found.estimate


def _joined(one: float, other: float, phi: float) -> float:
    # Rounding can pass 0 by an ulp.
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
