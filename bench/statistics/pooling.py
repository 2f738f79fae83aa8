"""One number over several tasks: micro and macro means, with what their standard error is about.

Called by the reports on per-task estimates (differences, or scores put on one scale by
`bench.statistics.chance`); the random-effects mean is in `random_effects`. A macro mean of these
tasks alone is surer than one that is to hold for tasks like them:

>>> effects, errors = [0.02, -0.01, 0.12, 0.09], [0.03, 0.02, 0.03, 0.02]
>>> round(macro(effects, errors).se, 4), round(macro(effects, errors, tasks="sampled").se, 4)
(0.0127, 0.0301)

Neither depends on who else is on the board, as a mean of win rates or of ranks would.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from bench.statistics.covariance import Array

Tasks = Literal["fixed", "sampled"]
PooledMethod = Literal[
    "micro",
    "macro_fixed",
    "macro_sampled",
    "common_effect",
    "dersimonian_laird",
    "normal_normal",
    "none",
]


@dataclass(frozen=True, slots=True)
class Pooled:
    """A mean over tasks; numbers are None where the tasks do not give them.

    `tau2` is the variance of true values between tasks, `q` Cochran's statistic and `i2` the share
    of the variance of estimates that lies between tasks. `shrunken` has one value a task, in the
    order given, drawn towards the mean (None for a task without estimate; empty where the method
    has none). A new task's true value lies in [`new_lo`, `new_hi`] with `level`.
    """

    estimate: float | None
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: PooledMethod
    n_tasks: int
    tau2: float | None = None
    i2: float | None = None
    q: float | None = None
    shrunken: tuple[float | None, ...] = ()
    new_lo: float | None = None
    new_hi: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The tasks that have an estimate: their `places` in the input, `effects` and `errors` [K]."""

    places: tuple[int, ...]
    effects: Array
    errors: Array
    warnings: tuple[str, ...]


def micro(
    estimates: Sequence[float | None],
    errors: Sequence[float | None],
    items: Sequence[int],
    level: float = 0.95,
) -> Pooled:
    """The mean over all items: K `estimates` weighted by their tasks' numbers of `items`.

    SE^2 = sum_k (n_k / n)^2 SE_k^2 of independent tasks: these tasks, in these proportions.

    Raises:
        ValueError: lengths differ.
    """
    known = known_tasks(estimates, errors)
    if len(items) != len(estimates):
        raise ValueError(f"{len(estimates)} estimates of {len(items)} numbers of items")
    weights = np.array([items[place] for place in known.places], dtype=np.float64)
    return _weighted(known, weights, level, "micro")


def macro(
    estimates: Sequence[float | None],
    errors: Sequence[float | None],
    tasks: Tasks = "fixed",
    level: float = 0.95,
) -> Pooled:
    """The mean of K `estimates`, each task counting the same.

    The standard error of `fixed` tasks is about other items of these tasks (within):
    SE^2 = sum_k SE_k^2 / K^2, normal. That of `sampled` tasks is about other tasks like them
    (within and between): SE^2 = the variance of the estimates / K, Student's t with K - 1 degrees.

    Raises:
        ValueError: lengths differ.
    """
    known = known_tasks(estimates, errors)
    if tasks == "fixed":
        return _weighted(known, np.ones(known.effects.size), level, "macro_fixed")
    count = known.effects.size
    if count < 2:
        return unknown(known, level)
    mean, error = float(known.effects.mean()), float(stats.sem(known.effects))
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    return Pooled(
        mean, error, mean - half, mean + half, level, "macro_sampled", count,
        warnings=known.warnings,
    )  # fmt: skip


def common_effect(
    estimates: Sequence[float | None], errors: Sequence[float | None], level: float = 0.95
) -> Pooled:
    """The mean of K `estimates` weighted by 1 / SE_k^2: the surest where tasks do not differ.

    Raises:
        ValueError: lengths differ.
    """
    known = known_tasks(estimates, errors)
    if not known.errors.all():
        return unknown(known, level)
    return _weighted(known, known.errors**-2, level, "common_effect")


def known_tasks(estimates: Sequence[float | None], errors: Sequence[float | None]) -> Known:
    """The tasks with estimate and standard error; an error of 0 becomes the largest of the others.

    Such a task (nothing varied in it) would otherwise outweigh all others.

    Raises:
        ValueError: lengths differ.
    """
    pairs = list(zip(estimates, errors, strict=True))
    places = [at for at, (estimate, error) in enumerate(pairs) if None not in (estimate, error)]
    effects = np.array([estimates[at] for at in places], dtype=np.float64)
    found = np.array([errors[at] for at in places], dtype=np.float64)
    still, left_out = int((found == 0).sum()), len(pairs) - len(places)
    warnings = [f"tasks left out, without estimate or standard error: {left_out}"] * (left_out > 0)
    if still:
        warnings.append(f"tasks where nothing varies, given the largest standard error: {still}")
        found = np.where(found == 0, found.max(), found)
    return Known(tuple(places), effects, found, tuple(warnings))


def unknown(known: Known, level: float) -> Pooled:
    """The plain mean, without saying how sure it is."""
    count = known.effects.size
    mean = float(known.effects.mean()) if count else None
    told = "no tasks" if not count else "one task" if count == 1 else "nothing varies in any task"
    return Pooled(mean, None, None, None, level, "none", count, warnings=(*known.warnings, told))


def _weighted(known: Known, weights: Array, level: float, method: PooledMethod) -> Pooled:
    if not known.effects.size or not known.errors.all():
        return unknown(known, level)
    shares = weights / weights.sum()
    mean, error = float(shares @ known.effects), math.sqrt(float(shares**2 @ known.errors**2))
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    return Pooled(
        mean, error, mean - half, mean + half, level, method, known.effects.size,
        warnings=known.warnings,
    )  # fmt: skip
