"""Win rates with length taken out: would judges prefer the model if its answers were not longer?

Called by the reports on judgments against one baseline. Preference is fitted as

    logit E[preference] = a + b tanh(dlen / sd(dlen)) (+ c difficulty)

and read at dlen = 0 (Dubois, Galambosi, Liang & Hashimoto 2024, arXiv:2404.04475), with an error
that, unlike `lc_standard_error` of AlpacaEval, is one of the estimate and not of fitted values.

>>> longer = [400.0, 300.0, 200.0, 100.0, 0.0, -100.0, -200.0, -300.0] * 20
>>> won = [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0] * 18 + [0.0] * 8 + [1.0] * 8
>>> found = length_controlled(LengthJudgments(won, longer))
>>> round(found.raw.estimate, 3), round(found.controlled.estimate, 3)
(0.5, 0.397)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from bench.statistics.covariance import Array
from bench.statistics.estimate import Estimate, difference_estimate, rate_estimate
from bench.statistics.fractional_logit import fit_logits
from bench.statistics.intervals import NOTHING
from bench.statistics.sandwich import clustered_covariance
from bench.statistics.winrate import win_rate

OVERLAP_SHARE = 0.1  # of the items must have answers at most as long as the baseline's, and as many
OVERLAP_ITEMS = 10  # at least as long; and so many items


@dataclass(frozen=True, slots=True)
class LengthJudgments:
    """n judgments of one model against a baseline, in any unit of length.

    `preferences` are in [0, 1] (1 the model is better, a tie 0.5), `length_differences` the
    model's length minus the baseline's. `difficulty`, where given, is a number of each item that
    preference may depend on as well. `prompts` names what is not independent.
    """

    preferences: ArrayLike
    length_differences: ArrayLike
    difficulty: ArrayLike | None = None
    prompts: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LengthControlled:
    """The win rate as it is, and `controlled`: at equal length.

    `controlled.estimate` is None with method "not_identified" where no data say what happens at
    equal length. `influence` [n] of each judgment on the estimate, whose sums over clusters give
    its error; None where there is no estimate.
    """

    raw: Estimate
    controlled: Estimate
    influence: Array | None


def length_controlled(judgments: LengthJudgments, level: float = 0.95) -> LengthControlled:
    """The win rate at equal length, with the delta-method sandwich error clustered by prompt.

    Equal length must be something that happens: unless a tenth of the items, and ten, have answers
    at least as long as the baseline's and as many at most as long, the estimate would be an
    extrapolation and is "not identified". So it is where length separates wins from losses. The
    scale sd(dlen) counts as known. With a difficulty, the mean over items of the prediction. t
    bounds of the log-odds with G - 1 degrees of freedom for G prompts.

    Raises:
        ValueError: no judgments, columns of different lengths, a preference outside [0, 1], or a
            number that is not finite.
    """
    return _controlled(length_data(judgments), level)


def length_controlled_difference(
    child: LengthJudgments, parent: LengthJudgments, level: float = 0.95
) -> Estimate:
    """Length-controlled win rate of `child` minus that of `parent`, paired by item.

    Both were judged against one baseline on the same items in the same order; each is fitted for
    itself. The error is that of the differences of influence, which counts what items have in
    common. Not identified where one of the two is not.

    Raises:
        ValueError: other items than the other's, or as `length_controlled`.
    """
    ours, theirs = length_data(child), length_data(parent)
    if ours.prompts != theirs.prompts:
        raise ValueError("the two were judged on different items, or in another order")
    one, other = _controlled(ours, level), _controlled(theirs, level)
    warnings = tuple(dict.fromkeys((*one.controlled.warnings, *other.controlled.warnings)))
    if one.influence is None or other.influence is None:
        blank = one.controlled if one.influence is None else other.controlled
        return replace(blank, warnings=warnings)
    assert one.controlled.estimate is not None
    assert other.controlled.estimate is not None
    change = one.controlled.estimate - other.controlled.estimate
    return _row(change, one.influence - other.influence, ours.prompts, level, difference=True)


@dataclass(frozen=True, slots=True, eq=False)
class LengthData:
    """`LengthJudgments` as arrays [n], checked."""

    y: Array
    lengths: Array
    difficulty: Array | None
    prompts: tuple[str, ...]


def length_data(judgments: LengthJudgments) -> LengthData:
    """The judgments as arrays; raises as `length_controlled` says."""
    y = np.asarray(judgments.preferences, dtype=np.float64)
    lengths = np.asarray(judgments.length_differences, dtype=np.float64)
    hard = judgments.difficulty
    difficulty = None if hard is None else np.asarray(hard, dtype=np.float64)
    prompts = map(str, range(y.size)) if judgments.prompts is None else judgments.prompts
    data = LengthData(y, lengths, difficulty, tuple(prompts))
    given = {y.size, lengths.size, len(data.prompts)}
    if given | ({difficulty.size} if difficulty is not None else set()) != {y.size} or not y.size:
        raise ValueError(f"{y.size} preferences, but not as many lengths, difficulties or prompts")
    if not ((y >= 0) & (y <= 1)).all():
        raise ValueError("a preference is not in [0, 1]: leave out what was not judged")
    if not np.isfinite(lengths).all() or not (difficulty is None or np.isfinite(difficulty).all()):
        raise ValueError("a length or a difficulty is missing")
    return data


def _controlled(data: LengthData, level: float) -> LengthControlled:
    raw = win_rate(data.y, data.prompts, level=level).win_rate
    groups, why = len(set(data.prompts)), _no_overlap(data.lengths)
    nothing = Estimate(None, None, None, None, level, "not_identified", data.y.size, groups)
    if why:
        return LengthControlled(raw, replace(nothing, warnings=(why,)), None)
    weights = np.ones((1, data.y.size))
    design = length_design(data, weights)
    (found,) = fit_logits(design, data.y, weights)
    if np.isnan(found).any():
        told = ("wins and losses are separated: no finite fit",)
        return LengthControlled(raw, replace(nothing, warnings=told), None)
    rate, influence = _influence(data, design[0], found)
    return LengthControlled(raw, _row(rate, influence, data.prompts, level), influence)


def _no_overlap(lengths: Array) -> str:
    """Why equal length is out of reach of the data, or nothing."""
    shorter, longer = int((lengths <= 0).sum()), int((lengths >= 0).sum())
    if min(shorter, longer) >= max(OVERLAP_ITEMS, OVERLAP_SHARE * lengths.size):
        return ""
    side, count = ("long", longer) if longer < shorter else ("short", shorter)
    return f"only {count} of {lengths.size} answers are as {side} as the baseline's or {side}er"


def length_design(data: LengthData, weights: Array) -> Array:
    """[B, 2 or 3, n]: 1, tanh(dlen / sd), difficulty; sd as the B weightings [B, n] have it."""
    total = weights.sum(axis=1)
    mean = weights @ data.lengths / total
    variance = np.maximum(weights @ data.lengths**2 / total - mean**2, 0.0)
    spread = np.where(variance > 0, np.sqrt(variance), 1.0)
    columns = [np.ones(weights.shape), np.tanh(data.lengths / spread[:, None])]
    if data.difficulty is not None:
        columns.append(np.broadcast_to(data.difficulty, weights.shape))
    return np.stack(columns, axis=1)


def rates_at_equal_length(data: LengthData, found: Array) -> Array:
    """[B, n] predictions at dlen = 0 from coefficients [B, k]; they differ by difficulty alone."""
    odds = np.broadcast_to(found[:, :1], (found.shape[0], data.y.size))
    return np.asarray(
        expit(odds if data.difficulty is None else odds + found[:, 2:] * data.difficulty)
    )


def _influence(data: LengthData, design: Array, found: Array) -> tuple[float, Array]:
    """The estimate and the influence [n] on it: through the coefficients, and through who is in.

    influence_i = (rate_i - mean rate) / n + (d mean rate / d coefficients) H^-1 x_i (y_i - p_i)
    """
    n, fitted = data.y.size, expit(found @ design)
    hessian = (design * (fitted * (1 - fitted))) @ design.T
    level = design.copy()
    level[1] = 0.0
    rates = rates_at_equal_length(data, found[None])[0]
    gradient = (level * (rates * (1 - rates))).mean(axis=1)
    # A column that does not vary, such as lengths that are all equal, has no curvature.
    by_score = np.linalg.pinv(hessian, hermitian=True) @ gradient
    influence = (rates - rates.mean()) / n + by_score @ design * (data.y - fitted)
    return float(rates.mean()), influence


def _row(
    value: float, influence: Array, prompts: tuple[str, ...], level: float, difference: bool = False
) -> Estimate:
    groups = len(set(prompts))
    nothing = Estimate(value, None, None, None, level, "none", influence.size, groups)
    if groups < 2:
        return replace(nothing, warnings=("all judgments are of one prompt: no interval",))
    found = clustered_covariance(influence[:, None], prompts)
    error = math.sqrt(found.covariance[0, 0])
    if error <= NOTHING:
        return replace(nothing, warnings=("nothing varies between prompts: no interval",))
    row = difference_estimate if difference else rate_estimate
    return row(value, error, level, influence.size, groups, found.warnings)
