"""Which model do judges prefer, by how much: the Bradley-Terry family with ties and covariates.

Called by the reports on pairwise judgments, of people or of a judge model. The win rate against the
anchor (the SFT parent) comes first, ratings second. `theta` and `covariance` go into
`bench.statistics.ranks.rank_sets`.

    ties="half"        a tie is half a win (Chatbot Arena)
    ties="decisive"    ties are left out
    ties="davidson"    ties have a parameter; also ties="rao_kupper"

>>> wins = [1.0] * 58 + [0.5] * 14 + [0.0] * 28
>>> found = preference(Judgments(["sft", "ppo"], [1] * 100, [0] * 100, wins), anchor=0)
>>> ppo = found.win_rates[1]
>>> round(ppo.estimate, 3), round(ppo.lo, 3), round(ppo.hi, 3)
(0.65, 0.558, 0.732)
"""

import math
from dataclasses import dataclass

import numpy as np

from bench.statistics.comparison_fit import Fit, fit
from bench.statistics.comparison_graph import Cycle, majority_cycles, pools, strata, unbeaten
from bench.statistics.covariance import Array
from bench.statistics.estimate import Estimate, rate_estimate, t_estimate
from bench.statistics.judgments import Data, Judgments, checked, design, with_prior
from bench.statistics.sandwich import clustered_covariance
from bench.statistics.tie_models import TIE_MODELS, TieModel, Ties

ELO = 400 / math.log(10)  # rating points per unit of theta
ELO_MEAN = 1000.0
FEW_JUDGMENTS = 20
BALANCED = 1e-6  # of the Hessian's variance: a sandwich below it is none


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """Ratings of m models. Rows stand in the order of `names`.

    `win_rates` are against the anchor, with ties as half a win (none in "decisive"); `ratings` are
    on Elo's scale, relative to the mean of all models, which is 1000. Their `n_items` are the
    judgments of that model. `theta` [m] is 0 at the anchor, `covariance` [m, m] the sandwich
    clustered by prompt and annotator, `model_covariance` [m, m] the inverse Hessian, which takes
    judgments as independent and the model as true. `tie_parameter` is Davidson's nu or Rao &
    Kupper's tau, `tie_if_equal` the probability of a tie between equals. `n_clusters` less 1 are
    the degrees of freedom.
    """

    names: tuple[str, ...]
    anchor: str
    ties: Ties
    win_rates: tuple[Estimate, ...]
    ratings: tuple[Estimate, ...]
    theta: Array
    covariance: Array
    model_covariance: Array
    covariates: dict[str, Estimate]
    tie_parameter: float | None
    tie_if_equal: Estimate | None
    cycles: tuple[Cycle, ...]
    level: float
    n_items: int
    n_clusters: int
    warnings: tuple[str, ...]


def preference(
    judgments: Judgments, anchor: int = 0, ties: Ties = "half", level: float = 0.95
) -> Preference:
    """Ratings of all models of `judgments`, relative to the model at place `anchor`.

    A model that never lost (or a group that never lost to the rest) has no finite rating: half a
    win and half a loss are then added to each pair that met across the gap (for one pair the
    correction of Firth 1993, Biometrika 80:27), and a warning says so.

    Raises:
        ValueError: models are not linked by judgments (the message names the pools); covariates
            cannot be told apart from the models, or separate the outcomes; fewer than two
            prompts; lengths, places, outcomes or weights that make no sense.
    """
    data = checked(judgments, ties)
    if not 0 <= anchor < len(data.names):
        raise ValueError(f"anchor {anchor}, expected 0 to {len(data.names) - 1}")
    groups = pools(data.first, data.second, len(data.names))
    if len(groups) > 1:
        apart = " and ".join(_together(data.names, group) for group in groups)
        left_out = " once ties are left out" if ties == "decisive" else ""
        raise ValueError(f"not linked by judgments{left_out}: {apart}")
    model, warnings = TIE_MODELS[ties], _warnings_of(data)
    if model.tie is not None and not (data.outcomes == 0.5).any():
        model, warnings = TIE_MODELS["half"], (*warnings, "no ties: no tie parameter")
    elif model.tie is not None and (data.outcomes == 0.5).all():
        raise ValueError(f"all judgments are ties: {ties} has no finite tie parameter")
    data, fitted, prior = _fitted(data, anchor, ties, model)
    covariance, n_clusters, few = _covariance(data, fitted)
    solution = _Solution(data, anchor, model, fitted, covariance, n_clusters, level, (*prior, *few))
    return _preference(solution, ties, (*warnings, *prior, *few))


