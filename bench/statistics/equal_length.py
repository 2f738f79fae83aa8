"""What is left of a score difference where both replies are equally long: is the gain length?

Called by `bench.reporting.comparison.shifts`. The differences of the scores are fitted as

    child - parent = a + b tanh(dlen / sd(dlen))

and read at dlen = 0, where a is the difference that length does not explain. The form is that of
the length-controlled win rate (Dubois et al. 2024, arXiv:2404.04475), linear in place of logistic
as differences of scores go from -1 to 1; the error is CR1, clustered.

>>> longer = [300.0, 200.0, 100.0, 0.0, -100.0, -200.0] * 20
>>> found = at_equal_length([1.0, 1.0, 0.0, 0.0, 0.0, 0.0] * 20, longer)
>>> round(found.estimate, 3), round(found.lo, 3), round(found.hi, 3)
(0.247, 0.198, 0.297)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bench.statistics.clusters import names_of
from bench.statistics.length import OVERLAP_ITEMS, OVERLAP_SHARE
from bench.statistics.sandwich import clustered_covariance


@dataclass(frozen=True, slots=True)
class EqualLength:
    """The mean difference at equal length, with its t bounds at G - 1 degrees of freedom."""

    estimate: float
    se: float
    lo: float
    hi: float
    n_items: int
    n_clusters: int


def at_equal_length(
    differences: Sequence[float],
    length_differences: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
) -> EqualLength | None:
    """`differences` [n] of scores where `length_differences` [n], in any unit, are 0.

    None where that would be an extrapolation: unless a tenth of the items, and ten, have replies of
    the child at least as long as the parent's and as many at most as long; where all lengths are
    equal; and where all items are one cluster. The scale sd(dlen) counts as known.

    Raises:
        ValueError: not as many of one as of the other, or of clusters.
    """
    y, lengths = np.asarray(differences, dtype=float), np.asarray(length_differences, dtype=float)
    if y.shape != lengths.shape:
        raise ValueError(f"{y.size} differences of scores, {lengths.size} of lengths")
    names = names_of(clusters, y.size)
    if not _overlap(lengths) or len(set(names)) < 2:
        return None
    design = np.column_stack([np.ones_like(y), np.tanh(lengths / lengths.std())])
    bread = np.linalg.inv(design.T @ design)
    fitted = bread @ design.T @ y
    influence = (design * (y - design @ fitted)[:, None]) @ bread
    found = clustered_covariance(influence, names)
    estimate, se = float(fitted[0]), float(np.sqrt(found.covariance[0, 0]))
    reach = float(stats.t.ppf((1 + level) / 2, found.n_clusters - 1)) * se
    return EqualLength(estimate, se, estimate - reach, estimate + reach, y.size, found.n_clusters)


def _overlap(lengths: "np.ndarray") -> bool:
    """Whether equal length is something that happens."""
    if not lengths.size or not lengths.std():
        return False
    least = max(OVERLAP_ITEMS, OVERLAP_SHARE * lengths.size)
    return bool((lengths >= 0).sum() >= least and (lengths <= 0).sum() >= least)
