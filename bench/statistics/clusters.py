"""Items that are not independent: how much the standard error grows where they share a cluster.

A cluster is a passage, a template, or one question under several prompts. Called by
`bench.statistics.intervals`, `paired`, `calibration` and `equal_length`.

>>> found = clustering(np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), ["a", "a", "b", "b", "c", "c"])
>>> round(found.se, 4), round(found.naive_se, 4), found.n_clusters, round(found.icc, 4)
(0.2887, 0.2236, 3, 0.5)
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.statistics.scale import Values

FEW_CLUSTERS = 20


@dataclass(frozen=True, slots=True)
class Clustering:
    """What clusters do to the standard error of a mean.

    `naive_se` takes the items for independent; `design_effect` is (se / naive_se)^2, the factor by
    which clusters shrink the number of items that count, and `icc` the intraclass correlation.
    Both are None where nothing varies, `icc` also where no cluster holds two items.
    """

    se: float
    naive_se: float
    n_clusters: int
    design_effect: float | None
    icc: float | None


def names_of(clusters: Sequence[str] | None, n: int) -> list[str]:
    """The cluster of each of `n` items; without `clusters` [n] each item is its own.

    Raises:
        ValueError: not as many clusters as items.
    """
    names = list(clusters) if clusters is not None else [str(place) for place in range(n)]
    if len(names) != n:
        raise ValueError(f"{n} values in {len(names)} clusters")
    return names


def clustered_error(residuals: Values, clusters: Sequence[str]) -> float:
    """CR1 standard error of a mean from `residuals` [n] around it; two `clusters` [n] or more.

    SE = sqrt(G / (G - 1) * sum_g (sum_{i in g} e_i)^2) / n over G clusters (Liang & Zeger 1986,
    Biometrika 73:13); for independent items it is the usual one.
    """
    names, group = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(group, weights=residuals)
    return math.sqrt(names.size / (names.size - 1) * float((sums**2).sum())) / residuals.size


def clustering(values: Values, clusters: Sequence[str]) -> Clustering:
    """CR1 and naive standard errors of the mean of `values` [n]; `clusters` [n], two or more.

    The intraclass correlation is that of one-way analysis of variance, which may fall below 0:
    (B - W) / (B + (m - 1) W) for mean squares B between and W within clusters of m items, where
    sizes differ m = (n - sum_g m_g^2 / n) / (G - 1) (Donner 1986, Int. Stat. Rev. 54:67).

    Raises:
        ValueError: fewer than two clusters.
    """
    names, group = np.unique(np.asarray(clusters), return_inverse=True)
    if names.size < 2:
        raise ValueError(f"{names.size} clusters: two or more are needed")
    residuals = values - values.mean()
    error = clustered_error(residuals, clusters)
    naive = float(residuals.std(ddof=1)) / math.sqrt(values.size)
    return Clustering(
        se=error,
        naive_se=naive,
        n_clusters=names.size,
        design_effect=(error / naive) ** 2 if naive > 0 else None,
        icc=_intraclass(residuals, group, names.size),
    )


def cluster_totals(values: Values, clusters: Sequence[str] | None) -> tuple[Values, Values]:
    """Sum and size of each cluster [G], in an order that no order of the items changes."""
    if clusters is None:
        return np.sort(values), np.ones(values.size)
    members: dict[str, list[float]] = defaultdict(list)
    for value, name in zip(values.tolist(), clusters, strict=True):
        members[name].append(value)
    # fsum rounds once, whatever the order: equal clusters have equal sums, and seeds are stable.
    totals = np.array(sorted((math.fsum(group), len(group)) for group in members.values()))
    return totals[:, 0], totals[:, 1]


def _intraclass(
    residuals: Values, group: "np.ndarray[tuple[int], np.dtype[np.intp]]", groups: int
) -> float | None:
    n, sizes = residuals.size, np.bincount(group)
    if n == groups:
        return None
    means = np.bincount(group, weights=residuals) / sizes
    between = float((sizes * means**2).sum()) / (groups - 1)
    within = float(((residuals - means[group]) ** 2).sum()) / (n - groups)
    size = (n - float((sizes**2).sum()) / n) / (groups - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else None