def theta_difference(found: Preference, child: str, parent: str) -> Estimate:
    """theta of `child` minus theta of `parent`, in log-odds, with t bounds.

    Raises:
        ValueError: a name that is not among `found.names`.
    """
    contrast = np.zeros(len(found.names))
    for name, sign in ((child, 1.0), (parent, -1.0)):
        if name not in found.names:
            raise ValueError(f"no model {name} among {', '.join(found.names)}")
        contrast[found.names.index(name)] += sign
    error = _error(contrast, found.covariance)
    value = float(contrast @ found.theta)
    return t_estimate(value, error, found.level, found.n_items, found.n_clusters, found.warnings)


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """What all rows are read from; `covariance` [p, p] is that of the fitted parameters.

    `warnings` are those that concern every row.
    """

    data: Data
    anchor: int
    model: TieModel
    fitted: Fit
    covariance: Array
    n_clusters: int
    level: float
    warnings: tuple[str, ...]

    @property
    def lift(self) -> Array:
        """[m, p]: theta of all models from the parameters."""
        lift = np.zeros((len(self.data.names), self.fitted.parameters.size))
        others = [place for place in range(len(self.data.names)) if place != self.anchor]
        lift[others, range(len(others))] = 1.0
        return lift

    @property
    def tie(self) -> float:
        return 0.0 if self.model.tie is None else float(self.fitted.parameters[-1])


def _fitted(
    data: Data, anchor: int, ties: Ties, model: TieModel
) -> tuple[Data, Fit, tuple[str, ...]]:
    """The data and the fit, both with a prior where it takes one, and a warning of that."""
    columns = design(data, anchor)
    scale = np.sqrt((columns**2).sum(axis=0))
    scaled = columns / np.where(scale > 0, scale, 1.0)
    if np.linalg.matrix_rank(scaled.T @ scaled, hermitian=True) < scale.size:
        told = ", ".join(data.covariate_names)
        raise ValueError(f"covariates that the models or each other already tell: {told}")
    found = fit(columns, data.outcomes, data.weights, model)
    if found is not None:
        return data, found, ()
    # Where ties have a parameter of their own, they do not bound the distance of two models.
    linked = ties == "half"
    stratum = strata(data.first, data.second, data.outcomes, len(data.names), linked)
    padded = with_prior(data, stratum)
    found = fit(design(padded, anchor), padded.outcomes, padded.weights, model)
    if found is None:
        told = ", ".join(data.covariate_names)
        raise ValueError(f"no finite fit: outcomes follow from covariates without fail: {told}")
    groups = unbeaten(data.first, data.second, data.outcomes, stratum, linked)
    told = " and ".join(_together(data.names, group) for group in groups)
    return padded, found, (f"never lost to the rest: {told}; prior of half a win and half a loss",)


def _covariance(data: Data, fitted: Fit) -> tuple[Array, int, tuple[str, ...]]:
    """The sandwich of all parameters [p, p], its clusters and warnings.

    Each row of the prior counts as one more cluster: otherwise a model that never lost, whose
    judgments fit all but exactly, would have next to no error.
    """
    influence = fitted.scores @ fitted.inverse
    judged, prior = influence[: data.n_items], influence[data.n_items :]
    found = clustered_covariance(judged, data.prompts, data.annotators)
    covariance, warnings = found.covariance + prior.T @ prior, found.warnings
    if found.n_clusters <= fitted.parameters.size:
        warnings += (f"{found.n_clusters} clusters for {fitted.parameters.size} parameters",)
    unseen = _unseen(covariance, float(data.weights.mean()) * fitted.inverse)
    if unseen.any():
        warnings += ("clusters cancel out or are too few: in part errors of independent judgments",)
    return covariance + unseen, found.n_clusters, warnings


def _unseen(covariance: Array, expected: Array) -> Array:
    """What to add to the sandwich [p, p] so that no contrast counts as known without error.

    Where all judgments of two models are ties, or wins and losses are equal within each cluster,
    or clusters are no more than parameters, some contrast has a sandwich variance of 0; it gets
    that of `expected`, the inverse Hessian. No other contrast that is independent of it changes.
    """
    root = np.linalg.cholesky(expected)
    half = np.linalg.solve(root, covariance)
    values, vectors = np.linalg.eigh(np.linalg.solve(root, half.T))
    span = root @ vectors[:, values < BALANCED]
    added: Array = span @ span.T
    return added


