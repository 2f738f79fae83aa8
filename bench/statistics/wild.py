"""The wild cluster bootstrap: a p-value for a mean of a few clusters, where t says too much.

Called by `bench.statistics.paired` for fewer than 20 clusters.

>>> wild_cluster_p(np.array([1.0, 1.0, 0.5, -0.2, 0.9]), ["a", "b", "c", "d", "e"])
0.125
"""

from collections.abc import Sequence

import numpy as np

from bench.statistics.clusters import FEW_CLUSTERS, cluster_totals
from bench.statistics.scale import Values
from bench.statistics.signs import signed_sums

TIED = 1e-9  # a choice of signs this close to what was seen is as extreme


def wild_cluster_p(values: Values, clusters: Sequence[str]) -> float:
    """Two-sided p-value of "the mean is 0" for `values` [n] in `clusters` [n], 2 to 20 of them.

    Cameron, Gelbach & Miller 2008, Rev. Econ. Stat. 90:414: under the null hypothesis the values
    themselves are the residuals; whole clusters change sign (Rademacher weights) and the CR1 t is
    compared with the one seen. All choices of signs are counted, so nothing is drawn.

    Raises:
        ValueError: fewer than 2 or more than 20 clusters.
    """
    sums, sizes = cluster_totals(values, clusters)
    if not 2 <= sums.size <= FEW_CLUSTERS:
        raise ValueError(f"{sums.size} clusters: the wild bootstrap is for 2 to {FEW_CLUSTERS}")
    (total,), (square,) = _parts(
        sums.sum(keepdims=True), (sums * sizes).sum(keepdims=True), sums, sizes
    )
    totals, squares = _parts(
        signed_sums(np.abs(sums)), signed_sums(np.abs(sums) * sizes), sums, sizes
    )
    # The squared t multiplied out, for a choice may leave no spread at all.
    as_extreme = totals**2 * square >= total**2 * squares * (1 - TIED)
    return float(as_extreme.mean())


def _parts(totals: Values, weighted: Values, sums: Values, sizes: Values) -> tuple[Values, Values]:
    """`totals` [D] of signed sums s, and what their CR1 errors are proportional to, squared.

    sum_g (s_g - m_g mean)^2 = sum_g s_g^2 - 2 mean sum_g m_g s_g + mean^2 sum_g m_g^2, in which
    the first and the last sum have no signs, and `weighted` [D] is the middle one.
    """
    means = totals / sizes.sum()
    squares = (sums**2).sum() - 2 * means * weighted + means**2 * (sizes**2).sum()
    return totals, np.maximum(squares, 0.0)
