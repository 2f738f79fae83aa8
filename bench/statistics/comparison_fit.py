"""The most likely ratings of judged comparisons, by Newton's method.

Called by `preference` with a design matrix; knows nothing of models' names, clusters or intervals.

>>> from bench.statistics.tie_models import TIE_MODELS
>>> found = fit(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4), TIE_MODELS["half"])
>>> round(float(found.parameters[0]), 4)  # log 3
1.0986
"""

from dataclasses import dataclass

import numpy as np

from bench.statistics.covariance import Array
from bench.statistics.tie_models import Derivatives, TieModel

DIVERGED = 15.0  # log-odds that would take millions of judgments to tell from infinity
STEPS = 100
CLOSE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Maximum of the likelihood at `parameters` [p], the tie parameter last where there is one.

    `scores` [n, p] are the gradients of each judgment's weighted log-likelihood, `inverse` [p, p]
    is the inverse of the negative Hessian.
    """

    parameters: Array
    scores: Array
    inverse: Array


def fit(design: Array, outcomes: Array, weights: Array, model: TieModel) -> Fit | None:
    """The maximum for `design` [n, k], `outcomes` [n] and `weights` [n]; None where none is finite.

    The log-likelihoods are concave, so Newton's steps, halved until they improve, end at the only
    maximum; where they walk towards infinity the judgments are separated.
    """
    columns = design.shape[1]
    place = np.zeros(columns if model.tie is None else columns + 1)
    if model.tie is not None:
        place[-1] = model.tie.start
    found = _derivatives(design, place, outcomes, model)
    for _ in range(STEPS):
        scores, hessian = _score_and_hessian(design, found, weights, place.size)
        try:
            inverse = np.linalg.inv(hessian).astype(np.float64)
        except np.linalg.LinAlgError:
            return None
        step = inverse @ scores.sum(axis=0)
        if float(np.abs(step).max(initial=0.0)) < CLOSE:
            return Fit(place, scores, inverse)
        before = float(weights @ found.value)
        while True:
            found = _derivatives(design, place + step, outcomes, model)
            if float(weights @ found.value) >= before - CLOSE * abs(before):
                break
            step /= 2
        place = place + step
        tie = 0.0 if model.tie is None else abs(float(place[-1]))
        if max(tie, float(np.abs(design @ place[:columns]).max())) > DIVERGED:
            return None
    return None


def _derivatives(design: Array, place: Array, outcomes: Array, model: TieModel) -> Derivatives:
    tie = 0.0 if model.tie is None else float(place[-1])
    return model.derivatives(design @ place[: design.shape[1]], tie, outcomes)


def _score_and_hessian(
    design: Array, found: Derivatives, weights: Array, parameters: int
) -> tuple[Array, Array]:
    """Scores [n, p] and the negative Hessian [p, p]: the chain rule from eta and t."""
    scores = design * (weights * found.eta)[:, None]
    hessian = -(design * (weights * found.eta_eta)[:, None]).T @ design
    if parameters == design.shape[1]:
        return scores, hessian
    mixed = -design.T @ (weights * found.eta_tie)
    corner = -float(weights @ found.tie_tie)
    hessian = np.block([[hessian, mixed[:, None]], [mixed[None, :], np.array([[corner]])]])
    return np.column_stack([scores, weights * found.tie]), hessian
