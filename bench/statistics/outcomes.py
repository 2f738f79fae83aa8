"""Parse failures, refusals and truncations as outcomes, and how much of a score change they carry.

Called by the reports beside the scores: a gain may be answers that are right where they were wrong,
or answers that a parser reads where it did not. A child that is read on four more of five items:

>>> read = [False] * 40 + [True] * 10
>>> change = outcome_change("parse_failure", child=read, parent=[True] * 50)
>>> change.parent.estimate, change.child.estimate, change.difference.estimate
(1.0, 0.2, -0.8)
>>> found = explained_by([1.0] * 30 + [0.0] * 20, [0.0] * 50, read, [True] * 50)
>>> found.total.estimate, [(part.name, part.estimate, part.n) for part in found.parts]
(0.6, [('ended', 0.6, 40), ('began', 0.0, 0), ('same', 0.0, 10)])
>>> found.explained
True
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.statistics.intervals import Interval, mean_interval
from bench.statistics.paired import PairedDifference, paired_difference
from bench.statistics.scale import UNIT, Bounds


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """The rate of an outcome in the child and in the parent, and its paired difference."""

    name: str
    child: Interval
    parent: Interval
    difference: PairedDifference


@dataclass(frozen=True, slots=True)
class Part:
    """What `n` of the items add to the mean difference over all; no bounds where they are none."""

    name: str
    estimate: float
    se: float | None
    lo: float | None
    hi: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The mean score difference `total`, which is the sum of its `parts` exactly.

    ended   items where the parent had the outcome and the child does not
    began   items where the child has it and the parent did not
    same    all others

    `explained` is defined at `explained_by`.
    """

    total: Part
    parts: tuple[Part, ...]
    explained: bool
    level: float
    n_items: int
    n_clusters: int
    warnings: tuple[str, ...] = ()


def outcome_change(
    name: str,
    child: Sequence[bool],
    parent: Sequence[bool],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    lower_is_better: bool = True,
) -> OutcomeChange:
    """Rates of the outcome in child [n] and parent [n] on the same items, and their difference.

    `clusters` [n] names what is not independent.

    Raises:
        ValueError: no items, or not as many of one as of the other.
    """
    ours, theirs = [float(seen) for seen in child], [float(seen) for seen in parent]
    difference = paired_difference(ours, theirs, clusters, level, UNIT, lower_is_better)
    return OutcomeChange(
        name=name,
        child=mean_interval(ours, clusters, level),
        parent=mean_interval(theirs, clusters, level),
        difference=difference,
    )


def explained_by(
    child: Sequence[float],
    parent: Sequence[float],
    child_outcome: Sequence[bool],
    parent_outcome: Sequence[bool],
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    bounds: Bounds = UNIT,
) -> Decomposition:
    """How much of the mean of child [n] - parent [n] lies on items whose outcome changed.

    A part is the mean over all n items of the differences on its own, the others counting 0. The
    outcome explains the change of the score if the interval of the total excludes 0, so does that
    of the items whose outcome changed (ended or began), these make up at least half of the total,
    and the interval of the rest holds 0.

    Raises:
        ValueError: no items, lengths differ, or a score lies outside the bounds.
    """
    ours, theirs = np.asarray(child, dtype=np.float64), np.asarray(parent, dtype=np.float64)
    now, then = np.asarray(child_outcome, dtype=bool), np.asarray(parent_outcome, dtype=bool)
    if not ours.shape == theirs.shape == now.shape == then.shape:
        raise ValueError(
            f"{ours.size} and {theirs.size} scores, {now.size} and {then.size} outcomes"
        )

    masks = {
        "total": np.ones_like(now),
        "ended": then & ~now,
        "began": now & ~then,
        "same": now == then,
        "changed": now != then,
    }
    differences = {
        # Items of other parts get the parent's score twice, and so add 0.
        name: paired_difference(
            np.where(mask, ours, theirs).tolist(), theirs.tolist(), clusters, level, bounds
        )
        for name, mask in masks.items()
    }
    parts = {name: _part(name, differences[name], int(mask.sum())) for name, mask in masks.items()}
    whole = differences["total"]
    return Decomposition(
        total=parts["total"],
        parts=(parts["ended"], parts["began"], parts["same"]),
        explained=_explained(parts["total"], parts["changed"], parts["same"]),
        level=level,
        n_items=whole.n_items,
        n_clusters=whole.n_clusters,
        warnings=whole.warnings,
    )


def _part(name: str, found: PairedDifference, n: int) -> Part:
    if not n:
        return Part(name, 0.0, None, None, None, 0)
    return Part(name, found.estimate, found.se, found.lo, found.hi, n)


def _explained(total: Part, changed: Part, same: Part) -> bool:
    half = changed.estimate * np.sign(total.estimate) >= abs(total.estimate) / 2
    return bool(half) and _differs(total) and _differs(changed) and not _differs(same)


def _differs(part: Part) -> bool:
    """Whether the bounds exclude 0."""
    return part.lo is not None and part.hi is not None and not part.lo <= 0 <= part.hi
