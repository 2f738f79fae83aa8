"""The random-effects mean over tasks: how tasks differ, each drawn towards the mean, a new task.

Called by the reports beside the macro mean. Five tasks or more get DerSimonian & Laird's estimate
(1986, Controlled Clinical Trials 7:177), fewer a Bayesian one, for they do not tell how much tasks
differ. Six tasks of InstructGPT, in points of F1:

>>> effects = [-1.52, -4.95, 12.37, 8.65, 9.96, 17.79]
>>> found = random_effects(effects, [half / 1.96 for half in [8.37, 7.31, 7.53, 7.32, 7.52, 8.10]])
>>> round(found.estimate, 2), round(found.se, 2), round(found.tau2, 1), round(found.i2, 2)
(7.04, 3.49, 57.6, 0.79)
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr

from bench.statistics.covariance import Array
from bench.statistics.pooling import Pooled, known_tasks, unknown

FEW_TASKS = 5
TAU_SCALE = 0.1  # on a scale of [0, 1] most differences between tasks are smaller
GRID = 2000


def random_effects(
    estimates: Sequence[float | None],
    errors: Sequence[float | None],
    level: float = 0.95,
    tau_scale: float = TAU_SCALE,
) -> Pooled:
    """The mean of the distribution that the true values of K tasks come from.

    `dersimonian_laird` from five tasks on, below `normal_normal` with a half-normal prior of
    `tau_scale` on tau, in units of the estimates: give 10 where they are points of 100.

    Raises:
        ValueError: lengths differ.
    """
    known = known_tasks(estimates, errors)
    if not known.errors.all() or not known.effects.size:
        return unknown(known, level)
    if known.effects.size < FEW_TASKS:
        found = normal_normal(known.effects, known.errors, level, tau_scale)
    else:
        found = dersimonian_laird(known.effects, known.errors, level)
    shrunken: list[float | None] = [None] * len(estimates)
    for place, value in zip(known.places, found.shrunken, strict=True):
        shrunken[place] = value
    warnings = (*known.warnings, *found.warnings)
    return replace(found, shrunken=tuple(shrunken), warnings=warnings)


def dersimonian_laird(effects: Array, errors: Array, level: float = 0.95) -> Pooled:
    """The mean of `effects` [K] with standard `errors` [K], at least three, for many tasks.

    Weights are 1 / (SE_k^2 + tau^2), with tau^2 by moments of Q (DerSimonian & Laird 1986) and
    I^2 = 1 - (K - 1) / Q (Higgins & Thompson 2002, Statistics in Medicine 21:1539). Bounds are by
    Student's t with K - 1 degrees of freedom (Follmann & Proschan 1999, Biometrics 55:732), those
    of a new task estimate +- t_{K-2} sqrt(tau^2 + SE^2) (Higgins, Thompson & Spiegelhalter 2009,
    Journal of the Royal Statistical Society A 172:137). The latter hold less often, about 0.88 of
    the time for 0.95, where tasks differ no more than their standard errors (Partlett & Riley 2017,
    Statistics in Medicine 36:301).
    """
    count, q, tau2 = effects.size, _cochran(effects, errors), _moment_tau2(effects, errors)
    shares = 1 / (errors**2 + tau2)
    mean, error = float(shares @ effects / shares.sum()), float(shares.sum() ** -0.5)
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    reach = float(stats.t.ppf((1 + level) / 2, count - 2)) * math.sqrt(tau2 + error**2)
    return Pooled(
        estimate=mean,
        se=error,
        lo=mean - half,
        hi=mean + half,
        level=level,
        method="dersimonian_laird",
        n_tasks=count,
        tau2=tau2,
        i2=max(0.0, 1 - (count - 1) / q) if q else 0.0,
        q=q,
        shrunken=tuple((effects + (mean - effects) * errors**2 * shares).tolist()),
        new_lo=mean - reach,
        new_hi=mean + reach,
    )


def normal_normal(
    effects: Array, errors: Array, level: float = 0.95, tau_scale: float = TAU_SCALE
) -> Pooled:
    """The mean of `effects` [K] with standard `errors` [K]; its prior is flat, tau's half-normal.

    Gelman et al. 2013, Bayesian Data Analysis, eq. 5.20-5.21, on a grid of tau; the prior is that
    of Gelman 2006 and Rover et al. 2021 for few groups. `estimate`, `se`, `tau2` and `shrunken` are
    posterior means and standard deviation, the bounds posterior quantiles.
    """
    # The grid is finest near 0: tau = top * u^2 for u in even steps, so d tau is as u.
    even = (np.arange(GRID) + 0.5) / GRID
    # Prior and effects that disagree meet near the geometric mean of their scales.
    tau = 10 * math.sqrt(tau_scale * max(tau_scale, float(np.ptp(effects)))) * even**2
    variances = errors**2 + tau[:, None] ** 2
    spread = 1 / (1 / variances).sum(axis=1)
    means = spread * (effects / variances).sum(axis=1)
    log_density = np.log(even) - (tau / tau_scale) ** 2 / 2 + np.log(spread) / 2
    log_density -= (np.log(variances) + (effects - means[:, None]) ** 2 / variances).sum(axis=1) / 2
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    mean = float(density @ means)
    drawn_in = errors**2 / variances
    shrunken = density @ (effects + (means[:, None] - effects) * drawn_in)
    quantiles = ((1 - level) / 2, (1 + level) / 2)
    lo, hi = (_mixture_quantile(at, density, means, spread) for at in quantiles)
    new = [_mixture_quantile(at, density, means, spread + tau**2) for at in quantiles]
    return Pooled(
        estimate=mean,
        se=math.sqrt(float(density @ (spread + (means - mean) ** 2))),
        lo=lo,
        hi=hi,
        level=level,
        method="normal_normal",
        n_tasks=effects.size,
        tau2=float(density @ tau**2),
        q=_cochran(effects, errors),
        shrunken=tuple(shrunken.tolist()),
        new_lo=new[0],
        new_hi=new[1],
        warnings=_warnings(effects, errors, tau_scale),
    )


def _cochran(effects: Array, errors: Array) -> float:
    """Cochran's Q: squared distances from the mean that is best if tasks do not differ."""
    weights = errors**-2
    return float(weights @ (effects - weights @ effects / weights.sum()) ** 2)


def _moment_tau2(effects: Array, errors: Array) -> float:
    """DerSimonian & Laird's variance between tasks: what of Cochran's Q the errors do not give."""
    weights = errors**-2
    free = float(weights.sum() - (weights**2).sum() / weights.sum())
    surplus = _cochran(effects, errors) - (effects.size - 1)
    return max(0.0, surplus / free) if effects.size > 1 else 0.0


def _mixture_quantile(share: float, weights: Array, means: Array, variances: Array) -> float:
    """The quantile of a mixture of normals."""
    errors = np.sqrt(variances)
    ends = float((means - 10 * errors).min()), float((means + 10 * errors).max())
    return float(brentq(lambda at: weights @ ndtr((at - means) / errors) - share, *ends))


def _warnings(effects: Array, errors: Array, tau_scale: float) -> tuple[str, ...]:
    told = f"a half-normal prior of scale {tau_scale:g} says how much"
    found = [f"fewer than {FEW_TASKS} tasks do not tell how much tasks differ (tau): {told}"]
    tau = math.sqrt(_moment_tau2(effects, errors))
    if tau > 3 * tau_scale:
        found.append(
            f"tasks differ more than that prior allows for (tau {tau:.3g}): "
            "is its scale in units of the estimates?"
        )
    return tuple(found)
