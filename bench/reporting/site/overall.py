"""Every model in one number: the plain mean of the tasks that all models were asked.

Called by `bench.reporting.site.figures` for charts of models. Scores are chance-normalised before;
the distances to their bounds are combined as independent (MOVER: Zou & Donner 2008, Stat. Med.
27:1693), tasks being fixed. It depends on the tasks, never on who else is on the board's tasks:
a model that lacks one of them is left out.

    Overall(tasks=("facts", "topic"), scores={0: Dot(0.41, 0.36, 0.46), ...}, lengths={...})
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.comparison.board import Board
from bench.reporting.comparison.scores import Score
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.inputs import lengthy_of
from bench.statistics.chance import Scale

FEWEST = 2  # tasks of a mean


@dataclass(frozen=True, slots=True)
class Overall:
    """Mean scores, and mean characters of replies where there are any, by row."""

    tasks: tuple[str, ...]
    scores: Mapping[int, Dot]
    lengths: Mapping[int, Dot]


def overall_of(board: Board) -> Overall:
    """The means over the tasks that most rows share, each in the first wording that they share."""
    known: dict[tuple[str, str], dict[int, Dot]] = {}
    for score in board.scores:
        dot = _normalised(score) if score.headline else None
        if dot is not None:
            known.setdefault((score.task, score.variant), {})[score.row] = dot
    most = max(map(len, known.values()), default=0)
    kept: dict[str, tuple[str, str]] = {}
    for key, found in known.items():
        if len(found) == most:
            kept.setdefault(key[0], key)
    keys = list(kept.values()) if len(kept) >= FEWEST else []
    rows = [row for row in range(len(board.rows)) if all(row in known[key] for key in keys)]
    lengths = [_lengths(board, *key) for key in keys]
    long = [found for found in lengths if all(row in found for row in rows)]
    return Overall(
        tasks=tuple(kept) if keys else (),
        scores={row: _mean([known[key][row] for key in keys]) for row in rows if keys},
        lengths={row: _mean([found[row] for found in long]) for row in rows if long},
    )


def _normalised(score: Score) -> Dot | None:
    """A score between guessing (0) and perfect (1); None without one or without such a scale."""
    metric = score.metric
    if score.estimate is None or not math.isfinite(metric.high - metric.low):
        return None
    try:
        scale = Scale(metric.chance, metric.lower_is_better, (metric.low, metric.high))
    except ValueError:  # guessing is as good as it gets
        return None
    if score.lo is None or score.hi is None:
        return Dot(scale.score(score.estimate))
    ends = sorted((scale.score(score.lo), scale.score(score.hi)))
    return Dot(scale.score(score.estimate), ends[0], ends[1])


def _lengths(board: Board, task: str, variant: str) -> dict[int, Dot]:
    places = {label: row for row, label in enumerate(board.labels)}
    found = lengthy_of(board, task, variant)
    return {places[one.name]: one.length for one in found if one.length.estimate is not None}


def _mean(dots: Sequence[Dot]) -> Dot:
    """The plain mean; without bounds where one of `dots` has none."""
    k = len(dots)
    mean = math.fsum(dot.estimate or 0.0 for dot in dots) / k
    below = [(dot.estimate or 0.0) - dot.lo for dot in dots if dot.lo is not None]
    above = [dot.hi - (dot.estimate or 0.0) for dot in dots if dot.hi is not None]
    if len(below) < k or len(above) < k:
        return Dot(mean)
    return Dot(mean, mean - math.hypot(*below) / k, mean + math.hypot(*above) / k)
