"""Means over shared items with the covariance of those means, robust to clusters (CR1).

Called by `bench.statistics.ranks` and `selection`, where several means come from the same items
and so rise and fall together.

>>> found = mean_covariance([[1, 0, 1, 1], [1, 0, 0, 1]])
>>> found.means.tolist(), found.covariance.round(4).tolist()
([0.75, 0.5], [[0.0625, 0.0417], [0.0417, 0.0833]])
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeanCovariance:
    """`means` [M] with their `covariance` [M, M], from `n_items` items in `n_clusters` clusters."""

    means: Array
    covariance: Array
    n_items: int
    n_clusters: int


def mean_covariance(values: ArrayLike, clusters: Sequence[str] | None = None) -> MeanCovariance:
    """The M means of `values` [M, n]; `clusters` [n] names what is not independent.

    The CR1 covariance (Liang & Zeger 1986), with s_g [M] the sums of the residuals of cluster g:
    V = G / (G - 1) * sum_g s_g s_g' / n^2. The difference of two means has with it the standard
    error of their paired difference.

    Raises:
        ValueError: fewer than two clusters, names for other than n items, or a value that is
            missing (not finite): keep to the items that all were scored on.
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    n_items = table.shape[1]
    names = np.arange(n_items) if clusters is None else np.asarray(clusters)
    if table.ndim != 2 or names.shape != (n_items,):
        raise ValueError(f"values of shape {table.shape}, clusters of shape {names.shape}")
    if not np.isfinite(table).all():
        raise ValueError("a score is missing: keep to the items that all were scored on")
    found, group = np.unique(names, return_inverse=True)
    if found.size < 2:
        raise ValueError(f"{found.size} independent items: two are needed")
    means = table.mean(axis=1)
    sums = np.stack([np.bincount(group, row) for row in table - means[:, None]])
    covariance = found.size / (found.size - 1) * (sums @ sums.T) / n_items**2
    return MeanCovariance(means, covariance, n_items, int(found.size))
