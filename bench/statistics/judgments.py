"""Pairwise judgments as they come from judges, and as the arrays that `preference` fits.

>>> data = checked(Judgments(["sft", "ppo"], [1, 1], [0, 0], [1.0, 0.5]), ties="decisive")
>>> data.outcomes.tolist(), design(data, anchor=0).tolist()
([1.0], [[1.0]])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.statistics.comparison_graph import Places
from bench.statistics.covariance import Array
from bench.statistics.tie_models import Ties

PRIOR = 0.5  # of a win and of a loss for each pair that the prior is given to


@dataclass(frozen=True, slots=True)
class Judgments:
    """n comparisons of two of the m models `names`, by their places in that list.

    `outcomes` are 1 where `first` was better, 0 where `second` was, 0.5 for a tie; `weights` (1
    unless given) multiply the log-likelihood. `prompts` and `annotators` name what judgments
    share. A covariate is its value for `first` minus that for `second`: of the slot 1 where
    `first` was shown first and -1 where second, of length tanh(difference / sd).
    """

    names: Sequence[str]
    first: ArrayLike
    second: ArrayLike
    outcomes: ArrayLike
    weights: ArrayLike | None = None
    prompts: Sequence[str] | None = None
    annotators: Sequence[str] | None = None
    covariates: Mapping[str, ArrayLike] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Judgments as arrays: `covariates` is [n, c]; the last `n_prior` rows are a prior's."""

    names: tuple[str, ...]
    first: Places
    second: Places
    outcomes: Array
    weights: Array
    prompts: tuple[str, ...]
    annotators: tuple[str, ...] | None
    covariate_names: tuple[str, ...]
    covariates: Array
    n_prior: int = 0

    @property
    def n_items(self) -> int:
        """Judgments without the rows of the prior."""
        return self.outcomes.size - self.n_prior


def checked(judgments: Judgments, ties: Ties) -> Data:
    """The judgments as arrays, without ties where they are "decisive".

    Raises:
        ValueError: no judgments, lengths that differ, or a name, place, outcome, weight or
            covariate that makes no sense.
    """
    outcomes = np.asarray(judgments.outcomes, float)
    names, n = tuple(judgments.names), outcomes.size
    first, second = np.asarray(judgments.first, int), np.asarray(judgments.second, int)
    weights = np.ones(n) if judgments.weights is None else np.asarray(judgments.weights, float)
    prompts = [str(at) for at in range(n)] if judgments.prompts is None else judgments.prompts
    annotators = None if judgments.annotators is None else tuple(judgments.annotators)
    columns = [np.asarray(column, float) for column in judgments.covariates.values()]
    lengths = {len(first), len(second), len(weights), len(prompts), *map(len, columns)}
    if lengths | ({len(annotators)} if annotators is not None else set()) != {n}:
        raise ValueError(f"{n} outcomes, but columns of {sorted(lengths - {n})}")
    if len(set(names)) < len(names):
        raise ValueError("two models of one name")
    _refuse(~np.isin(outcomes, (0.0, 0.5, 1.0)), outcomes, "outcome", "1, 0.5 or 0")
    _refuse(~(weights > 0) | ~np.isfinite(weights), weights, "weight", "a number above 0")
    for side in (first, second):
        _refuse((side < 0) | (side >= len(names)), side, "model", f"0 to {len(names) - 1}")
    _refuse(first == second, second, "second model", "another than the first")
    for name, column in zip(judgments.covariates, columns, strict=True):
        _refuse(~np.isfinite(column), column, name, "a finite number")
    covariates = np.stack(columns, axis=1) if columns else np.zeros((n, 0))
    data = Data(
        names, first, second, outcomes, weights, tuple(prompts), annotators,
        tuple(judgments.covariates), covariates,
    )  # fmt: skip
    data = _without_ties(data) if ties == "decisive" else data
    if not data.outcomes.size:
        raise ValueError("no judgments" if ties != "decisive" else "no judgments that are no tie")
    return data


def design(data: Data, anchor: int) -> Array:
    """[n, m - 1 + c]: 1 for the first model, -1 for the second, no column for the anchor."""
    rows = np.arange(data.outcomes.size)
    models = np.zeros((rows.size, len(data.names)))
    models[rows, data.first] = 1.0
    models[rows, data.second] = -1.0
    return np.hstack([np.delete(models, anchor, axis=1), data.covariates])


def with_prior(data: Data, stratum: Places) -> Data:
    """Half a win and half a loss more for each pair of models that met across two strata."""
    across = stratum[data.first] != stratum[data.second]
    met = np.stack([data.first[across], data.second[across]], axis=1)
    pairs = np.unique(np.sort(met, axis=1), axis=0)
    first, second = np.repeat(pairs, 2, axis=0).T
    n = first.size
    return replace(
        data,
        first=np.concatenate([data.first, first]),
        second=np.concatenate([data.second, second]),
        outcomes=np.concatenate([data.outcomes, np.tile([1.0, 0.0], len(pairs))]),
        weights=np.concatenate([data.weights, np.full(n, PRIOR)]),
        covariates=np.vstack([data.covariates, np.zeros((n, data.covariates.shape[1]))]),
        n_prior=n,
    )


def _without_ties(data: Data) -> Data:
    kept = np.flatnonzero(data.outcomes != 0.5)
    annotators = data.annotators
    return replace(
        data,
        first=data.first[kept],
        second=data.second[kept],
        outcomes=data.outcomes[kept],
        weights=data.weights[kept],
        prompts=tuple(data.prompts[at] for at in kept),
        annotators=None if annotators is None else tuple(annotators[at] for at in kept),
        covariates=data.covariates[kept],
    )


def _refuse(wrong: NDArray[np.bool_], values: Array | Places, what: str, expected: str) -> None:
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{what} of judgment {place} is {values[place]}, expected {expected}")
