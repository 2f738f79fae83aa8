"""Records -> Cells: one estimate with its interval for each metric of each task of each run."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bench.errors import BenchError
from bench.scoring.aggregate import DIRECTIONS, Direction, find_aggregate
from bench.statistics.intervals import Interval, mean_interval
from bench.types import Cell, Record, Run, TaskRun

LEVEL = 0.95


def cells_of(run: Run, records: Iterable[Record], level: float = LEVEL) -> list[Cell]:
    """All Cells of a run, in the order of its tasks, the headline metric of each task first."""
    by_task: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_task[record.task].append(record)
    cells: list[Cell] = []
    for entry in run.tasks:
        rows = by_task[entry.task]
        for place, metric in enumerate(entry.scorers):
            cells.append(_scored(run, entry, metric, place == 0, rows, level))
        for metric in entry.aggregates:
            cells.append(_aggregated(run, entry, metric, rows, level))
    return cells


def headlines(cells: Iterable[Cell]) -> list[Cell]:
    """The first metric of each task."""
    return [cell for cell in cells if cell.headline]


def by_kind(cells: Iterable[Cell], level: float = LEVEL) -> list[Cell]:
    """For each run and kind the unweighted mean over its tasks' headlines (kind is also the task).

    The interval treats the tasks as fixed and independent: the distances from their estimates to
    their own bounds are added in quadrature, each side on its own (MOVER, Zou & Donner 2008), so
    it cannot leave [0, 1].
    """
    groups: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in headlines(cells):
        groups[cell.run, cell.kind].append(cell)
    return [_pooled(kind, members, level) for (_, kind), members in groups.items()]


def _scored(
    run: Run, entry: TaskRun, metric: str, headline: bool, rows: Sequence[Record], level: float
) -> Cell:
    scored = [record for record in rows if record.status == "scored"]
    if not scored:
        return _cell(run, entry, metric, headline, rows, scored, level, None)
    values = [record.scores[metric] for record in scored]
    found = mean_interval(values, _units(scored), level)
    return _cell(run, entry, metric, headline, rows, scored, level, found, found.warnings)


def _units(records: Sequence[Record]) -> list[str]:
    """What is independent: the cluster, and for several samples of one item, the item."""
    return [record.cluster or record.id for record in records]


def _aggregated(
    run: Run, entry: TaskRun, metric: str, rows: Sequence[Record], level: float
) -> Cell:
    answered = [record for record in rows if record.status == "scored"]
    picky = DIRECTIONS.get(metric, Direction()).needs_probabilities
    scored = [record for record in answered if record.probabilities or not picky]
    left_out = len(answered) - len(scored)
    told = f"left out, for want of probabilities: {left_out} of {len(answered)} replies"
    warnings = (told,) if left_out else ()
    found = None
    if scored:
        try:
            found = Interval(find_aggregate(metric)(scored), None, None, "none")
        except (BenchError, ValueError) as error:
            warnings = (*warnings, str(error))
    return _cell(run, entry, metric, False, rows, scored, level, found, warnings)


def _cell(
    run: Run,
    entry: TaskRun,
    metric: str,
    headline: bool,
    rows: Sequence[Record],
    scored: Sequence[Record],
    level: float,
    found: Interval | None,
    warnings: tuple[str, ...] = (),
) -> Cell:
    """A Cell of which `scored` are the records behind the estimate, out of all `rows`."""
    return Cell(
        model=run.model,
        run=run.name,
        task=entry.task,
        kind=entry.kind,
        language=entry.language,
        metric=metric,
        headline=headline,
        estimate=found.estimate if found else None,
        lo=found.lo if found else None,
        hi=found.hi if found else None,
        level=level,
        method=found.method if found else "none",
        n=len(scored),
        n_clusters=len(set(_units(scored))),
        failed=sum(record.status == "failed" for record in rows),
        chance=entry.chance,
        warnings=warnings,
    )


def _pooled(kind: str, members: Sequence[Cell], level: float) -> Cell:
    known = [cell for cell in members if cell.estimate is not None]
    missing = len(members) - len(known)
    lo, mean, hi = _mean_bounds(known)
    return Cell(
        model=members[0].model,
        run=members[0].run,
        task=kind,
        kind=kind,
        language="",
        metric="mean of headlines",
        headline=False,
        estimate=mean,
        lo=lo,
        hi=hi,
        level=level,
        method="none" if lo is None else "macro",
        n=sum(cell.n for cell in members),
        n_clusters=sum(cell.n_clusters for cell in members),
        failed=sum(cell.failed for cell in members),
        chance=sum(cell.chance for cell in known or members) / len(known or members),
        warnings=(f"{missing} of {len(members)} tasks have no score",) if missing else (),
    )


def _mean_bounds(cells: Sequence[Cell]) -> tuple[float | None, float | None, float | None]:
    """Lower bound, mean and upper bound; no bounds unless every cell has some."""
    means = [cell.estimate for cell in cells if cell.estimate is not None]
    if not means:
        return None, None, None
    mean, k = math.fsum(means) / len(means), len(means)
    los = [cell.lo for cell in cells if cell.lo is not None]
    his = [cell.hi for cell in cells if cell.hi is not None]
    if len(los) < k or len(his) < k:
        return None, mean, None
    below = math.hypot(*(m - lo for m, lo in zip(means, los, strict=True))) / k
    above = math.hypot(*(hi - m for m, hi in zip(means, his, strict=True))) / k
    # Rounding can pass the edge by an ulp.
    return max(0.0, mean - below), mean, min(1.0, mean + above)
