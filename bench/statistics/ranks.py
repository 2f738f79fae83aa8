"""Ranks with what is known of them: rank sets that hold all at once, P(best), tie groups.

Called by the reports for boards, on scores of shared items or on the ratings of a preference model.
A rank set holds the ranks that a model can have by the differences between all pairs of models,
whose intervals hold all at once (Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies
91:476):

>>> found = rank_sets([0.0, 1.5, 2.2, 2.3], np.diag([0.02] * 4))
>>> [(rank.best, rank.worst) for rank in found.ranks]
[(4, 4), (3, 3), (1, 2), (1, 2)]

Whether one model beats another is between these two: estimate, standard error, bounds and p-value
of a `Pair` are the same whoever else is on the board. Rank sets, joint bounds, joint p-values,
P(best), expected ranks and groups are about all models together and may change with them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bench.statistics.clusters import FEW_CLUSTERS
from bench.statistics.covariance import Array, mean_covariance
from bench.statistics.draws import centred_draws, seed_of
from bench.statistics.simultaneous import LargestT, checked, contrast_errors, largest_t

Places = NDArray[np.intp]
SAME = 1e-9  # of the largest standard error, what rounding leaves between equal draws


@dataclass(frozen=True, slots=True)
class Pair:
    """Model `first` minus model `second`, by their places in the input; by Student's t.

    `lo`, `hi` and `p` are of this pair alone; `joint_lo`, `joint_hi` and `joint_p` hold for all
    pairs at once.
    """

    first: int
    second: int
    estimate: float
    se: float
    lo: float
    hi: float
    p: float
    joint_lo: float
    joint_hi: float
    joint_p: float


@dataclass(frozen=True, slots=True)
class Rank:
    """The ranks from `best` to `worst` (1 is the highest estimate) that one model can have.

    `p_best` and `expected` (rank) are by the joint distribution of the estimates under a flat
    prior. Two models share one of `groups` (0 holds the highest estimate) just when their joint
    interval holds 0.
    """

    estimate: float
    se: float
    best: int
    worst: int
    p_best: float
    expected: float
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RankSets:
    """`ranks` of all models, in the order given, which hold all at once with `level`.

    `pairs` is every pair once; `critical` standard errors separate one. `n_items` and `n_clusters`
    are None where estimates and covariance were given.
    """

    ranks: tuple[Rank, ...]
    pairs: tuple[Pair, ...]
    critical: float
    level: float
    method: Literal["max_t"]
    seed: int
    n_items: int | None = None
    n_clusters: int | None = None
    warnings: tuple[str, ...] = ()


def rank_sets(
    estimates: ArrayLike,
    covariance: ArrayLike,
    level: float = 0.95,
    seed: int | None = None,
    degrees: float = math.inf,
) -> RankSets:
    """Ranks of `estimates` [M], the higher the better, with `covariance` [M, M].

    `degrees` of freedom are clusters - 1 for a covariance from clusters; `seed` is derived from
    the covariance unless given. A difference without variance counts as known. Where lower is
    better, give the estimates negated.

    Raises:
        ValueError: shapes do not fit, or a number is not finite.
    """
    return _ranked(*checked(estimates, covariance), level, seed, degrees, unseen=0.0)


def rank_sets_of_scores(
    scores: ArrayLike,
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int | None = None,
) -> RankSets:
    """Ranks of the means of `scores` [M, n], the higher the better, on n items that all answered.

    `clusters` [n] names what is not independent. Where two models differ by the same on all items,
    the standard error of the difference is its size times the probability that Clopper & Pearson's
    interval allows to what was never seen in as many clusters.

    Raises:
        ValueError: fewer than two clusters, or a missing score (keep to the items all share).
    """
    found = mean_covariance(scores, clusters)
    unseen = 1 - ((1 - level) / 2) ** (1 / found.n_clusters)
    ranked = _ranked(found.means, found.covariance, level, seed, found.n_clusters - 1, unseen)
    few = f"only {found.n_clusters} clusters: rank sets may be too narrow"
    return replace(
        ranked,
        n_items=found.n_items,
        n_clusters=found.n_clusters,
        warnings=(few,) if found.n_clusters < FEW_CLUSTERS else (),
    )


def _ranked(
    means: Array, covariance: Array, level: float, seed: int | None, degrees: float, unseen: float
) -> RankSets:
    """`unseen` times its size is the standard error of a difference that does not vary."""
    seed = seed_of(covariance) if seed is None else seed
    first, second = np.triu_indices(means.size, k=1)
    contrasts = np.eye(means.size)[first] - np.eye(means.size)[second]
    change, errors = contrasts @ means, contrast_errors(covariance, contrasts)
    errors = np.where(errors > 0, errors, unseen * np.abs(change))
    largest = largest_t(covariance, contrasts, degrees, seed)
    critical = largest.critical(level)
    # [i, j]: i ranks before j with confidence; and how probably.
    before, above = np.zeros((2, means.size, means.size))
    statistics = _statistics(change, errors)
    before[first, second], before[second, first] = statistics > critical, statistics < -critical
    above[first, second] = stats.t.cdf(statistics, degrees)
    above[second, first] = stats.t.sf(statistics, degrees)
    shares, groups = _shares_of_best(means, covariance, seed, degrees), _groups(means, before)
    ranks = [
        Rank(
            estimate=float(means[at]),
            se=math.sqrt(covariance[at, at]),
            best=1 + int(before[:, at].sum()),
            worst=means.size - int(before[at].sum()),
            p_best=float(shares[at]),
            expected=1 + float(above[:, at].sum()),
            groups=groups[at],
        )
        for at in range(means.size)
    ]
    pairs = _pairs((first, second), change, errors, largest, level)
    return RankSets(tuple(ranks), tuple(pairs), critical, level, "max_t", seed)


def _statistics(change: Array, errors: Array) -> Array:
    """How many standard errors each difference lies from 0: infinitely many for a known one."""
    known = np.where(change == 0, 0.0, np.copysign(np.inf, change))
    return np.divide(change, errors, out=known, where=errors > 0)


def _pairs(
    places: tuple[Places, Places], change: Array, errors: Array, largest: LargestT, level: float
) -> list[Pair]:
    distances = np.abs(_statistics(change, errors))
    half = errors * float(stats.t.isf((1 - level) / 2, largest.degrees))
    joint = errors * largest.critical(level)
    columns = [
        *places, change, errors, change - half, change + half,
        2 * stats.t.sf(distances, largest.degrees),
        change - joint, change + joint, largest.p_values(distances),
    ]  # fmt: skip
    return [Pair(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _shares_of_best(means: Array, covariance: Array, seed: int, degrees: float) -> Array:
    """The share of draws in which each model is the best; models drawn equal share it."""
    drawn = means + centred_draws(covariance, seed, degrees)
    near = SAME * math.sqrt(float(np.diag(covariance).max()))
    best = drawn >= drawn.max(axis=1, keepdims=True) - near
    shares: Array = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _groups(means: Array, before: Array) -> list[tuple[int, ...]]:
    """For each model the largest groups it is in within which nobody ranks before another.

    Piepho 2004 (Journal of Computational and Graphical Statistics 13:456): insert and absorb.
    """
    groups = {frozenset(range(means.size))}
    for one, other in np.argwhere(before).tolist():
        parts = {group - {out} for group in groups if {one, other} <= group for out in (one, other)}
        kept = {group for group in groups if not {one, other} <= group}
        parts = {part for part in parts if not any(part <= group for group in kept)}
        groups = kept | {part for part in parts if not any(part < other for other in parts)}
    order = sorted(groups, key=lambda group: sorted(-means[at] for at in group))
    return [
        tuple(place for place, group in enumerate(order) if at in group) for at in range(means.size)
    ]
