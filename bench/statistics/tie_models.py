"""Likelihoods of a judged comparison with ties, in the log-odds eta = theta_i - theta_j + x beta.

Called by `preference`. Each model also has at most one tie parameter t:

    half        a tie is half a win: sigma(eta)                           (Bradley & Terry 1952)
    decisive    the same, where the caller left ties out
    davidson    win : loss : tie = e^(eta/2) : e^(-eta/2) : nu, t = log nu       (Davidson 1970)
    rao_kupper  win sigma(eta - t), loss sigma(-eta - t), t = log tau      (Rao & Kupper 1967)

>>> rate, by_eta, by_t = TIE_MODELS["davidson"].score(0.0875, np.log(0.3525))
>>> round(rate, 4)
0.5186
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_expit

from bench.statistics.covariance import Array

Ties = Literal["half", "decisive", "davidson", "rao_kupper"]


@dataclass(frozen=True, slots=True, eq=False)
class Derivatives:
    """Log-likelihood [n] of n judgments with its first and second derivatives in eta and t."""

    value: Array
    eta: Array
    eta_eta: Array
    tie: Array
    eta_tie: Array
    tie_tie: Array


@dataclass(frozen=True, slots=True)
class TieParameter:
    """Where t starts, and `if_equal(t)`: P(tie) between equals with its derivative."""

    start: float
    if_equal: Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TieModel:
    """`derivatives(eta [n], t, outcomes [n])`, and the expected score of a judgment.

    `score(eta, t)` is P(win) + P(tie) / 2 with its derivatives in eta and t.
    """

    derivatives: Callable[[Array, float, Array], Derivatives]
    score: Callable[[float, float], tuple[float, float, float]]
    tie: TieParameter | None = None


def _half(eta: Array, tie: float, outcomes: Array) -> Derivatives:
    win, none = expit(eta), np.zeros_like(eta)
    value = outcomes * log_expit(eta) + (1 - outcomes) * log_expit(-eta)
    return Derivatives(value, outcomes - win, -win * expit(-eta), none, none, none)


def _davidson(eta: Array, tie: float, outcomes: Array) -> Derivatives:
    logs = np.stack([eta / 2, -eta / 2, np.full_like(eta, tie)])
    total = np.logaddexp.reduce(logs)
    win, loss, drawn = np.exp(logs - total)
    tied, lead = outcomes == 0.5, (win - loss) / 2
    return Derivatives(
        value=(outcomes - 0.5) * eta + tied * tie - total,
        eta=outcomes - 0.5 - lead,
        eta_eta=lead**2 - (win + loss) / 4,
        tie=tied - drawn,
        eta_tie=drawn * lead,
        tie_tie=-drawn * (1 - drawn),
    )


def _rao_kupper(eta: Array, tie: float, outcomes: Array) -> Derivatives:
    """P(tie) = sigma(eta + t) - sigma(eta - t) = sigma(eta + t) sigma(t - eta) (1 - e^(-2t))."""
    if tie <= 0:  # outside of the model: no step of Newton's may end here
        out = np.full_like(eta, -np.inf)
        return Derivatives(out, out, out, out, out, out)
    tied, side = outcomes == 0.5, np.sign(outcomes - 0.5)
    decided = side * eta - tie  # log-odds of what was observed, where that is no tie
    miss, above, below = expit(-decided), expit(-eta - tie), expit(eta - tie)
    curve = miss * (1 - miss)
    above_curve, below_curve = above * (1 - above), below * (1 - below)
    gap = -np.log(-np.expm1(-2 * tie))
    return Derivatives(
        value=np.where(tied, log_expit(eta + tie) + log_expit(tie - eta) - gap, log_expit(decided)),
        eta=np.where(tied, above - below, side * miss),
        eta_eta=np.where(tied, -above_curve - below_curve, -curve),
        tie=np.where(tied, above + below + 2 / np.expm1(2 * tie), -miss),
        eta_tie=np.where(tied, below_curve - above_curve, side * curve),
        tie_tie=np.where(tied, -above_curve - below_curve - np.sinh(tie) ** -2.0, -curve),
    )


def _half_score(eta: float, tie: float) -> tuple[float, float, float]:
    rate = float(expit(eta))
    return rate, rate * (1 - rate), 0.0


def _davidson_score(eta: float, tie: float) -> tuple[float, float, float]:
    logs = np.array([eta / 2, -eta / 2, tie])
    win, loss, drawn = np.exp(logs - np.logaddexp.reduce(logs)).tolist()
    lead = (win - loss) / 2
    return win + drawn / 2, win / 2 - win * lead - drawn * lead / 2, -drawn * lead


def _rao_kupper_score(eta: float, tie: float) -> tuple[float, float, float]:
    below, above = float(expit(eta - tie)), float(expit(eta + tie))
    below_curve, above_curve = below * (1 - below), above * (1 - above)
    return (below + above) / 2, (below_curve + above_curve) / 2, (above_curve - below_curve) / 2


def _davidson_tie(tie: float) -> tuple[float, float]:
    """nu / (2 + nu)."""
    rate = float(expit(tie - np.log(2)))
    return rate, rate * (1 - rate)


def _rao_kupper_tie(tie: float) -> tuple[float, float]:
    """(tau - 1) / (tau + 1)."""
    rate = float(np.tanh(tie / 2))
    return rate, (1 - rate**2) / 2


TIE_MODELS: dict[Ties, TieModel] = {
    "half": TieModel(_half, _half_score),
    "decisive": TieModel(_half, _half_score),
    "davidson": TieModel(_davidson, _davidson_score, TieParameter(-1.0, _davidson_tie)),
    "rao_kupper": TieModel(_rao_kupper, _rao_kupper_score, TieParameter(0.5, _rao_kupper_tie)),
}
