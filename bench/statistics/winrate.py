"""How often judges prefer a model to its opponent: ties as half a win, errors by prompt and person.

Called by the reports on judgments of one pair of models.

>>> found = win_rate([1.0] * 58 + [0.5] * 14 + [0.0] * 28)
>>> row = found.win_rate
>>> round(row.estimate, 3), round(row.lo, 3), round(row.hi, 3), round(found.ties.estimate, 2)
(0.65, 0.558, 0.732, 0.14)
>>> bias = slot_bias([1.0] * 423 + [0.0] * 351)
>>> round(bias.first_slot.estimate, 3), round(bias.p_value, 4)
(0.547, 0.0107)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bench.statistics.covariance import Array
from bench.statistics.estimate import Estimate, rate_estimate
from bench.statistics.intervals import NOTHING, mean_interval, wilson
from bench.statistics.sandwich import clustered_covariance

CONFOUNDED = 0.01  # p-value of "each model came first equally often" below which it did not


@dataclass(frozen=True, slots=True)
class WinRate:
    """A model's win rate, with the parts of its error beside it.

    `win_rate` counts a tie as half a win, `decisive` leaves ties out (None where all are ties),
    `ties` is their rate. `se_naive` takes judgments as independent, `se_prompt` and `se_annotator`
    are clustered one way; None where there are fewer than two clusters.
    """

    win_rate: Estimate
    decisive: Estimate | None
    ties: Estimate
    se_naive: float | None
    se_prompt: float | None
    se_annotator: float | None


@dataclass(frozen=True, slots=True)
class SlotBias:
    """How often the answer in the first slot won, of decisive judgments, and whether by chance.

    `p_value` is that of the exact two-sided binomial test of 1/2.
    """

    first_slot: Estimate
    first_wins: int
    second_wins: int
    ties: int
    p_value: float


def win_rate(
    outcomes: ArrayLike,
    prompts: Sequence[str] | None = None,
    annotators: Sequence[str] | None = None,
    level: float = 0.95,
) -> WinRate:
    """The win rate from `outcomes` [n]: 1 a win of the model, 0 a loss, 0.5 a tie.

    A judge's probability between them is a win above 0.5 for `decisive`, a loss below. `prompts`
    [n] and `annotators` [n] name what judgments share; V = V_prompt + V_annotator - V_both (see
    `sandwich`), t bounds of the log-odds with the smaller number of clusters less 1 degrees of
    freedom. Where nothing varies, Wilson's interval of that many clusters (see `mean_interval`).

    Raises:
        ValueError: no judgments, an outcome outside [0, 1], or columns of different lengths.
    """
    scores = _scores(outcomes)
    names = [str(at) for at in range(scores.size)] if prompts is None else list(prompts)
    people = None if annotators is None else list(annotators)
    if len(names) != scores.size or (people is not None and len(people) != scores.size):
        raise ValueError(f"{scores.size} outcomes, but not as many prompts or annotators")
    decided = np.flatnonzero(scores != 0.5)
    decisive = None
    if decided.size:
        kept_people = None if people is None else [people[at] for at in decided]
        wins = (scores[decided] > 0.5).astype(float)
        decisive = _rate(wins, [names[at] for at in decided], kept_people, level)
    naive = float(stats.sem(scores)) if scores.size > 1 else None
    by_prompt, by_annotator = _one_way_errors(scores, names, people)
    return WinRate(
        win_rate=_rate(scores, names, people, level),
        decisive=decisive,
        ties=_rate((scores == 0.5).astype(float), names, people, level),
        se_naive=naive,
        se_prompt=by_prompt,
        se_annotator=by_annotator,
    )


def slot_bias(
    first_slot: ArrayLike, model_came_first: Sequence[bool] | None = None, level: float = 0.95
) -> SlotBias:
    """Whether judges favour a slot, from `first_slot` [n]: 1 where the answer shown first won.

    Where the order was drawn for each judgment, first-slot wins without a bias are independent
    coin flips whatever the prompts and annotators, so the test needs no clusters.
    `model_came_first` [n], for judgments of one pair of models, warns where the order was not
    balanced: the slot then stands for the model as well.

    Raises:
        ValueError: no decisive judgments, an outcome outside [0, 1], or lengths that differ.
    """
    scores = _scores(first_slot)
    wins, losses = int((scores > 0.5).sum()), int((scores < 0.5).sum())
    if not wins + losses:
        raise ValueError(f"no decisive judgments among {scores.size}")
    found = wilson(wins, wins + losses, level)
    error = math.sqrt(found.estimate * (1 - found.estimate) / (wins + losses))
    row = Estimate(
        found.estimate, error, found.lo, found.hi, level, "wilson", wins + losses, wins + losses
    )
    if model_came_first is not None:
        row = replace(row, warnings=_order_warnings(model_came_first, scores.size))
    p_value = float(stats.binomtest(wins, wins + losses).pvalue)
    return SlotBias(row, wins, losses, scores.size - wins - losses, p_value)


def _scores(outcomes: ArrayLike) -> Array:
    scores = np.asarray(outcomes, dtype=np.float64)
    if scores.ndim != 1 or not scores.size:
        raise ValueError("no judgments")
    if not ((scores >= 0) & (scores <= 1)).all():  # also false of what is missing
        raise ValueError("an outcome is not in [0, 1]: leave out what was not judged")
    return scores


def _rate(
    scores: Array, prompts: list[str], annotators: list[str] | None, level: float
) -> Estimate:
    rate, n = float(scores.mean()), scores.size
    if len(set(prompts)) < 2:
        told = ("all judgments are of one prompt: no interval",)
        return Estimate(rate, None, None, None, level, "none", n, 1, warnings=told)
    found = clustered_covariance((scores[:, None] - rate) / n, prompts, annotators)
    error = math.sqrt(max(0.0, float(found.covariance[0, 0])))
    if error > NOTHING:
        return rate_estimate(rate, error, level, n, found.n_clusters, found.warnings)
    coarse = annotators is not None and found.n_clusters == len(set(annotators))
    still = mean_interval(scores.tolist(), annotators if coarse else prompts, level)
    return Estimate(
        rate, error, still.lo, still.hi, level, still.method, n, found.n_clusters,
        warnings=found.warnings,
    )  # fmt: skip


def _one_way_errors(
    scores: Array, prompts: list[str], annotators: list[str] | None
) -> tuple[float | None, float | None]:
    if len(set(prompts)) < 2:
        return None, None
    influence = (scores[:, None] - scores.mean()) / scores.size
    found = clustered_covariance(influence, prompts, annotators)
    by_prompt = math.sqrt(found.by_prompt[0, 0])
    return by_prompt, None if found.by_annotator is None else math.sqrt(found.by_annotator[0, 0])


def _order_warnings(came_first: Sequence[bool], judged: int) -> tuple[str, ...]:
    if len(came_first) != judged:
        raise ValueError(f"{judged} outcomes, but {len(came_first)} orders")
    times = int(np.sum(came_first))
    if float(stats.binomtest(times, judged).pvalue) < CONFOUNDED:
        return (f"one model came first {times} of {judged} times: the slot stands for the model",)
    return ()
