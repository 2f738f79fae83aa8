"""The paired difference child - parent of scores on the same items: the headline of a comparison.

Called by `bench.reporting.comparison`; `rope` and `noninferiority` read their verdicts from it.
Which interval when, all inside the span of the scale and none of width 0:

    newcombe10       zeros and ones of fewer than 200 independent items
    t, t_clustered   otherwise: Student's t, CR1 standard error where items share a cluster
    wilson(...)      where t would leave the scale: Wilson's at the effective number of items
    equal            where nothing varies: what the items leave open about differences not yet seen

>>> found = paired_difference([1.0] * 50 + [0.0] * 50, [1.0] * 36 + [0.0] * 45 + [1.0] * 19)
>>> round(found.estimate, 2), round(found.lo, 4), round(found.hi, 4), round(found.p_better, 4)
(-0.05, -0.1607, 0.0628, 0.1958)
>>> found.child_only, found.parent_only, round(found.p_value, 4), round(found.correlation, 4)
(14, 19, 0.3915, 0.3417)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from bench.statistics.clusters import (
    FEW_CLUSTERS,
    Clustering,
    clustered_error,
    clustering,
    names_of,
)
from bench.statistics.intervals import NOTHING, Method, mean_interval
from bench.statistics.mcnemar import mcnemar_midp
from bench.statistics.newcombe import newcombe10
from bench.statistics.scale import UNIT, Bounds, Values, is_bounded, to_unit
from bench.statistics.wild import wild_cluster_p

PairedMethod = Method | Literal["newcombe10", "equal"]
Test = Literal["mcnemar_midp", "t", "t_clustered", "wild_cluster", "sign", "none"]
FEW_ITEMS = 200  # below it Student's t covers too little of differences between zeros and ones
FEW_DISCORDANT = 10


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A mean difference with what is known of it; None where fewer than two clusters say nothing.

    se               standard error, CR1 where clustered
    lo, hi           bounds of confidence `level`, by `method`, with `df` where that is a t
    p_better         probability that the true difference is on the better side of 0
    p_value          two-sided, of "no difference", by `test`
    correlation      of the two models' scores over items; None where one of them never varies
    unpaired_se      standard error, had the two been scored on different items
    child_only, parent_only   zeros and ones only: items right in one of the two alone
    clustering       where items share clusters: what that does to the standard error

    The estimate is child - parent also where lower scores are better.
    """

    estimate: float
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: PairedMethod
    df: int | None
    p_better: float | None
    p_value: float | None
    test: Test
    correlation: float | None
    unpaired_se: float | None
    child_only: int | None
    parent_only: int | None
    n_items: int
    n_clusters: int
    clustering: Clustering | None
    bounds: Bounds
    lower_is_better: bool
    warnings: tuple[str, ...] = ()

    @property
    def variance_reduction(self) -> float | None:
        """The share of the unpaired variance that pairing took away."""
        if self.se is None or not self.unpaired_se:
            return None
        return 1 - (self.se / self.unpaired_se) ** 2


