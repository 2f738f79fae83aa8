"""One row of a table of judgments: an estimate, its error, its bounds, what to beware of.

Made by `preference`, `winrate`, `length` and `agreement`; shown by `bench.reporting`.
Bounds of a rate are found on the scale of log-odds, so that they cannot leave [0, 1]:

>>> lo, hi = rate_bounds(0.9, 0.06, quantile=1.96)
>>> round(lo, 3), round(hi, 3)
(0.709, 0.971)
"""

from dataclasses import dataclass
from typing import Literal

from scipy import special, stats

from bench.statistics.intervals import Method

EstimateMethod = Method | Literal["logit_t", "bootstrap", "not_identified", "definition"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with bounds of confidence `level`; None where the data cannot give the number.

    `se` is the standard error, `df` the degrees of freedom of the t quantile behind the bounds,
    `seed` that of the resamples behind them. `n_items` counts rows, `n_clusters` what is
    independent of each other.
    """

    estimate: float | None
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: EstimateMethod
    n_items: int
    n_clusters: int
    df: int | None = None
    seed: int | None = None
    warnings: tuple[str, ...] = ()


def rate_estimate(
    rate: float,
    se: float,
    level: float,
    n_items: int,
    n_clusters: int,
    warnings: tuple[str, ...] = (),
) -> Estimate:
    """The row of a `rate` within (0, 1): t bounds of its log-odds, n_clusters - 1 df."""
    df = n_clusters - 1
    lo, hi = rate_bounds(rate, se, float(stats.t.ppf((1 + level) / 2, df)))
    return Estimate(rate, se, lo, hi, level, "logit_t", n_items, n_clusters, df, warnings=warnings)


def difference_estimate(
    difference: float,
    se: float,
    level: float,
    n_items: int,
    n_clusters: int,
    warnings: tuple[str, ...] = (),
) -> Estimate:
    """The row of a `difference` of two rates, within (-1, 1): `rate_estimate` of (1 + d) / 2."""
    half = rate_estimate((1 + difference) / 2, se / 2, level, n_items, n_clusters, warnings)
    assert half.lo is not None
    assert half.hi is not None
    lo, hi = 2 * half.lo - 1, 2 * half.hi - 1
    return Estimate(
        difference, se, lo, hi, level, "logit_t", n_items, n_clusters, half.df, warnings=warnings
    )


def rate_bounds(rate: float, se: float, quantile: float) -> tuple[float, float]:
    """Bounds of a rate within (0, 1): logit(rate) -+ quantile * se / (rate (1 - rate)), back.

    The delta method on the log-odds; Agresti 2013, Categorical Data Analysis, section 3.1.
    """
    centre, half = special.logit(rate), quantile * se / (rate * (1 - rate))
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def t_estimate(
    value: float,
    se: float,
    level: float,
    n_items: int,
    n_clusters: int,
    warnings: tuple[str, ...] = (),
) -> Estimate:
    """The row of a value that has no limits: symmetric t bounds, n_clusters - 1 df."""
    df = n_clusters - 1
    half = float(stats.t.ppf((1 + level) / 2, df)) * se
    return Estimate(
        value, se, value - half, value + half, level, "t", n_items, n_clusters, df,
        warnings=warnings,
    )  # fmt: skip
