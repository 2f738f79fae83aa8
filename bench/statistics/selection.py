"""The best of several checkpoints, corrected for having been chosen by the same scores.

Called by the reports where a checkpoint was picked on the board: the highest of M estimates is on
average too high (winner's curse). The correction is the hybrid one of Andrews, Kitagawa & McCloskey
2024 ("Inference on Winners", Quarterly Journal of Economics 139:305): median-unbiased, with an
interval that covers the true value of whichever model wins. A close contender costs the most:

>>> close = corrected_winner([0.50, 0.49, 0.30], np.diag([0.0004] * 3))
>>> clear = corrected_winner([0.50, 0.30, 0.29], np.diag([0.0004] * 3))
>>> close.naive, round(close.estimate, 2), round(clear.estimate, 2)
(0.5, 0.48, 0.5)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from bench.statistics.clusters import FEW_CLUSTERS
from bench.statistics.covariance import Array, mean_covariance
from bench.statistics.simultaneous import SAME, checked, largest_t

CLOSE = 0.1  # standard errors; nearer, the correction takes off nearly all that it may


@dataclass(frozen=True, slots=True)
class Winner:
    """The model at place `index` won with the estimate `naive`, whose standard error is `se`.

    `estimate`, `lo` and `hi` are corrected for the choice; None where `naive` does not vary.
    `n_items` and `n_clusters` are None where estimates and covariance were given.
    """

    index: int
    naive: float
    se: float
    estimate: float | None
    lo: float | None
    hi: float | None
    level: float
    method: Literal["hybrid", "none"]
    n_models: int
    n_items: int | None = None
    n_clusters: int | None = None
    warnings: tuple[str, ...] = ()


def corrected_winner(
    estimates: ArrayLike, covariance: ArrayLike, level: float = 0.95, seed: int | None = None
) -> Winner:
    """The highest of `estimates` [M], approximately normal with `covariance` [M, M].

    Against a parent, give differences to it and their covariance. Bounds and estimate are
    quantile-unbiased given which model won, given what in the others is independent of it, and
    given that the simultaneous interval of level 1 - (1 - level) / 10 holds (the paper's beta =
    alpha / 10); they never leave that interval.

    Raises:
        ValueError: shapes do not fit, or a number is not finite.
    """
    means, spread = checked(estimates, covariance)
    index = int(means.argmax())
    naive, error = float(means[index]), math.sqrt(spread[index, index])
    empty = Winner(index, naive, error, None, None, None, level, "none", means.size)
    if error == 0:
        return replace(empty, warnings=("the winner's score does not vary: no correction",))
    beta = (1 - level) / 10
    reach = largest_t(spread, np.eye(means.size), seed=seed).critical(1 - beta)
    tail = (1 - level - beta) / (1 - beta) / 2
    support = _support(means, spread, index)
    estimate, lo, hi = (
        naive + error * _unbiased_quantile(above, support, reach) for above in (0.5, tail, 1 - tail)
    )
    second = naive - float(np.delete(means, index).max(initial=-math.inf))
    close = (
        ("another did as well: which of them is best is open",) if second < CLOSE * error else ()
    )
    return replace(empty, estimate=estimate, lo=lo, hi=hi, method="hybrid", warnings=close)


def corrected_winner_of_scores(
    scores: ArrayLike,
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int | None = None,
) -> Winner:
    """The highest mean among `scores` [M, n] of n items that all answered, or among M changes.

    `clusters` [n] names what is not independent.

    Raises:
        ValueError: fewer than two clusters, or a missing score (keep to the items all share).
    """
    found = mean_covariance(scores, clusters)
    winner = corrected_winner(found.means, found.covariance, level, seed)
    few = f"only {found.n_clusters} clusters: the interval may be too narrow"
    warnings = (*winner.warnings, *((few,) if found.n_clusters < FEW_CLUSTERS else ()))
    return replace(winner, n_items=found.n_items, n_clusters=found.n_clusters, warnings=warnings)


def _support(means: Array, covariance: Array, index: int) -> tuple[float, float]:
    """How far the winner could have scored below and above and still have won, in its standard
    errors from where it is: the paper's [L, U], with what is independent of it held.

    The others move by their regression on the winner; those that move as it does set no limit.
    """
    slopes = covariance[:, index] / covariance[index, index]
    gaps = (means[index] - means) / math.sqrt(covariance[index, index])
    nearing, passing = 1 - slopes > SAME, slopes - 1 > SAME
    lower = -(gaps[nearing] / (1 - slopes[nearing])).min(initial=math.inf)
    upper = (gaps[passing] / (slopes[passing] - 1)).min(initial=math.inf)
    return float(lower), float(upper)


def _unbiased_quantile(below: float, support: tuple[float, float], reach: float) -> float:
    """The mean, in standard errors from the estimate, that exceeds the true one with probability
    `below`: the root of F(0; mean) = 1 - below, for F the distribution of a unit normal around the
    mean cut to `support` and to `reach` on both sides of the mean.
    """

    def excess(mean: float) -> float:
        lower, upper = max(support[0], mean - reach), min(support[1], mean + reach)
        at, low, high = ndtr([-mean, lower - mean, upper - mean])
        return float(at - low - (1 - below) * (high - low))

    return float(brentq(excess, -reach, reach))
