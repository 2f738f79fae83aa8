"""Contrasts: the paired difference of two rows on one task, with its verdict.

Called by `bench.reporting.comparison.change`. Several wordings of one task are compared one by one
and pooled, the wordings of one question in one cluster. Where two Results were not asked the same
there is a reason and no number:

    Contrast(task="topic", estimate=None, verdict="no number", warnings=("limit differs (8 ...",))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from bench.reporting.comparison.against_reference import HALF, is_against
from bench.reporting.comparison.comparable import comparability
from bench.reporting.comparison.judges import judges_of, sampled
from bench.reporting.comparison.pairing import Paired, pair
from bench.reporting.comparison.shifts import (
    aggregates_of,
    equal_length_of,
    shares_of,
    shifts_of,
    splits_of,
)
from bench.reporting.comparison.values import Contrast, Share, Tax, Verdict
from bench.reporting.results.schema import JUDGED_BY, WIN_RATE, Metric, Result
from bench.statistics.estimate import Estimate
from bench.statistics.judged_difference import judged_difference
from bench.statistics.multiplicity import holm
from bench.statistics.noninferiority import noninferiority
from bench.statistics.paired import PairedDifference, paired_difference
from bench.statistics.power import mde, mde_among
from bench.statistics.rope import compare
from bench.statistics.variants import sensitivity
from bench.statistics.winrate import win_rate

Wordings = Mapping[str, Result]
# What RLHF is for; only what it was not for can be a tax on it.
NO_CAPABILITY = ("safety", "truthfulness")


@dataclass(frozen=True, slots=True)
class _Match:
    """Two Results that may be compared, with the items they share."""

    child: Result
    parent: Result
    paired: Paired
    notes: tuple[str, ...]


def contrast(
    child: Wordings,
    parent: Wordings,
    metric: Metric,
    level: float,
    shared_items_only: bool = False,
    across_shots: bool = False,
) -> Contrast:
    """`metric` of one task, in the wordings that `child` and `parent` (by variant) share."""
    some = next(iter(child.values()))
    shared = [variant for variant in child if variant in parent]
    if not shared:
        why = "in these wordings" if parent else "on this task"
        return _empty(some, metric, level, (f"the parent was not run {why}",))
    found = [
        _match(child[variant], parent[variant], metric, shared_items_only, across_shots)
        for variant in shared
    ]
    matches = [one for one in found if isinstance(one, _Match)]
    refusals = [one for one in found if isinstance(one, str)]
    if not matches:
        return _empty(some, metric, level, tuple(dict.fromkeys(refusals)))
    single = [_single(match, metric, level) for match in matches]
    if len(child) == 1:
        return single[0]
    left_out = [variant for variant in child if variant not in parent]
    told = [f"wordings left out: {', '.join(left_out)}"] if left_out else []
    return _pooled(matches, single, metric, level, (*refusals, *told))


def judged(
    contrasts: Sequence[Contrast], adjust: Callable[[list[float | None]], list[float | None]]
) -> tuple[Contrast, ...]:
    """`contrasts`, which are one family of tests, with adjusted p-values, with the verdicts that
    are left of them, and with the smallest difference that would have passed."""
    p_values = [one.p_value for one in contrasts]
    tests = sum(p_value is not None for p_value in p_values)
    return tuple(
        _judged(one, p_value, tests)
        for one, p_value in zip(contrasts, adjust(p_values), strict=True)
    )


def _judged(contrast: Contrast, p_adjusted: float | None, tests: int) -> Contrast:
    """`contrast` as one of so many `tests`.

    A difference is called better, worse or a tax where its interval excludes 0 and the adjusted
    p-value does too: else a page of many tasks would always find something. Wordings are adjusted
    among themselves.
    """
    smallest = contrast.mde
    found = replace(
        contrast,
        p_adjusted=p_adjusted,
        mde=None if smallest is None else mde_among(smallest, max(1, tests), contrast.level),
        variants=judged(contrast.variants, holm),
    )
    if p_adjusted is not None and p_adjusted <= 1 - contrast.level:
        return found
    tax: Tax | None = "undetermined" if found.tax == "tax" else found.tax
    if found.verdict not in ("better", "worse"):
        return replace(found, tax=tax)
    told = "the interval excludes 0, the p-value does not"
    if tests > 1:
        told = "the interval excludes 0, the p-value adjusted for the other tasks does not"
    return replace(found, verdict="undetermined", tax=tax, warnings=(*found.warnings, told))


def _match(
    child: Result, parent: Result, metric: Metric, shared_only: bool, across_shots: bool
) -> _Match | str:
    """The two with the items they share, or the reason why they may not be compared."""
    allowed = comparability(child, parent, shared_only, across_shots)
    if allowed.refusal:
        return allowed.refusal
    theirs = next((one for one in parent.task.metrics if one.name == metric.name), None)
    if theirs is None:
        return f"the parent was not scored by {metric.name}"
    if theirs != metric:
        differing = ", ".join(
            f"{key} {value} against {told}"
            for key, value in asdict(metric).items()
            if (told := asdict(theirs)[key]) != value
        )
        return f"{metric.name} is defined otherwise for the parent: {differing}"
    paired = pair(child, parent, metric.name)
    if paired.changed and not shared_only:
        more = f" and {len(paired.changed) - 1} more" if len(paired.changed) > 1 else ""
        return f"row {paired.changed[0]}{more} is not the same item in both"
    if not paired.clusters:
        return "no items that both were scored on"
    notes = allowed.notes
    if paired.missing:
        notes += (f"items left out, not scored in both: {paired.missing}",)
    return _Match(child, parent, paired, notes)


def _single(match: _Match, metric: Metric, level: float) -> Contrast:
    paired = match.paired
    ours, theirs, names = paired.child.tolist(), paired.parent.tolist(), paired.clusters
    bounds, lower, judges = (metric.low, metric.high), metric.lower_is_better, _judges_of(match)
    if judges is None:
        found = paired_difference(ours, theirs, names, level, bounds, lower)
    else:
        found = judged_difference(ours, theirs, names, judges, level, bounds, lower)
    rate = _win_rate(match, metric, judges, level)
    if rate is not None and rate.lo is not None and rate.hi is not None:
        found = replace(found, lo=rate.lo - HALF, hi=rate.hi - HALF)
    empty = _empty(match.child, metric, level, match.notes)
    whole = _filled(empty, found, [match])
    if rate is not None and rate.lo is not None:
        whole = replace(whole, method=rate.method)
    splits = splits_of(match.child, match.parent, paired, metric, level)
    left = equal_length_of(match.child, match.parent, paired, level)
    explained = [name for name, split in splits.items() if split.explained]
    return replace(
        whole,
        shifts=shifts_of(match.child, match.parent, paired, level),
        shares=shares_of(splits),
        equal_length=left,
        explained=(*(["length"] if _is_length(whole, left) else []), *explained),
        aggregates=aggregates_of(match.child, match.parent),
    )


def _win_rate(
    match: _Match, metric: Metric, judges: Sequence[str] | None, level: float
) -> Estimate | None:
    """The child's win rate where the parent is who it was judged against: a half is no estimate,
    so the difference is as sure as the win rate is."""
    paired, against = match.paired, is_against(match.child, match.parent.model.name)
    if metric.name != WIN_RATE or not against or not (paired.parent == HALF).all():
        return None
    return win_rate(paired.child.tolist(), paired.clusters, judges, level).win_rate


def _judges_of(match: _Match) -> list[str] | None:
    """The judge of each shared item, where there are enough of them to stand for others."""
    if JUDGED_BY not in match.child.items.measures:
        return None
    judges = judges_of(match.child)
    return sampled([judges[row] for row in match.paired.child_rows])


def _is_length(whole: Contrast, left: Share | None) -> bool:
    """Whether a difference that excludes 0 does so no more at equal length, and half is gone."""
    if left is None or whole.estimate is None or whole.lo is None or whole.hi is None:
        return False
    assert left.lo is not None
    assert left.hi is not None
    gone = abs(left.estimate) <= abs(whole.estimate) / 2
    return gone and not whole.lo <= 0 <= whole.hi and left.lo <= 0 <= left.hi


def _pooled(
    matches: Sequence[_Match],
    single: Sequence[Contrast],
    metric: Metric,
    level: float,
    notes: tuple[str, ...],
) -> Contrast:
    """All wordings in one difference, what they share in one cluster."""
    found = sensitivity(
        [match.child.task.variant for match in matches for _ in match.paired.clusters],
        [cluster for match in matches for cluster in match.paired.clusters],
        np.concatenate([match.paired.child for match in matches]).tolist(),
        np.concatenate([match.paired.parent for match in matches]).tolist(),
        level,
        (metric.low, metric.high),
        metric.lower_is_better,
    )
    told = dict.fromkeys([*notes, *(note for match in matches for note in match.notes)])
    if any(_judges_of(match) for match in matches):
        told["judges are taken as they are here: others may prefer otherwise"] = None
    empty = replace(_empty(matches[0].child, metric, level, tuple(told)), variant="")
    whole = _filled(empty, found.pooled, matches)
    return replace(whole, variants=tuple(single), fragile=found.reason)


def _filled(empty: Contrast, found: PairedDifference, matches: Sequence[_Match]) -> Contrast:
    """`empty` with what the paired difference says, and what follows from it for a reader."""
    rope = compare(found, empty.metric.rope)
    verdict: Verdict = rope.verdict
    tax: Tax | None = None
    p_noninferior: float | None = None
    if empty.kind not in NO_CAPABILITY and empty.metric.margin > 0 and found.lo is not None:
        claim = noninferiority(found, empty.metric.margin)
        tax, p_noninferior = claim.verdict, claim.p_value
    ours = np.concatenate([match.paired.child for match in matches])
    theirs = np.concatenate([match.paired.parent for match in matches])
    return replace(
        empty,
        child_mean=float(ours.mean()),
        parent_mean=float(theirs.mean()),
        estimate=found.estimate,
        se=found.se,
        lo=found.lo,
        hi=found.hi,
        method=found.method,
        p_better=found.p_better,
        rope_worse=rope.p_worse,
        rope_same=rope.p_equivalent,
        rope_better=rope.p_better,
        p_value=found.p_value,
        verdict=verdict,
        tax=tax,
        p_noninferior=p_noninferior,
        mde=_smallest(ours - theirs, found, empty.level),
        n_items=found.n_items,
        n_clusters=found.n_clusters,
        n_missing=sum(match.paired.missing for match in matches),
        warnings=(*empty.warnings, *found.warnings),
    )


def _smallest(change: "np.ndarray", found: PairedDifference, level: float) -> float | None:
    """The minimum detectable effect; None where nothing varied, which says nothing about noise."""
    deviation = float(change.std(ddof=1)) if change.size > 1 else 0.0
    if deviation == 0.0:
        return None
    effect = found.clustering.design_effect if found.clustering else None
    return mde(deviation, change.size, level, design_effect=effect or 1.0)


def _empty(result: Result, metric: Metric, level: float, warnings: tuple[str, ...]) -> Contrast:
    """A Contrast without numbers."""
    return Contrast(
        task=result.task.name,
        variant=result.task.variant,
        kind=result.task.kind,
        language=result.task.language,
        metric=metric,
        child_mean=None,
        parent_mean=None,
        estimate=None,
        se=None,
        lo=None,
        hi=None,
        level=level,
        method="none",
        p_better=None,
        rope_worse=None,
        rope_same=None,
        rope_better=None,
        p_value=None,
        p_adjusted=None,
        verdict="no number",
        tax=None,
        p_noninferior=None,
        mde=None,
        n_items=0,
        n_clusters=0,
        n_missing=0,
        warnings=warnings,
    )
