"""The alignment tax of a capability: is the child worse than its parent by more than a margin?

Called by `bench.reporting.comparison`, with the margin from the task file. A drop that was not
found is not the absence of one: "no tax" needs an interval without any drop as large as the margin.

>>> from bench.statistics.paired import paired_difference
>>> found = noninferiority(paired_difference([1.0] * 90 + [0.0] * 10, [1.0] * 100), margin=0.2)
>>> found.verdict, round(found.p_value, 4)
('no tax', 0.0062)
"""

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from bench.statistics.paired import PairedDifference

TaxVerdict = Literal["no tax", "tax", "undetermined"]


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """A paired difference against a margin; interval, counts and warnings are its own.

    `p_value` is one-sided, of "worse by the margin or more", None where there is no interval.
    """

    difference: PairedDifference
    margin: float
    verdict: TaxVerdict
    p_value: float | None


def noninferiority(difference: PairedDifference, margin: float) -> NonInferiority:
    """`difference` against a `margin` > 0, in units of the score.

    With bounds turned so that higher is better: "no tax" where the lower one is above -margin, be
    the difference below 0 or not, as a drop within the margin was agreed not to matter; else "tax"
    where the upper one is below 0, else "undetermined". The p-value of zeros and ones of
    independent items is Tango's score test (1998, Statistics in Medicine 17:891, eq. 5), that of
    the rest Student's t, CR1 where clustered.

    Raises:
        ValueError: the margin is not above 0.
    """
    if margin <= 0:
        raise ValueError(f"a margin of {margin}: give a drop above 0, in units of the score")
    lo, hi = difference.lo, difference.hi
    if lo is None or hi is None:
        return NonInferiority(difference, margin, "undetermined", None)
    if difference.lower_is_better:
        lo, hi = -hi, -lo
    found: TaxVerdict = "no tax" if lo > -margin else "tax" if hi < 0 else "undetermined"
    return NonInferiority(difference, margin, found, _p_value(difference, margin))


def tango_score(wins: int, losses: int, n: int, difference: float) -> float:
    """Score statistic z of "the paired difference is `difference`", in (-1, 1), from `n` pairs.

    The variance is that of the likeliest shares of wins and losses that differ by just so much.
    """
    linear = (2 * n - wins + losses) * difference - wins - losses
    constant = losses * difference * (1 - difference)
    lost = (math.sqrt(linear**2 + 8 * n * constant) - linear) / (4 * n)
    variance = n * (2 * lost + difference * (1 - difference))
    return (wins - losses - n * difference) / math.sqrt(variance)


def _p_value(found: PairedDifference, margin: float) -> float:
    assert found.se is not None
    span = found.bounds[1] - found.bounds[0]
    gain = -found.estimate if found.lower_is_better else found.estimate
    if margin >= span:
        return 0.0
    if found.child_only is not None and found.n_clusters == found.n_items:
        assert found.parent_only is not None
        wins, losses = found.child_only, found.parent_only
        if found.lower_is_better:
            wins, losses = losses, wins
        return float(special.ndtr(-tango_score(wins, losses, found.n_items, -margin / span)))
    if found.method == "equal":
        if gain <= -margin:
            return 1.0
        # The share of unseen drops that would bring the mean to -margin, missed by all clusters.
        unseen = (gain + margin) / (gain + span)
        return float(min(1.0, (1 - unseen) ** found.n_clusters))
    return float(special.stdtr(found.n_clusters - 1, -(gain + margin) / found.se))
