"""Records -> Cells: one estimate with its interval for each metric of each task of each run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bench.errors import BenchError
from bench.scoring.aggregate import DIRECTIONS, Direction, find_aggregate
from bench.statistics.intervals import mean_interval
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

    The interval treats the tasks as fixed: standard errors are taken back from the tasks' own
    intervals and combined as independent.
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
        return _cell(run, entry, metric, headline, rows, level)
    values = [record.scores[metric] for record in scored]
    found = mean_interval(values, _units(scored), level)
    return _cell(
        run, entry, metric, headline, rows, level, found.estimate, found.lo, found.hi,
        found.method, found.warnings,
    )  # fmt: skip


def _units(records: Sequence[Record]) -> list[str]:
    """What is independent: the cluster, and for several samples of one item, the item."""
    return [record.cluster or record.id for record in records]


def _aggregated(
    run: Run, entry: TaskRun, metric: str, rows: Sequence[Record], level: float
) -> Cell:
    scored = [record for record in rows if record.status == "scored"]
    direction = DIRECTIONS.get(metric, Direction())
    if direction.needs_probabilities:
        scored = [record for record in scored if record.probabilities]
    if not scored:
        return _cell(run, entry, metric, False, rows, level)
    try:
        value = find_aggregate(metric)(scored)
    except (BenchError, ValueError) as error:
        return _cell(run, entry, metric, False, rows, level, warnings=(str(error),))
    return _cell(run, entry, metric, False, rows, level, value)


def _cell(
    run: Run,
    entry: TaskRun,
    metric: str,
    headline: bool,
    rows: Sequence[Record],
    level: float,
    estimate: float | None = None,
    lo: float | None = None,
    hi: float | None = None,
    method: str = "none",
    warnings: tuple[str, ...] = (),
) -> Cell:
    scored = [record for record in rows if record.status == "scored"]
    return Cell(
        model=run.model,
        run=run.name,
        task=entry.task,
        kind=entry.kind,
        language=entry.language,
        metric=metric,
        headline=headline,
        estimate=estimate,
        lo=lo,
        hi=hi,
        level=level,
        method=method,
        n=len(scored),
        n_clusters=len(set(_units(scored))),
        failed=len(rows) - len(scored),
        chance=entry.chance,
        warnings=warnings,
    )


def _pooled(kind: str, members: Sequence[Cell], level: float) -> Cell:
    known = [cell for cell in members if cell.estimate is not None]
    means = [cell.estimate for cell in known if cell.estimate is not None]
    halves = [(c.hi - c.lo) / 2 for c in known if c.hi is not None and c.lo is not None]
    mean = sum(means) / len(means) if means else None
    half = sum(h * h for h in halves) ** 0.5 / len(halves) if len(halves) == len(means) else None
    whole = mean is not None and half is not None
    missing = len(members) - len(known)
    return Cell(
        model=members[0].model,
        run=members[0].run,
        task=kind,
        kind=kind,
        language="",
        metric="mean of headlines",
        headline=False,
        estimate=mean,
        lo=mean - half if whole and mean is not None and half is not None else None,
        hi=mean + half if whole and mean is not None and half is not None else None,
        level=level,
        method="macro" if whole else "none",
        n=sum(cell.n for cell in members),
        n_clusters=sum(cell.n_clusters for cell in members),
        failed=sum(cell.failed for cell in members),
        chance=sum(cell.chance for cell in members) / len(members),
        warnings=(f"{missing} tasks have no score",) if missing else (),
    )
