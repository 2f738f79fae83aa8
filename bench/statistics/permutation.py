"""Tests of a mean paired difference that assume no distribution: sign flips, Wilcoxon's ranks.

Given beside the t test where scores are graded; under the null hypothesis a difference is as
likely as its opposite.

>>> sign_flip([0.2, 0.5, -0.1, 0.4, 0.3, 0.6]).p_value
0.0625
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from bench.statistics.clusters import cluster_totals
from bench.statistics.draws import seed_of
from bench.statistics.scale import Values
from bench.statistics.signs import random_signs, signed_sums

ENUMERATED = 20  # units: half a million patterns of signs
DRAWS = 50_000
BLOCK = 2**20  # signs at a time
TIED = 1e-9  # a sum this close to what was seen is as extreme
DIGITS = 12  # ranks must not tell equal differences apart by their rounding


@dataclass(frozen=True, slots=True)
class SignFlip:
    """A two-sided p-value; `draws` and `seed` are None where all patterns were counted."""

    p_value: float
    method: Literal["exact", "monte_carlo"]
    n_items: int
    n_clusters: int
    draws: int | None
    seed: int | None


def sign_flip(
    differences: Sequence[float], clusters: Sequence[str] | None = None, draws: int = DRAWS
) -> SignFlip:
    """Test of "the mean is 0" for `differences` [n]; `clusters` [n] change sign as a whole.

    Fisher 1935. All patterns where at most 20 units differ from 0, seeded draws beyond, in which
    what was seen counts as one more draw (Phipson & Smyth 2010).

    Raises:
        ValueError: no differences, or not as many clusters.
    """
    if len(differences) == 0:
        raise ValueError("no differences")
    sums, _ = cluster_totals(np.asarray(differences, dtype=float), clusters)
    sizes = np.sort(np.abs(sums[sums != 0]))
    reach = abs(math.fsum(sums)) - TIED * float(sizes.sum())
    if sizes.size <= ENUMERATED:
        p_value = float((np.abs(signed_sums(sizes)) >= reach).mean())
        return SignFlip(p_value, "exact", len(differences), sums.size, None, None)
    seed = seed_of(sizes)
    hits = _hits(sizes, reach, draws, np.random.default_rng(seed))
    p_value = (hits + 1) / (draws + 1)
    return SignFlip(p_value, "monte_carlo", len(differences), sums.size, draws, seed)


def wilcoxon(differences: Sequence[float]) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test; 1 where all differences are 0.

    Differences of 0 are left out (Wilcoxon 1945). It tests symmetry around 0, not the mean.
    """
    rounded = np.round(np.asarray(differences, dtype=float), DIGITS)
    return float(stats.wilcoxon(rounded).pvalue) if rounded.any() else 1.0


def _hits(sizes: Values, reach: float, draws: int, random: np.random.Generator) -> int:
    hits, rows = 0, max(1, BLOCK // sizes.size)
    for start in range(0, draws, rows):
        signs = random_signs(min(rows, draws - start), sizes.size, random)
        hits += int((np.abs(signs @ sizes) >= reach).sum())
    return hits
