"""The paired difference of two models that the same judges judged, where judges are a sample too.

Called by `bench.reporting.comparison.contrast`. Errors by prompt alone tell how sure these judges
are, and not that others would prefer the same: here two of three are for the child, always.

>>> ours, prompts = [1.0, 1.0, 0.0] * 20, [str(at // 3) for at in range(60)]
>>> found = judged_difference(ours, [0.5] * 60, prompts, ["ann", "bob", "cid"] * 20)
>>> round(found.estimate, 3), round(found.se, 3), found.df, found.p_value > 0.5
(0.167, 0.328, 2, True)
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from bench.statistics.clusters import Clustering
from bench.statistics.intervals import NOTHING
from bench.statistics.paired import PairedDifference, paired_difference
from bench.statistics.sandwich import clustered_covariance
from bench.statistics.scale import UNIT, Bounds


def judged_difference(
    child: Sequence[float],
    parent: Sequence[float],
    prompts: Sequence[str],
    judges: Sequence[str],
    level: float = 0.95,
    bounds: Bounds = UNIT,
    lower_is_better: bool = False,
) -> PairedDifference:
    """`paired_difference` with V = V_prompt + V_judge - V_both (see `sandwich`), all columns [n].

    t with the smaller number of clusters less 1 degrees of freedom. Where nothing varies between
    prompts or judges, the plain difference by whichever there are fewer of.

    Raises:
        ValueError: as `paired_difference`.
    """
    few = list(judges) if len(set(judges)) < len(set(prompts)) else list(prompts)
    plain = paired_difference(child, parent, few, level, bounds, lower_is_better)
    if len(set(prompts)) < 2 or len(set(judges)) < 2:
        return plain
    change, span = np.asarray(child) - np.asarray(parent), bounds[1] - bounds[0]
    mean, n = float(change.mean()), change.size
    found = clustered_covariance((change[:, None] - mean) / n, prompts, judges)
    error = math.sqrt(max(0.0, float(found.covariance[0, 0])))
    if error <= NOTHING * span:
        return plain
    degrees = found.n_clusters - 1
    half = float(special.stdtrit(degrees, (1 + level) / 2)) * error
    above = float(special.stdtr(degrees, mean / error))
    naive = float(change.std(ddof=1)) / math.sqrt(n)
    effect = (error / naive) ** 2 if naive > 0 else None
    return replace(
        plain,
        se=error,
        lo=max(-span, mean - half),
        hi=min(span, mean + half),
        method="t_clustered",
        df=degrees,
        p_better=1 - above if lower_is_better else above,
        p_value=float(2 * special.stdtr(degrees, -abs(mean) / error)),
        test="t_clustered",
        n_clusters=found.n_clusters,
        clustering=Clustering(error, naive, found.n_clusters, effect, None),
        warnings=found.warnings,
    )
