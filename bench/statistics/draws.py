"""Seeded draws of several estimates at once: normal, or Student's t where clusters are few.

Called by `bench.statistics.simultaneous` and `ranks`; everything that draws takes its seed from
here. It is derived from the inputs, so that the same scores give the same board on every machine,
in whatever order they come:

>>> seed_of([[1.0, 0.5], [0.5, 1.0]])
3524441426
"""

import hashlib
import math

import numpy as np
from numpy.typing import ArrayLike

from bench.statistics.covariance import Array

DRAWS = 50_000  # a probability of 0.7 is then known to 0.002
SAME = 1e-12  # of the largest variance


def seed_of(*inputs: ArrayLike) -> int:
    """A seed in [0, 2^32) from all numbers of `inputs`, in any order, to nine digits."""
    numbers = np.sort(np.concatenate([np.ravel(np.asarray(one, dtype=float)) for one in inputs]))
    text = ",".join(f"{number + 0.0:.8e}" for number in numbers)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def centred_draws(
    covariance: Array, seed: int, degrees: float = math.inf, count: int = DRAWS
) -> Array:
    """Draws [count, M] around 0 with `covariance` [M, M], which may be singular.

    With finite `degrees` of freedom a multivariate t: all M of a draw share one chi-squared. Rows
    of the covariance are first put in an order of their own, so that theirs does not matter.
    """
    order = np.lexsort((covariance.sum(axis=1), np.diag(covariance)))
    values, vectors = np.linalg.eigh(covariance[np.ix_(order, order)])
    # What rounding leaves of an eigenvalue of 0 would tell equal models apart.
    values = np.where(values > SAME * values.max(), values, 0.0)
    root = (vectors * np.sqrt(values)) @ vectors.T
    random = np.random.default_rng(seed)
    drawn = np.empty((count, order.size))
    drawn[:, order] = random.standard_normal((count, order.size)) @ root
    if math.isfinite(degrees):
        drawn /= np.sqrt(random.chisquare(degrees, (count, 1)) / degrees)
    return drawn
