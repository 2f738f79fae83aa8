"""What the charts of models need, taken from a Board.

Called by the pages; a forest plot takes a Change and the variants a Contrast as they are.

    slope_chart(panels_of(board), "slope")
    lineage_chart(nodes_of(board, rows), board.changes, "lineage")
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bench.reporting.comparison.board import Asked, Board
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.results.schema import LENGTH, Result
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.flips import Flip, Flips
from bench.reporting.site.charts.length import Lengthy
from bench.reporting.site.charts.lineage_nodes import Node
from bench.reporting.site.charts.ranks import Ranked
from bench.reporting.site.charts.sizes import Series, Sized
from bench.reporting.site.charts.slope_panel import Line, Panel, Stop
from bench.reporting.site.charts.stages import in_order, stage_word
from bench.statistics.intervals import mean_interval
from bench.statistics.scale import UNBOUNDED


def nodes_of(board: Board, rows: Sequence[int]) -> list[Node]:
    """The nodes of `rows`, in their order."""
    return [
        Node(
            row=row,
            name=board.labels[row],
            stage=board.rows[row].model.stage,
            size=board.rows[row].model.size,
            parent=board.parents[row],
        )
        for row in rows
    ]


def panels_of(board: Board, rows: Sequence[int]) -> list[Panel]:
    """A panel for each way from a root to a last model among `rows`.

    A sibling that a model is compared with (PPO beside PPO-ptx) stands before it on its way.
    """
    ways = list(_ways(board, rows))
    titles = [board.rows[way[0]].model.size or board.labels[way[0]] for way in ways]
    return [
        Panel(
            title=title if titles.count(title) == 1 else f"{title}, {board.labels[way[-1]]}",
            stops=tuple(Stop(board.labels[row], board.rows[row].model.stage) for row in way),
            lines=tuple(
                _line(board, task, way)
                for task in board.tasks
                if any(name == task.name for row in way for name, _ in board.rows[row].results)
            ),
        )
        for way, title in zip(ways, titles, strict=True)
    ]


def series_of(board: Board, task: str, variant: str = "") -> list[Series]:
    """The models that were asked `task`, by stage."""
    scores = _headlines(board, task, variant)
    stages = in_order([board.rows[row].model.stage for row in scores])
    return [
        Series(
            stage=stage,
            name=stage_word(stage),
            models=tuple(
                Sized(board.labels[row], board.rows[row].model.parameters, _dot(score))
                for row, score in scores.items()
                if board.rows[row].model.stage == stage
            ),
        )
        for stage in stages
    ]


def lengthy_of(board: Board, task: str, variant: str = "") -> list[Lengthy]:
    """Every model that was asked `task`, with the mean length of its replies."""
    scores = _headlines(board, task, variant)
    places = {row: place for place, row in enumerate(scores)}
    return [
        Lengthy(
            name=board.labels[row],
            stage=board.rows[row].model.stage,
            length=_length(board.rows[row].results[task, variant], board.level),
            score=_dot(score),
            parent=places.get(parent) if (parent := board.parents[row]) is not None else None,
        )
        for row, score in scores.items()
    ]


def ranked_of(board: Board, task: str, variant: str = "") -> Ranked | None:
    """The models that were ranked on `task`; None where none were."""
    key = task, variant
    if key not in board.ranks:
        return None
    rows = board.ranked[key]
    return Ranked(
        names=tuple(board.labels[row] for row in rows),
        stages=tuple(board.rows[row].model.stage for row in rows),
        sets=board.ranks[key],
    )


def flips_of(board: Board, change: Change, task: str, variant: str = "") -> Flips | None:
    """Every item of `task` that either model of `change` was asked; None where one was not.

    Items are the same by id, sample and digest; one that changed cannot be compared.
    """
    results = [
        board.rows[row].results.get((task, variant))
        for row in (change.edge.child, change.edge.parent)
    ]
    child, parent = results
    if child is None or parent is None:
        return None
    metric = child.task.metrics[0]
    ours, theirs = (_scores(result, metric.name) for result in (child, parent))
    keys = dict.fromkeys([*ours, *theirs])
    return Flips(
        child=change.child,
        parent=change.parent,
        metric=metric,
        items=tuple(Flip(key[0], ours.get(key), theirs.get(key)) for key in keys),
    )


def _ways(board: Board, rows: Sequence[int]) -> Iterator[list[int]]:
    """From each root to each row without a child, ways of one model left out."""
    siblings = {
        change.edge.child: change.edge.parent
        for change in board.changes
        if change.edge.kind == "sibling" and {change.edge.child, change.edge.parent} <= set(rows)
    }
    parents = {board.parents[row] for row in rows}
    for leaf in rows:
        if leaf in parents or leaf in siblings.values():
            continue
        way, above = [leaf], board.parents[leaf]
        if leaf in siblings:
            way.insert(0, siblings[leaf])
        while above is not None and above in rows:
            way.insert(0, above)
            above = board.parents[above]
        if len(way) > 1:
            yield way


def _line(board: Board, task: Asked, way: Sequence[int]) -> Line:
    """The headline of `task` along `way`: where it was asked in several wordings, the means over
    those of each step, whose tax is theirs; else the scores with their intervals."""
    steps = [_step(board, task.name, child, parent) for parent, child in pairwise(way)]
    taxes = [step.tax if step else None for step in steps]
    if any(step and step.variants for step in steps):
        first = steps[0].parent_mean if steps[0] else None
        means = [step.child_mean if step else None for step in steps]
        dots = tuple(map(Dot, (first, *means)))
    else:
        scores = max(
            (_headlines(board, task.name, variant) for variant in task.variants),
            key=lambda found: sum(row in found for row in way),
        )
        dots = tuple(_dot(scores[row]) if row in scores else Dot(None) for row in way)
    return Line(task.name, task.kind, task.metrics[0], dots, (None, *taxes))


def _step(board: Board, task: str, child: int, parent: int) -> Contrast | None:
    return next(
        (
            contrast
            for change in board.changes
            if (change.edge.child, change.edge.parent) == (child, parent)
            for contrast in change.contrasts
            if contrast.task == task
        ),
        None,
    )


def _headlines(board: Board, task: str, variant: str) -> dict[int, Score]:
    """The headline Score of each row that was asked `task` in a wording."""
    return {
        score.row: score
        for score in board.scores
        if score.headline and (score.task, score.variant) == (task, variant)
    }


def _dot(score: Score) -> Dot:
    return Dot(score.estimate, score.lo, score.hi)


def _length(result: Result, level: float) -> Dot:
    """Mean characters of the replies, with an interval over clusters."""
    column = result.items.measures.get(LENGTH, ())
    known = [(place, length) for place, length in enumerate(column) if length is not None]
    if not known:
        return Dot(None)
    clusters = [result.items.clusters[place] for place, _ in known]
    found = mean_interval([length for _, length in known], clusters, level, UNBOUNDED)
    return Dot(found.estimate, None if found.lo is None else max(0.0, found.lo), found.hi)


def _scores(result: Result, metric: str) -> dict[tuple[str, int, str], float | None]:
    items = result.items
    keys = zip(items.ids, items.samples, items.digests, strict=True)
    column = items.scores.get(metric) or (None,) * len(items.ids)
    return dict(zip(keys, column, strict=True))