def _preference(solution: _Solution, ties: Ties, warnings: tuple[str, ...]) -> Preference:
    data, lift = solution.data, solution.lift
    theta = lift @ solution.fitted.parameters
    covariance = lift @ solution.covariance @ lift.T
    places = range(len(data.names))
    first = len(data.names) - 1
    equal = _tie_if_equal(solution)
    return Preference(
        names=data.names,
        anchor=data.names[solution.anchor],
        ties=ties,
        win_rates=tuple(_win_rate(solution, place) for place in places),
        ratings=tuple(_rating(solution, theta, covariance, place) for place in places),
        theta=theta,
        covariance=covariance,
        model_covariance=lift @ solution.fitted.inverse @ lift.T,
        covariates={
            name: _covariate(solution, first + at) for at, name in enumerate(data.covariate_names)
        },
        tie_parameter=None if equal is None else math.exp(solution.tie),
        tie_if_equal=equal,
        cycles=tuple(_cycles(data)),
        level=solution.level,
        n_items=data.n_items,
        n_clusters=solution.n_clusters,
        warnings=warnings,
    )


def _win_rate(solution: _Solution, place: int) -> Estimate:
    """P(win) + P(tie) / 2 against the anchor; of the anchor itself, 1/2."""
    judged = _judged(solution.data, place)
    if place == solution.anchor:
        return Estimate(
            0.5, 0.0, 0.5, 0.5, solution.level, "definition", judged, solution.n_clusters
        )
    row = solution.lift[place]
    eta = float(row @ solution.fitted.parameters)
    rate, by_eta, by_tie = solution.model.score(eta, solution.tie)
    gradient = by_eta * row
    if solution.model.tie is not None:
        gradient[-1] = by_tie
    error = _error(gradient, solution.covariance)
    warnings = (*solution.warnings, *_few_judgments(solution.data, place))
    return rate_estimate(rate, error, solution.level, judged, solution.n_clusters, warnings)


def _rating(solution: _Solution, theta: Array, covariance: Array, place: int) -> Estimate:
    contrast = ELO * (np.eye(theta.size)[place] - 1 / theta.size)
    rating, error = ELO_MEAN + float(contrast @ theta), _error(contrast, covariance)
    judged = _judged(solution.data, place)
    warnings = (*solution.warnings, *_few_judgments(solution.data, place))
    return t_estimate(rating, error, solution.level, judged, solution.n_clusters, warnings)


def _covariate(solution: _Solution, column: int) -> Estimate:
    value = float(solution.fitted.parameters[column])
    error = math.sqrt(solution.covariance[column, column])
    n_items, warnings = solution.data.n_items, solution.warnings
    return t_estimate(value, error, solution.level, n_items, solution.n_clusters, warnings)


def _tie_if_equal(solution: _Solution) -> Estimate | None:
    if solution.model.tie is None:
        return None
    rate, by_tie = solution.model.tie.if_equal(solution.tie)
    error = abs(by_tie) * math.sqrt(solution.covariance[-1, -1])
    n_items, warnings = solution.data.n_items, solution.warnings
    return rate_estimate(rate, error, solution.level, n_items, solution.n_clusters, warnings)


def _error(contrast: Array, covariance: Array) -> float:
    # Rounding can pass 0 by an ulp.
    return math.sqrt(max(0.0, float(contrast @ covariance @ contrast)))


def _cycles(data: Data) -> list[Cycle]:
    n = data.n_items
    return majority_cycles(
        data.first[:n], data.second[:n], data.outcomes[:n], data.weights[:n], len(data.names)
    )


def _judged(data: Data, place: int) -> int:
    n = data.n_items
    return int(((data.first[:n] == place) | (data.second[:n] == place)).sum())


def _few_judgments(data: Data, place: int) -> tuple[str, ...]:
    judged = _judged(data, place)
    return (f"only {judged} judgments of {data.names[place]}",) if judged < FEW_JUDGMENTS else ()


def _warnings_of(data: Data) -> tuple[str, ...]:
    """Cycles and models that were judged too rarely."""
    cycles = [
        f"a cycle: {' > '.join(data.names[place] for place in (*cycle.models, cycle.models[0]))}"
        f" (its closest pair {cycle.wins:g} : {cycle.losses:g})"
        for cycle in _cycles(data)
    ]
    few = [told for place in range(len(data.names)) for told in _few_judgments(data, place)]
    return (*cycles, *few)


def _together(names: tuple[str, ...], group: list[int]) -> str:
    return "{" + ", ".join(names[place] for place in group) + "}"
