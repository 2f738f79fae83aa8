"""Length-controlled win rates by refits to resampled prompts: what the sandwich is checked with.

Called by the reports beside `bench.statistics.length`.

>>> from bench.statistics.length import LengthJudgments
>>> longer = [400.0, 300.0, 200.0, 100.0, 0.0, -100.0, -200.0, -300.0] * 20
>>> won = [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0] * 18 + [0.0] * 8 + [1.0] * 8
>>> found = length_controlled_bootstrap(LengthJudgments(won, longer))
>>> round(found.estimate, 3), round(found.se, 2), found.method
(0.397, 0.06, 'bootstrap')
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.statistics.covariance import Array
from bench.statistics.draws import seed_of
from bench.statistics.estimate import Estimate
from bench.statistics.fractional_logit import fit_logits
from bench.statistics.length import (
    LengthData,
    LengthJudgments,
    length_controlled,
    length_controlled_difference,
    length_data,
    length_design,
    rates_at_equal_length,
)

RESAMPLES = 1000
AT_ONCE = 100_000  # weights held at a time
LEAST_KEPT = 0.9  # of the refits


def length_controlled_bootstrap(
    judgments: LengthJudgments,
    parent: LengthJudgments | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The estimate of `length_controlled` with percentile bounds of refits to resampled prompts.

    With `parent`, the estimate of `length_controlled_difference`, both refitted to the same
    prompts. Each refit also takes its own sd(dlen), which the sandwich counts as known. The seed
    is derived from the numbers given, in whatever order they come.

    Raises:
        ValueError: as `length_controlled` and `length_controlled_difference`.
    """
    if parent is None:
        found = length_controlled(judgments, level).controlled
        sides: tuple[LengthData, ...] = (length_data(judgments),)
    else:
        found = length_controlled_difference(judgments, parent, level)
        sides = (length_data(judgments), length_data(parent))
    if found.estimate is None or found.n_clusters < 2:
        return found
    seed = seed_of(*(column for side in sides for column in (side.y, side.lengths)))
    refits = _refits(sides, resamples, np.random.default_rng(seed))
    kept = refits[np.isfinite(refits)]
    warnings = found.warnings
    if kept.size < refits.size:
        warnings += (f"{refits.size - kept.size} of {refits.size} refits have no finite fit",)
    if kept.size <= LEAST_KEPT * refits.size:
        return replace(
            found, se=None, lo=None, hi=None, method="none", df=None, seed=seed, warnings=warnings
        )
    lo, hi = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Estimate(
        found.estimate, float(kept.std(ddof=1)), lo, hi, level, "bootstrap", found.n_items,
        found.n_clusters, seed=seed, warnings=warnings,
    )  # fmt: skip


def _refits(sides: tuple[LengthData, ...], resamples: int, random: np.random.Generator) -> Array:
    """Estimates [resamples] of the first side, minus those of the second where there is one."""
    codes = _in_order_of_values(sides)
    groups, items = int(codes.max()) + 1, codes.size
    step, found = max(1, AT_ONCE // items), []
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = random.multinomial(groups, np.full(groups, 1 / groups), rows)
        weights = drawn[:, codes].astype(float)
        refits = [_refit(side, weights) for side in sides]
        found.append(refits[0] if len(refits) == 1 else refits[0] - refits[1])
    return np.concatenate(found)


def _refit(side: LengthData, weights: Array) -> Array:
    """Estimates [B] for weights [B, n] of the items."""
    coefficients = fit_logits(length_design(side, weights), side.y, weights)
    rates = weights * rates_at_equal_length(side, coefficients)
    means: Array = rates.sum(axis=1) / weights.sum(axis=1)
    return means


def _in_order_of_values(sides: tuple[LengthData, ...]) -> NDArray[np.intp]:
    """Each item's prompt [n] as a number that follows from values, not from the order of items."""
    order = np.lexsort([column for side in sides for column in (side.y, side.lengths)])
    place = np.argsort(order)
    codes = np.unique(sides[0].prompts, return_inverse=True)[1]
    first = np.full(int(codes.max()) + 1, place.size)
    np.minimum.at(first, codes, place)
    numbers: NDArray[np.intp] = np.argsort(np.argsort(first))[codes]
    return numbers
