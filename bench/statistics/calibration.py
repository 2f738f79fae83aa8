"""Calibration of two models on the same items: how far confidence and being right lie apart.

Called by `bench.reporting.comparison.shifts`, and for one model by the audit of a board. The
expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3) is no mean over items, so the
interval of its difference is a bootstrap of clusters, both models on the same draws. An error is
larger on draws than on the items, as draws are noisier, and on few items than on many: the mean
excess of the draws is taken off the bounds. They are normal ones; of 150 made changes 95 % bounds
held 92 % at 300 items and 84 % at 100.

>>> sure, right = [0.95] * 60, [1.0] * 30 + [0.0] * 30
>>> found = ece_change(sure, right, [0.55] * 60, right)
>>> round(found.child, 3), round(found.parent, 3), round(found.estimate, 3)
(0.45, 0.05, 0.4)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.statistics.clusters import names_of
from bench.statistics.covariance import Array
from bench.statistics.draws import seed_of

BINS = 10
DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class CalibrationChange:
    """The error of both and child - parent, with its bounds, which need not lie around it."""

    child: float
    parent: float
    estimate: float
    lo: float
    hi: float


def calibration_error(confidence: Sequence[float], right: Sequence[float]) -> float:
    """ECE in ten equal bins of `confidence` and `right`, both [n] in [0, 1].

    Raises:
        ValueError: no items, or columns of different lengths.
    """
    if not len(confidence) or len(confidence) != len(right):
        raise ValueError(f"{len(confidence)} and {len(right)} values, not alike")
    one = np.zeros(len(confidence), dtype=np.intp)
    gaps = _gaps(np.asarray(confidence, dtype=float), np.asarray(right, dtype=float), one, 1)
    return float(np.abs(gaps).sum() / len(confidence))


def ece_change(
    child_confidence: Sequence[float],
    child_right: Sequence[float],
    parent_confidence: Sequence[float],
    parent_right: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
) -> CalibrationChange:
    """ECE in ten equal bins of child and parent, all [n] on the same items, and its difference.

    `right` is in [0, 1]. `clusters` [n] are drawn whole; draws are seeded by the data.

    Raises:
        ValueError: no items, or columns or clusters of different lengths.
    """
    sides = [
        (np.asarray(confidence, dtype=float), np.asarray(right, dtype=float))
        for confidence, right in (
            (child_confidence, child_right),
            (parent_confidence, parent_right),
        )
    ]
    n = sides[0][0].size
    if not n or any(column.shape != (n,) for side in sides for column in side):
        raise ValueError(f"{[column.size for side in sides for column in side]} values, not alike")
    _, codes = np.unique(np.asarray(names_of(clusters, n)), return_inverse=True)
    groups = int(codes.max()) + 1
    # Clusters in an order of their own, so that the order of the items does not matter.
    gaps = np.concatenate([_gaps(*side, codes, groups) for side in sides], axis=1)
    sizes = np.bincount(codes, minlength=groups).astype(float)
    order = np.lexsort((*gaps.T, sizes))
    gaps, sizes = gaps[order], sizes[order]
    seed = seed_of(*(column for side in sides for column in side))
    counts = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), DRAWS)
    child, parent = (float(one[0]) for one in _errors(np.ones((1, groups)), gaps, sizes))
    drawn_child, drawn_parent = _errors(counts.astype(float), gaps, sizes)
    drawn, estimate = drawn_child - drawn_parent, child - parent
    middle = 2 * estimate - float(drawn.mean())
    reach = float(special.ndtri((1 + level) / 2) * drawn.std(ddof=1))
    return CalibrationChange(child, parent, estimate, middle - reach, middle + reach)


def _gaps(confidence: Array, right: Array, codes: NDArray[np.intp], groups: int) -> Array:
    """Sums [groups, bins] of what was right less what was expected to be."""
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    sums = np.zeros((groups, BINS))
    np.add.at(sums, (codes, bins), right - confidence)
    return sums


def _errors(counts: Array, gaps: Array, sizes: Array) -> tuple[Array, Array]:
    """ECE [draws] of child and parent, where each cluster is drawn `counts` [draws, groups] times:
    the weight of a bin times its mean gap is the sum of its gaps over all items."""
    sums = np.abs(counts @ gaps) / (counts @ sizes)[:, None]
    return sums[:, :BINS].sum(axis=1), sums[:, BINS:].sum(axis=1)
