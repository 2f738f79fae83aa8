"""A confidence sequence: intervals of a mean that hold at every look at a growing number of items.

Called by the reports for boards that are watched while answers or votes come in: an ordinary 95%
interval that is looked at again and again is wrong sooner or later far more often than 5%. These
may be looked at after every item, and stopping may depend on them. Predictable plug-in empirical
Bernstein bounds (Waudby-Smith & Ramdas 2024, Journal of the Royal Statistical Society B 86:1,
theorem 2), in closed form and for any distribution within the bounds:

>>> last = confidence_sequence([1.0, 0.0, 1.0, 1.0] * 100)[-1]
>>> last.n_items, round(last.estimate, 2), round(last.lo, 2), round(last.hi, 2)
(400, 0.75, 0.67, 0.83)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

LARGEST_BET = 0.5  # the paper's c


@dataclass(frozen=True, slots=True)
class Look:
    """The interval after the first `n_items`; all looks hold at once with `level`.

    `estimate` is the mean of the items weighted by bets set before each was seen, which the bounds
    lie around.
    """

    n_items: int
    estimate: float
    lo: float
    hi: float
    level: float
    method: Literal["empirical_bernstein_sequence"]


def confidence_sequence(
    values: ArrayLike,
    level: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
    looks: Sequence[int] | None = None,
) -> list[Look]:
    """The looks after as many items as `looks` says (after each, unless given).

    `values` [n] come in the order in which they were seen, each drawn independently of the ones
    before from what the mean is about, within `bounds`: (-1, 1) for differences of scores. Where
    rows share a cluster, give one mean a cluster.

    Raises:
        ValueError: no values, a value outside `bounds`, or a look outside [1, n].
    """
    lowest, width = bounds[0], bounds[1] - bounds[0]
    x = (np.asarray(values, dtype=np.float64) - lowest) / width
    n = np.arange(1, x.size + 1)
    chosen = n if looks is None else np.asarray(looks, dtype=int)
    if not x.size or not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"no values, or one outside [{bounds[0]}, {bounds[1]}]")
    if not ((chosen >= 1) & (chosen <= x.size)).all():
        raise ValueError(f"looks outside [1, {x.size}]: {chosen.tolist()}")
    # One item of 1/2 with variance 1/4 is put before the first, so that nothing divides by 0.
    means = (0.5 + np.cumsum(x)) / (n + 1)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (n + 1)
    mean_before = np.concatenate([[0.5], means[:-1]])
    variance_before = np.concatenate([[0.25], variances[:-1]])
    odds = math.log(2 / (1 - level))
    bets = np.minimum(np.sqrt(2 * odds / (variance_before * n * np.log1p(n))), LARGEST_BET)
    spread = (x - mean_before) ** 2 * (-np.log1p(-bets) - bets)
    total = np.cumsum(bets)
    centre, radius = np.cumsum(bets * x) / total, (odds + np.cumsum(spread)) / total
    # The true mean lies in [0, 1], so an interval that is cut there holds as often.
    rows = np.stack([centre, np.maximum(centre - radius, 0.0), np.minimum(centre + radius, 1.0)])
    scaled = lowest + width * rows[:, chosen - 1]
    return [
        Look(count, estimate, lo, hi, level, "empirical_bernstein_sequence")
        for count, (estimate, lo, hi) in zip(chosen.tolist(), scaled.T.tolist(), strict=True)
    ]
