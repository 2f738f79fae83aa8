"""Logistic regressions of preferences in [0, 1], many weightings of the same items at once.

Called by `length`: one weighting is the estimate, hundreds are a bootstrap.

>>> design, y = np.array([[[1.0, 1.0, 1.0], [-1.0, 0.0, 1.0]]]), np.array([0.25, 0.5, 0.75])
>>> fit_logits(design, y, np.ones((1, 3))).round(4).tolist()
[[0.0, 1.0986]]
"""

import numpy as np
from scipy.special import expit

from bench.statistics.covariance import Array

DIVERGED = 15.0  # log-odds that would take millions of judgments to tell from infinity
STEPS = 60
LONGEST = 4.0  # step in log-odds: from far away Newton's overshoots
CLOSE = 1e-8
LEAST = 1e-10  # curvature of a column that says nothing, whose coefficient stays 0


def fit_logits(design: Array, y: Array, weights: Array) -> Array:
    """Coefficients [B, k] of logit E[y] = b design; NaN where they would be infinite.

    `design` [B, k, n] (or [1, k, n], the same for all), `y` [n] in [0, 1], `weights` [B, n].
    Quasi-likelihood of Papke & Wooldridge 1996, Journal of Applied Econometrics 11:619, eq. 5, by
    Newton's method.
    """
    columns, across = design.shape[1], np.swapaxes(design, 1, 2)
    found: Array = np.zeros((weights.shape[0], columns))
    odds = np.zeros(weights.shape)
    for _ in range(STEPS):
        rate = expit(odds)
        score = (design @ (weights * (y - rate))[:, :, None])[:, :, 0]
        curved = design * (weights * rate * (1 - rate))[:, None, :]
        hessian = curved @ across + LEAST * np.eye(columns)
        step = np.linalg.solve(hessian, score[:, :, None])[:, :, 0]
        further = (step[:, None, :] @ design)[:, 0, :]
        reach = np.abs(further).max(axis=1)
        shortened = np.minimum(1.0, LONGEST / np.maximum(reach, CLOSE))[:, None]
        found += shortened * step
        odds += shortened * further
        found[np.abs(odds).max(axis=1) > DIVERGED] = np.nan
        odds[np.isnan(found[:, 0])] = 0.0  # nothing more is asked of these
        moving = (reach > CLOSE) & ~np.isnan(found[:, 0])
        if not moving.any():
            return found
    found[moving] = np.nan
    return found
