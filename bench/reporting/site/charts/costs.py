"""Models with what they cost and what they score over all tasks, for the Pareto chart.

Called by the overview.

    pareto_chart(costly_of(board, rows, parameters), Cost("parameters"), "pareto-size")
    pareto_chart(costly_of(board, rows, speed), Cost("tokens per second", False), "pareto-speed")
"""

from collections.abc import Callable, Sequence
from math import isfinite

import numpy as np

from bench.reporting.comparison.board import Board
from bench.reporting.comparison.change import scale_of
from bench.reporting.comparison.lineage import Row
from bench.reporting.results.schema import Metric, Result
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.pareto import Costly
from bench.statistics.clusters import clustered_error
from bench.statistics.pooling import macro

TOKENS = "tokens"  # the measure that counts the tokens of a reply
Key = tuple[str, str]


def costly_of(board: Board, rows: Sequence[int], cost: Callable[[Row], Dot]) -> list[Costly]:
    """`rows` with the macro mean of their chance-normalised headlines over the same tasks.

    Those are the tasks and wordings that all of `rows` have scores of two clusters on; a metric
    without a range or without room above chance has no such scale and is left out.
    """
    asked = [board.rows[row] for row in rows]
    keys = [
        key
        for key in (asked[0].results if asked else {})
        if all(_drawable(row.results.get(key)) for row in asked)
    ]
    return [
        Costly(board.labels[place], row.model.stage, cost(row), _macro(row, keys, board.level))
        for place, row in zip(rows, asked, strict=True)
    ]


def parameters(row: Row) -> Dot:
    """How many parameters a model has."""
    known = row.model.parameters
    return Dot(None if known is None else float(known))


def speed(row: Row) -> Dot:
    """Tokens of replies per second of wall time, over the tasks that say both."""
    pairs = [
        (sum(token for token in column if token is not None), seconds)
        for result in row.results.values()
        if (column := result.items.measures.get(TOKENS)) is not None
        and (seconds := result.provenance.seconds)
    ]
    tokens, seconds = (sum(part) for part in zip(*pairs, strict=True)) if pairs else (0, 0)
    return Dot(tokens / seconds if tokens and seconds else None)


def _drawable(result: Result | None) -> bool:
    if result is None:
        return False
    metric = result.task.metrics[0]
    return len(set(_known(result, metric)[1])) > 1 and _normalisable(metric)


def _normalisable(metric: Metric) -> bool:
    best = metric.low if metric.lower_is_better else metric.high
    finite = isfinite(metric.low) and isfinite(metric.high)
    return finite and metric.low <= metric.chance <= metric.high and metric.chance != best


def _macro(row: Row, keys: Sequence[Key], level: float) -> Dot:
    effects, errors = [], []
    for key in keys:
        metric = row.results[key].task.metrics[0]
        scores, clusters = _known(row.results[key], metric)
        values, scale = np.asarray(scores), scale_of(metric)
        mean = float(values.mean())
        # A mean of equal scores can pass the bound by an ulp.
        effects.append(scale.score(min(metric.high, max(metric.low, mean))))
        errors.append(scale.error(clustered_error(values - mean, clusters)))
    found = macro(effects, errors, "fixed", level)
    return Dot(found.estimate, found.lo, found.hi)


def _known(result: Result, metric: Metric) -> tuple[list[float], list[str]]:
    """The scores that there are, and their clusters."""
    column = result.items.scores.get(metric.name) or ()
    pairs = [
        (score, cluster)
        for score, cluster in zip(column, result.items.clusters, strict=False)
        if score is not None
    ]
    return [score for score, _ in pairs], [cluster for _, cluster in pairs]
