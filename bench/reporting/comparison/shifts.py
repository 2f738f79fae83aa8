"""What else changed beside the score, and which items carry the difference.

Called by `bench.reporting.comparison.contrast`. A gain may be answers that are right where they
were wrong, or replies that a parser reads where it did not, or longer replies, or fewer refusals:

    Shift("characters", child=321.0, parent=86.0, estimate=235.0, lo=210.1, hi=259.9, n=805)
    Share("parsed in the child alone", estimate=0.041, lo=0.012, hi=0.070, n=17)
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.reporting.comparison.pairing import Paired
from bench.reporting.comparison.values import Share, Shift
from bench.reporting.results.schema import LENGTH, Column, Metric, Result
from bench.statistics.calibration import ece_change
from bench.statistics.equal_length import at_equal_length
from bench.statistics.outcomes import Decomposition, explained_by
from bench.statistics.paired import paired_difference
from bench.statistics.scale import UNBOUNDED, UNIT

RATES = ("parsed", "refused", "cut_off")
AMOUNTS = (LENGTH, "tokens")
PARTS = {
    "ended": "{} in the parent alone",
    "began": "{} in the child alone",
    "same": "{} in both or in neither",
}
WORDS = {"parsed": "parsed", "refused": "refused", "cut_off": "cut off"}


def shifts_of(child: Result, parent: Result, paired: Paired, level: float) -> tuple[Shift, ...]:
    """The paired difference of every measure that both have, on the shared items."""
    found = []
    for name in (*RATES, *AMOUNTS):
        rows = _known(child.items.measures, parent.items.measures, paired, name)
        if rows is None:
            continue
        ours, theirs, clusters = rows
        bounds = UNIT if name in RATES else UNBOUNDED
        change = paired_difference(ours, theirs, clusters, level, bounds)
        found.append(
            Shift(
                measure=name,
                child=float(np.mean(ours)),
                parent=float(np.mean(theirs)),
                estimate=change.estimate,
                lo=change.lo,
                hi=change.hi,
                n=change.n_items,
            )
        )
    return (*found, *_calibration(child, parent, paired, level))


def _calibration(child: Result, parent: Result, paired: Paired, level: float) -> Iterator[Shift]:
    """What became of confidence in the choice that is made: its calibration error, and the mean
    square of confidence less being right (the Brier score of that choice)."""
    columns = [
        _at(result.items.measures.get(name), rows)
        for result, rows in ((child, paired.child_rows), (parent, paired.parent_rows))
        for name in ("probability", "correct")
    ]
    sure, right, before, was = columns
    if sure is None or right is None or before is None or was is None:
        return
    error = ece_change(sure, right, before, was, paired.clusters, level)
    n = len(sure)
    yield Shift("ece", error.child, error.parent, error.estimate, error.lo, error.hi, n)
    ours, theirs = _squares(sure, right), _squares(before, was)
    change = paired_difference(ours, theirs, paired.clusters, level, UNIT, lower_is_better=True)
    means = float(np.mean(ours)), float(np.mean(theirs))
    yield Shift("squared_error", *means, change.estimate, change.lo, change.hi, n)


def _squares(sure: Sequence[float], right: Sequence[float]) -> list[float]:
    return [(one - other) ** 2 for one, other in zip(sure, right, strict=True)]


def splits_of(
    child: Result, parent: Result, paired: Paired, metric: Metric, level: float
) -> dict[str, Decomposition]:
    """The difference split over items whose outcome changed and the rest, for each outcome that
    changed on any item."""
    found: dict[str, Decomposition] = {}
    for name in RATES:
        ours = _at(child.items.measures.get(name), paired.child_rows)
        theirs = _at(parent.items.measures.get(name), paired.parent_rows)
        if ours is None or theirs is None or ours == theirs:
            continue
        found[name] = explained_by(
            paired.child.tolist(),
            paired.parent.tolist(),
            [value > 0 for value in ours],
            [value > 0 for value in theirs],
            paired.clusters,
            level,
            (metric.low, metric.high),
        )
    return found


def shares_of(splits: Mapping[str, Decomposition]) -> tuple[Share, ...]:
    """The parts of each split, which add up to the whole difference."""
    return tuple(
        Share(PARTS[part.name].format(WORDS[name]), part.estimate, part.lo, part.hi, part.n)
        for name, split in splits.items()
        for part in split.parts
    )


def equal_length_of(child: Result, parent: Result, paired: Paired, level: float) -> Share | None:
    """What is left of the difference where both replies have as many characters; None where that
    does not happen, or lengths are not known."""
    ours = _at(child.items.measures.get(LENGTH), paired.child_rows)
    theirs = _at(parent.items.measures.get(LENGTH), paired.parent_rows)
    if ours is None or theirs is None:
        return None
    found = at_equal_length(
        (paired.child - paired.parent).tolist(),
        [one - other for one, other in zip(ours, theirs, strict=True)],
        paired.clusters,
        level,
    )
    if found is None:
        return None
    return Share("at equal length", found.estimate, found.lo, found.hi, found.n_items)


def aggregates_of(child: Result, parent: Result) -> Mapping[str, tuple[float, float]]:
    """(child, parent) of each metric over all items that both have: F1, ECE, distinct-2 ..."""
    pairs = {
        name: (child.aggregates.get(name), parent.aggregates.get(name))
        for name in child.aggregates
        if name in parent.aggregates
    }
    return {
        name: (ours, theirs)
        for name, (ours, theirs) in pairs.items()
        if ours is not None and theirs is not None
    }


def _known(
    ours: Mapping[str, Column], theirs: Mapping[str, Column], paired: Paired, name: str
) -> tuple[list[float], list[float], list[str]] | None:
    """Both columns on the shared items that have a value in both; None where too few do."""
    one, other = ours.get(name), theirs.get(name)
    if one is None or other is None:
        return None
    places = zip(paired.child_rows, paired.parent_rows, paired.clusters, strict=True)
    rows = [(one[mine], other[yours], cluster) for mine, yours, cluster in places]
    kept = [(a, b, cluster) for a, b, cluster in rows if a is not None and b is not None]
    if len({cluster for *_, cluster in kept}) < 2:
        return None
    return [a for a, *_ in kept], [b for _, b, _ in kept], [cluster for *_, cluster in kept]


def _at(column: Column | None, rows: Sequence[int]) -> list[float] | None:
    """The column's values at `rows`; None where one is missing."""
    if column is None:
        return None
    values = [column[row] for row in rows]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None