class Table(NamedTuple):
    """Counts of paired zeros and ones."""

    both: int
    child_only: int
    parent_only: int
    neither: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Scores [n] of the two, their differences, and what is independent among them."""

    child: Values
    parent: Values
    change: Values
    names: list[str]
    groups: int
    span: float  # of the scale; infinite where it has no bounds
    table: Table | None  # where all scores are zeros and ones, the bounds of the scale

    @property
    def independent(self) -> bool:
        return self.groups == len(self.names)

    @property
    def nothing(self) -> float:
        """Differences below this are the rounding of equal scores."""
        if math.isfinite(self.span):
            return NOTHING * self.span
        return NOTHING * float(np.abs([self.child, self.parent]).max())


def paired_difference(
    child: Sequence[float],
    parent: Sequence[float],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    bounds: Bounds = UNIT,
    lower_is_better: bool = False,
) -> PairedDifference:
    """The mean of child [n] - parent [n], scores within `bounds` of the same items in one order.

    `clusters` [n] names what is not independent. Zeros and ones of fewer than 200 independent items
    get Newcombe's interval and P(better) = P(Beta(b + 1, c + 1) > 1/2), where b items are right in
    the child alone and c in the parent alone: all four outcomes ~ Dirichlet(1, 1, 1, 1). The rest
    gets t with G - 1 degrees of freedom (G clusters), and P(better) from that t. The p-value is
    McNemar's mid-p for zeros and ones of independent items, a wild cluster bootstrap for fewer
    than 20 clusters, that of t for the rest, and that of a sign test where nothing varies.

    Raises:
        ValueError: no items, not as many of one as of the other, or a score outside the bounds.
    """
    pairs = _paired(child, parent, clusters, bounds)
    mean = float(pairs.change.mean())
    error = clustered_error(pairs.change - mean, pairs.names) if pairs.groups > 1 else None
    lo, hi, method = _interval(pairs, mean, error, level)
    above = _p_above(pairs, mean, error)
    p_value, test = _p_value(pairs, mean, error)
    p_better = 1 - above if lower_is_better and above is not None else above
    several = error is not None and not pairs.independent
    return PairedDifference(
        estimate=mean,
        se=error,
        lo=lo,
        hi=hi,
        level=level,
        method=method,
        df=pairs.groups - 1 if method in ("t", "t_clustered") else None,
        p_better=p_better,
        p_value=p_value,
        test=test,
        correlation=_correlation(pairs),
        unpaired_se=_unpaired_error(pairs),
        child_only=pairs.table.child_only if pairs.table else None,
        parent_only=pairs.table.parent_only if pairs.table else None,
        n_items=len(pairs.names),
        n_clusters=pairs.groups,
        clustering=clustering(pairs.change, pairs.names) if several else None,
        bounds=bounds,
        lower_is_better=lower_is_better,
        warnings=_warnings(pairs, method),
    )


def _paired(
    child: Sequence[float],
    parent: Sequence[float],
    clusters: Sequence[str] | None,
    bounds: Bounds,
) -> _Pairs:
    if len(child) != len(parent) or not child:
        raise ValueError(f"{len(child)} and {len(parent)} scores")
    names = names_of(clusters, len(child))
    ours, theirs = np.asarray(child, dtype=float), np.asarray(parent, dtype=float)
    return _Pairs(
        child=ours,
        parent=theirs,
        change=ours - theirs,
        names=names,
        groups=len(set(names)),
        span=bounds[1] - bounds[0],
        table=_table(to_unit(ours, bounds), to_unit(theirs, bounds), bounds),
    )


def _table(child: Values, parent: Values, bounds: Bounds) -> Table | None:
    """The counts of scores moved to [0, 1], None unless all are 0 or 1."""
    if not is_bounded(bounds) or not np.isin([child, parent], (0.0, 1.0)).all():
        return None
    both, ours, theirs = (int(x) for x in ((child * parent).sum(), child.sum(), parent.sum()))
    return Table(both, ours - both, theirs - both, child.size - ours - theirs + both)


def _interval(
    pairs: _Pairs, mean: float, error: float | None, level: float
) -> tuple[float | None, float | None, PairedMethod]:
    if error is None:
        return None, None, "none"
    if pairs.table and pairs.independent and len(pairs.names) < FEW_ITEMS:
        lo, hi = newcombe10(*pairs.table, level)
        return lo * pairs.span, hi * pairs.span, "newcombe10"
    if error > pairs.nothing:
        return _students(pairs, mean, error, level)
    if math.isinf(pairs.span):
        return None, None, "none"
    return *_equal(mean, pairs.groups, level, pairs.span), "equal"


def _p_above(pairs: _Pairs, mean: float, error: float | None) -> float | None:
    """P(the true difference is above 0)."""
    if error is None:
        return None
    if error <= pairs.nothing:
        return _p_of_wins(*_equal_wins(pairs, mean))
    if pairs.table and pairs.independent and len(pairs.names) < FEW_ITEMS:
        return _p_of_wins(pairs.table.child_only, pairs.table.parent_only)
    return float(special.stdtr(pairs.groups - 1, mean / error))


def _p_value(pairs: _Pairs, mean: float, error: float | None) -> tuple[float | None, Test]:
    """The two-sided p-value of no difference, and whose it is."""
    if error is None:
        return None, "none"
    if pairs.table and pairs.independent:
        return mcnemar_midp(pairs.table.child_only, pairs.table.parent_only), "mcnemar_midp"
    if error <= pairs.nothing:
        return min(1.0, 2 * 0.5 ** sum(_equal_wins(pairs, mean))), "sign"
    if not pairs.independent and pairs.groups < FEW_CLUSTERS:
        return wild_cluster_p(pairs.change, pairs.names), "wild_cluster"
    p_value = float(2 * special.stdtr(pairs.groups - 1, -abs(mean) / error))
    return p_value, "t" if pairs.independent else "t_clustered"


def _equal_wins(pairs: _Pairs, mean: float) -> tuple[int, int]:
    """Clusters that won and that lost, where all differ by the same `mean`."""
    return pairs.groups * (mean > pairs.nothing), pairs.groups * (mean < -pairs.nothing)


def _correlation(pairs: _Pairs) -> float | None:
    if min(np.ptp(pairs.child), np.ptp(pairs.parent)) <= pairs.nothing:
        return None
    return float(np.corrcoef(pairs.child, pairs.parent)[0, 1])


def _unpaired_error(pairs: _Pairs) -> float | None:
    if pairs.groups < 2:
        return None
    both = (clustered_error(y - y.mean(), pairs.names) for y in (pairs.child, pairs.parent))
    return math.hypot(*both)


def _p_of_wins(wins: int, losses: int) -> float:
    """P(Beta(wins + 1, losses + 1) > 1/2)."""
    return float(special.betaincc(wins + 1, losses + 1, 0.5))


def _equal(mean: float, groups: int, level: float, span: float) -> tuple[float, float]:
    """Bounds where all of `groups` differ by the same `mean`.

    With the confidence asked for, other differences have at most the probability u that Clopper &
    Pearson's interval allows to what was never seen in `groups` draws; they may be -span or span.
    """
    unseen = 1 - ((1 - level) / 2) ** (1 / groups)
    kept = (1 - unseen) * mean
    return _inside(mean, kept - unseen * span, kept + unseen * span, span)


def _students(
    pairs: _Pairs, mean: float, error: float, level: float
) -> tuple[float, float, PairedMethod]:
    """Bounds by t, or by Wilson where those would leave the scale: differences moved to [0, 1]."""
    half = float(special.stdtrit(pairs.groups - 1, (1 + level) / 2)) * error
    if abs(mean) + half <= pairs.span + pairs.nothing:
        lo, hi = _inside(mean, mean - half, mean + half, pairs.span)
        return lo, hi, "t" if pairs.independent else "t_clustered"
    reach = (-pairs.span, pairs.span)
    found = mean_interval(pairs.change.tolist(), pairs.names, level, reach)
    assert found.lo is not None
    assert found.hi is not None
    return found.lo, found.hi, found.method


def _inside(estimate: float, lo: float, hi: float, span: float) -> tuple[float, float]:
    # The bounds lie around the estimate and inside the scale but for rounding.
    return max(-span, min(lo, estimate)), min(span, max(hi, estimate))


def _warnings(pairs: _Pairs, method: PairedMethod) -> tuple[str, ...]:
    if pairs.groups < 2:
        return ("fewer than two independent items: no interval",)
    found = []
    if method == "none":
        found.append("equal differences on a scale without bounds: no interval")
    differing = int((np.abs(pairs.change) > pairs.nothing).sum())
    if differing < FEW_DISCORDANT and (pairs.table or differing < len(pairs.names)):
        found.append(f"too few discordant pairs (fewer than {FEW_DISCORDANT})")
    if pairs.groups < min(len(pairs.names), FEW_CLUSTERS):
        found.append(f"only {pairs.groups} clusters: the interval may be too narrow")
    return tuple(found)
