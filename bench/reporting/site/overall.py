"""Every model in one number: the plain mean of the tasks that all models were asked.

Called by `bench.reporting.site.figures` for charts of models. Scores are chance-normalised before;
the distances to their bounds are combined as independent over tasks (MOVER: Zou & Donner 2008,
Stat. Med. 27:1693) and as wholly dependent over the wordings of one task, which share its items. A
model that lacks one of the tasks is left out, so nobody's number hangs on who else is there.

    Overall(tasks=("facts", "topic"), scores={0: Dot(0.41, 0.36, 0.46), ...}, lengths={...})
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.comparison.board import Board
from bench.reporting.comparison.change import scale_of
from bench.reporting.comparison.scores import Score
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.inputs import lengthy_of
from bench.reporting.site.charts.length import Lengthy
from bench.reporting.site.charts.pareto import Costly
from bench.reporting.site.charts.sizes import Series, Sized
from bench.reporting.site.charts.stages import in_order, stage_word

FEWEST = 2  # tasks of a mean
Dots = Mapping[int, Dot]  # by row
Combined = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Overall:
    """Mean scores, and mean characters of replies where there are any, by row."""

    tasks: tuple[str, ...]
    scores: Dots
    lengths: Dots


def overall_of(board: Board) -> Overall:
    """The means over the tasks and wordings that most rows share."""
    known: dict[tuple[str, str], dict[int, Dot]] = {}
    for score in board.scores:
        dot = _normalised(score) if score.headline else None
        if dot is not None:
            known.setdefault((score.task, score.variant), {})[score.row] = dot
    most = max(map(len, known.values()), default=0)
    kept: dict[str, list[tuple[str, str]]] = {}
    for key, found in known.items():
        if len(found) == most:
            kept.setdefault(key[0], []).append(key)
    if len(kept) < FEWEST:
        return Overall((), {}, {})
    scores = [_over_wordings([known[key] for key in keys]) for keys in kept.values()]
    lengths = [_over_wordings([_lengths(board, *key) for key in keys]) for keys in kept.values()]
    rows = _shared(scores)
    long = [found for found in lengths if set(rows) <= found.keys()]
    return Overall(
        tasks=tuple(kept),
        scores={row: _mean([found[row] for found in scores], _independent) for row in rows},
        lengths={row: _mean([found[row] for found in long], _independent) for row in rows if long},
    )


def sizes_of(board: Board, overall: Overall) -> list[Series]:
    """The means by stage and parameters."""
    stages = {row: board.rows[row].model.stage for row in overall.scores}
    return [
        Series(
            stage,
            stage_word(stage),
            tuple(
                Sized(board.labels[row], board.rows[row].model.parameters, overall.scores[row])
                for row, known in stages.items()
                if known == stage
            ),
        )
        for stage in in_order(list(stages.values()))
    ]


def lengths_of(board: Board, overall: Overall) -> list[Lengthy]:
    """The means by length of reply, each with its parent's place."""
    places = {row: place for place, row in enumerate(overall.lengths)}
    return [
        Lengthy(
            board.labels[row],
            board.rows[row].model.stage,
            length,
            overall.scores[row],
            None if (parent := board.parents[row]) is None else places.get(parent),
        )
        for row, length in overall.lengths.items()
    ]


def costs_of(board: Board, overall: Overall) -> list[Costly]:
    """The means by parameters, for models that say how many they have."""
    return [
        Costly(board.labels[row], model.stage, Dot(float(model.parameters)), score)
        for row, score in overall.scores.items()
        if (model := board.rows[row].model).parameters
    ]


def _normalised(score: Score) -> Dot | None:
    """A score between guessing (0) and perfect (1); None without one or without such a scale."""
    if score.estimate is None or not math.isfinite(score.metric.high - score.metric.low):
        return None
    try:
        scale = scale_of(score.metric)
    except ValueError:  # guessing is as good as it gets
        return None
    if score.lo is None or score.hi is None:
        return Dot(scale.score(score.estimate))
    ends = sorted((scale.score(score.lo), scale.score(score.hi)))
    return Dot(scale.score(score.estimate), ends[0], ends[1])


def _lengths(board: Board, task: str, variant: str) -> Dots:
    places = {label: row for row, label in enumerate(board.labels)}
    found = lengthy_of(board, task, variant)
    return {places[one.name]: one.length for one in found if one.length.estimate is not None}


def _over_wordings(wordings: Sequence[Dots]) -> Dots:
    """The mean of the wordings of one task, for rows that have all of them."""
    return {row: _mean([found[row] for found in wordings], math.fsum) for row in _shared(wordings)}


def _shared(found: Sequence[Dots]) -> list[int]:
    """The rows that are in all of `found`."""
    return [row for row in found[0] if all(row in other for other in found[1:])]


def _mean(dots: Sequence[Dot], combined: Combined) -> Dot:
    """The plain mean; without bounds where one of `dots` has none."""
    k = len(dots)
    mean = math.fsum(dot.estimate or 0.0 for dot in dots) / k
    below = [(dot.estimate or 0.0) - dot.lo for dot in dots if dot.lo is not None]
    above = [dot.hi - (dot.estimate or 0.0) for dot in dots if dot.hi is not None]
    if len(below) < k or len(above) < k:
        return Dot(mean)
    return Dot(mean, mean - combined(below) / k, mean + combined(above) / k)


def _independent(distances: Sequence[float]) -> float:
    return math.hypot(*distances)
