"""Changes: what each run on a board became against the run of its parent, over all its tasks.

Called by `bench.reporting.board` and `bench board`.

    sft against smollm2-135m: better on 5 tasks, worse on 1, undetermined on 10;
    mean change +0.080 [0.030, 0.120]
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy import stats

from bench.reporting.contrasts import LEVEL, contrast_runs
from bench.reporting.lineage import places_of
from bench.types import Contrast, Record, Run

Verdict = Literal["better", "worse", "undetermined", "no number"]
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "undetermined", "no number")


@dataclass(frozen=True, slots=True)
class Change:
    """A child against its parent, by the names they have on the board: a Contrast for each task of
    the child, and `mean`, the unweighted mean over those that have a number."""

    child: str
    parent: str
    contrasts: tuple[Contrast, ...]
    mean: Contrast


def changes_of(
    runs: Sequence[tuple[Run, Sequence[Record]]], labels: Sequence[str], level: float = LEVEL
) -> list[Change]:
    """A Change for each of `runs` whose parent is among them; `labels` name the runs."""
    found = []
    for number, place in enumerate(places_of([run for run, _ in runs])):
        if place.parent is not None and runs[number][0].tasks:
            contrasts = contrast_runs(runs[number], runs[place.parent], level)
            mean = mean_contrast(contrasts)
            found.append(Change(labels[number], labels[place.parent], tuple(contrasts), mean))
    return found


def mean_contrast(contrasts: Sequence[Contrast]) -> Contrast:
    """The unweighted mean over the tasks that have a number; the task and the kind are "all".

    The interval treats the tasks as fixed and independent: the distances from their estimates to
    their own bounds are added in quadrature, each side on its own (MOVER, Zou & Donner 2008).
    P(better) is that of a normal distribution whose interval reaches as far towards 0.
    """
    known = [contrast for contrast in contrasts if contrast.estimate is not None]
    left_out = len(contrasts) - len(known)
    told = f"left out of the mean: {left_out} of {len(contrasts)} tasks, which have no number"
    whole = replace(
        contrasts[0],
        task="all",
        kind="all",
        metric="mean of headlines",
        estimate=None,
        se=None,
        lo=None,
        hi=None,
        method="none",
        p_better=None,
        n=sum(contrast.n for contrast in contrasts),
        n_clusters=sum(contrast.n_clusters for contrast in contrasts),
        missing=sum(contrast.missing for contrast in contrasts),
        warnings=(told,) if left_out else (),
    )
    return _pooled(whole, known) if known else whole


def verdict(contrast: Contrast) -> Verdict:
    """Better or worse where the interval excludes 0; headlines are scores, so more is better."""
    if contrast.estimate is None:
        return "no number"
    if contrast.lo is not None and contrast.lo > 0:
        return "better"
    return "worse" if contrast.hi is not None and contrast.hi < 0 else "undetermined"


def sentence(change: Change) -> str:
    """What became of the child, on one line."""
    names = f"{change.child} against {change.parent}"
    found = [verdict(contrast) for contrast in change.contrasts]
    if change.mean.estimate is None:
        reasons = {warning for contrast in change.contrasts for warning in contrast.warnings}
        why = reasons.pop() if len(reasons) == 1 else "each for its own reason"
        return f"{names}: no number on any task: {why}"
    better, worse, undetermined, none = (found.count(word) for word in VERDICTS)
    tasks = "task" if better == 1 else "tasks"
    counts = f"better on {better} {tasks}, worse on {worse}, undetermined on {undetermined}"
    counts += f", no number on {none}" if none else ""
    lo, hi = change.mean.lo, change.mean.hi
    bounds = "" if lo is None or hi is None else f" [{lo:.3f}, {hi:.3f}]"
    return f"{names}: {counts}; mean change {change.mean.estimate:+.3f}{bounds}"


def _pooled(whole: Contrast, known: Sequence[Contrast]) -> Contrast:
    """`whole` with the mean of `known`; no bounds unless all of them have some."""
    rows = [(one.estimate, one.lo, one.hi, one.se) for one in known if one.estimate is not None]
    mean, k = math.fsum(estimate for estimate, *_ in rows) / len(rows), len(rows)
    below = [estimate - lo for estimate, lo, _, _ in rows if lo is not None]
    above = [hi - estimate for estimate, _, hi, _ in rows if hi is not None]
    errors = [se for *_, se in rows if se is not None]
    if not len(below) == len(above) == len(errors) == k:
        return replace(whole, estimate=mean)
    down, up = math.hypot(*below) / k, math.hypot(*above) / k
    z = float(stats.norm.ppf((1 + whole.level) / 2))
    return replace(
        whole,
        estimate=mean,
        se=math.hypot(*errors) / k,
        # Rounding can pass the edge by an ulp.
        lo=max(-1.0, mean - down),
        hi=min(1.0, mean + up),
        method="macro",
        p_better=float(stats.norm.cdf(z * mean / (down if mean > 0 else up))),
    )
