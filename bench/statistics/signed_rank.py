"""Bayesian sign and signed-rank tests: does a model win over many tasks, beyond a region?

Benavoli et al. 2014, ICML (PMLR 32:1026) and 2017, JMLR 18:77. Each task gives one difference of
two models; every draw weighs the tasks anew (Dirichlet process) and one of worse, equivalent and
better gets the most weight. 18 tasks worse by more than 1, 15 within 1, and 21 better:

>>> found = bayesian_sign([-2.0] * 18 + [0.5] * 15 + [3.0] * 21, region=1.0)
>>> round(found.p_worse, 2), round(found.p_equivalent, 2), round(found.p_better, 2)
(0.27, 0.13, 0.6)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.statistics.draws import seed_of
from bench.statistics.scale import Matrix, Values

DRAWS = 50_000
TIED = 1e-12


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Probabilities that worse, equivalent or better is the likeliest on a task; they add to 1."""

    p_worse: float
    p_equivalent: float
    p_better: float
    region: float
    method: Literal["sign", "signed_rank"]
    n_tasks: int
    draws: int
    seed: int


def bayesian_sign(
    differences: Sequence[float], region: float, prior: float = 1.0, draws: int = DRAWS
) -> TaskComparison:
    """Counts tasks: `differences` [T], better above 0, against a `region` >= 0.

    The shares of tasks below, within and above the region ~ Dirichlet(counts), with `prior` more
    tasks within it. Tasks whose regions differ: divide each difference by its own, region 1.

    Raises:
        ValueError: no differences, or the region is below 0.
    """
    values, mirrored = _oriented(differences, region)
    seed = seed_of(values, [region, prior])
    below, above = int((values < -region).sum()), int((values > region).sum())
    counts = np.array([below, values.size - below - above + prior, above])
    # Gammas in the ratio of Dirichlet shares; nothing seen and no prior is a share of 0.
    shares = np.random.default_rng(seed).standard_gamma(counts, (draws, 3))
    return _comparison(shares, mirrored, region, "sign", values.size, seed)


def bayesian_signed_rank(
    differences: Sequence[float], region: float, prior: float = 0.5, draws: int = DRAWS
) -> TaskComparison:
    """Weighs sizes too: the means of pairs of `differences` [T], better above 0.

    Weights w ~ Dirichlet(prior, 1, ..., 1) of the differences and of one task at 0; the share above
    the region is sum_ij w_i w_j [(z_i + z_j) / 2 > region], ties with the region counting half.

    Raises:
        ValueError: no differences, or the region is below 0.
    """
    values, mirrored = _oriented(differences, region)
    seed = seed_of(values, [region, prior])
    random = np.random.default_rng(seed)
    weights = random.dirichlet([prior, *[1.0] * values.size], draws)
    means = np.add.outer([0.0, *values], [0.0, *values]) / 2
    above = _share(weights, means - region)
    below = _share(weights, -means - region)
    shares = np.column_stack([below, 1 - below - above, above])
    return _comparison(shares, mirrored, region, "signed_rank", values.size, seed)


def _oriented(differences: Sequence[float], region: float) -> tuple[Values, bool]:
    """Sorted, and mirrored where that comes first: draws for two models are those for them swapped.

    Returns the values and whether they were mirrored.
    """
    if len(differences) == 0 or region < 0:
        raise ValueError(f"{len(differences)} differences against a region of {region}")
    values = np.sort(np.asarray(differences, dtype=float))
    mirror = np.sort(-values)
    if tuple(mirror) < tuple(values):
        return mirror, True
    return values, False


def _share(weights: Matrix, beyond: Matrix) -> Values:
    """sum_ij w_i w_j H(beyond_ij) for each row of `weights` [D, T + 1]; H is 1, 1/2 at 0, or 0."""
    step = np.heaviside(np.where(np.abs(beyond) <= TIED, 0.0, beyond), 0.5)
    found: Values = ((weights @ step) * weights).sum(axis=1)
    return found


def _comparison(
    shares: Matrix,
    mirrored: bool,
    region: float,
    method: Literal["sign", "signed_rank"],
    n_tasks: int,
    seed: int,
) -> TaskComparison:
    """How often each of the columns of `shares` [D, 3] is the largest; ties are split."""
    largest = shares >= shares.max(axis=1, keepdims=True) - TIED
    worse, equivalent, better = (largest / largest.sum(axis=1, keepdims=True)).mean(axis=0)
    if mirrored:
        worse, better = better, worse
    return TaskComparison(
        float(worse), float(equivalent), float(better), region, method, n_tasks, len(shares), seed
    )
