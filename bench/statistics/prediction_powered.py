"""A rate judged by people on few items and by a judge model on many: PPI++.

Called by the reports that join human judgments with a judge model's. The judge's verdicts on all
items are corrected by its error on the items that people judged as well:

    theta = lambda mean(f_u) + mean(Y - lambda f)
    Var   = lambda^2 Var(f_u) / N + Var(Y - lambda f) / n
    lambda* = Cov(Y, f) / ((1 + n / N) Var(f))

>>> labels, judged = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1], [1, 1, 1, 1, 0, 1, 1, 0, 1, 0]
>>> found = prediction_powered(labels, judged, [1] * 750 + [0] * 250, power=1.0)
>>> round(found.estimate.estimate, 4), round(found.estimate.se, 4), round(found.human.se, 4)
(0.75, 0.1497, 0.1528)
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bench.statistics.covariance import Array
from bench.statistics.estimate import Estimate, rate_estimate
from bench.statistics.intervals import NOTHING
from bench.statistics.winrate import win_rate

FEW_ERRORS = 10  # of the judge: its rate of error is hardly known from fewer
APART = 3.0  # standard errors between the judge's means on labelled and other items


@dataclass(frozen=True, slots=True)
class PredictionPowered:
    """`estimate` joins people and judge, the judge with weight `power`; `human` is people alone.

    `efficiency` is (human se / se)^2: how many times as many labels would say as much without the
    judge; 1 for people alone.
    """

    estimate: Estimate
    human: Estimate
    power: float
    efficiency: float


def prediction_powered(
    labels: ArrayLike,
    predictions: ArrayLike,
    unlabelled: ArrayLike,
    power: float | None = None,
    level: float = 0.95,
) -> PredictionPowered:
    """The mean label of all items, from n labelled ones and N others that a judge alone scored.

    `labels` [n] are people's, `predictions` [n] the judge's of the same items, `unlabelled` [N] the
    judge's of the others, all in [0, 1], items independent, the labelled ones drawn at random.
    `power` is lambda: 0 is people alone, 1 the judge at full weight (which can be worse than people
    alone); unless given, lambda* of the data, kept within [0, 1].
    Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453; t bounds of the log-odds with n - 1 degrees
    of freedom. An estimate outside (0, 1), which few labels can give, becomes that of people alone.

    Raises:
        ValueError: fewer than two labels or unlabelled items, lengths that differ, or a number
            outside [0, 1].
    """
    y, f, others = _unit(labels), _unit(predictions), _unit(unlabelled)
    if y.size != f.size or min(y.size, others.size) < 2:
        raise ValueError(
            f"{y.size} labels, {f.size} predictions of them, {others.size} others: expected a "
            "prediction for each label, and at least two labels and two others"
        )
    weight = _best_power(y, f, others) if power is None else power
    human = win_rate(y, level=level).win_rate
    rate = float(weight * others.mean() + (y - weight * f).mean())
    judge = float(others.var(ddof=1)) * weight**2 / others.size
    error = math.sqrt(judge + float((y - weight * f).var(ddof=1)) / y.size)
    if weight == 0 or error <= NOTHING or not 0 < rate < 1:
        told = () if power == 0 else ("with the judge no rate, error or gain: people alone",)
        row = replace(human, warnings=(*human.warnings, *told))
        return PredictionPowered(row, human, 0.0, 1.0)
    assert human.se is not None
    n_items, warnings = y.size + others.size, _warnings(y, f, others)
    row = rate_estimate(rate, error, level, n_items, y.size, warnings)
    return PredictionPowered(row, human, weight, (human.se / error) ** 2)


def _unit(column: ArrayLike) -> Array:
    values = np.asarray(column, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("expected numbers in [0, 1], with none missing")
    return values


def _best_power(y: Array, f: Array, others: Array) -> float:
    """lambda*, which makes the variance smallest; Var(f) is that of all items."""
    spread = float(np.concatenate([f, others]).var())
    if spread <= NOTHING:
        return 0.0
    covariance = float(((y - y.mean()) * (f - f.mean())).mean())
    return min(1.0, max(0.0, covariance / ((1 + y.size / others.size) * spread)))


def _warnings(y: Array, f: Array, others: Array) -> tuple[str, ...]:
    told = []
    apart = abs(float(f.mean() - others.mean()))
    scale = math.sqrt(float(f.var(ddof=1)) / f.size + float(others.var(ddof=1)) / others.size)
    if apart > APART * scale + NOTHING:
        told.append(
            f"the judge gives labelled items {f.mean():.3f} and others {others.mean():.3f}: "
            "were they drawn at random?"
        )
    errors = int((y != f).sum())
    if errors < FEW_ERRORS:
        told.append(f"the judge differs from people on {errors} labels: the error may be too small")
    told += _weak(y, f)
    return tuple(told)


def _weak(y: Array, f: Array) -> list[str]:
    """Below a correlation of 1 / sqrt(n - 2) the judge adds more noise than it takes away.

    Mani, Xu, Lipton & Oberst 2025, arXiv:2505.20178.
    """
    spread = float(y.std() * f.std())
    related = float(((y - y.mean()) * (f - f.mean())).mean()) / spread if spread > NOTHING else 0.0
    if y.size > 2 and related >= 1 / math.sqrt(y.size - 2):
        return []
    return [f"the judge's correlation with people, {related:.2f}, is too low to help"]
