"""Scores of a row: the mean of a metric over the items of a Result, with its interval.

Called by `bench.reporting.comparison.board` and `bench eval`.

    Score(row=2, task="topic", estimate=0.61, lo=0.52, hi=0.69, n=120, failed=0, ...)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.reporting.comparison.judged import Match, judgments_in, match_of
from bench.reporting.results.schema import (
    JUDGED_BY,
    REFERENCE,
    WIN_RATE,
    Metric,
    Result,
)
from bench.statistics.estimate import Estimate
from bench.statistics.intervals import Interval, mean_interval
from bench.statistics.replicates import replicates


@dataclass(frozen=True, slots=True)
class Score:
    """One row on one task in one wording under one metric; None where nothing was scored.

    `row` is the position of the row on the board. `failed` counts items without a reply, `missing`
    those that were never asked. Bounds never leave the metric's own. Metrics over all items (F1,
    ECE) have an estimate and no interval. `samples` are the replies to an item, at least, and
    `from_sampling` the share of the variance of the mean that more of them would take away; None
    where one reply each cannot tell.
    """

    row: int
    task: str
    variant: str
    metric: Metric
    headline: bool
    estimate: float | None
    lo: float | None
    hi: float | None
    level: float
    method: str
    n: int
    n_clusters: int
    failed: int
    missing: int
    warnings: tuple[str, ...] = ()
    samples: int = 1
    from_sampling: float | None = None


def scores_of(row: int, result: Result, level: float) -> list[Score]:
    """All Scores of a Result: the headline, its other metrics, wins over a reference at equal
    length, its aggregates."""
    return [
        *(
            _score(row, result, metric, place == 0, level)
            for place, metric in enumerate(result.task.metrics)
        ),
        *_controlled(row, result, level),
        *(_aggregate(row, result, name, value, level) for name, value in result.aggregates.items()),
    ]


def _score(row: int, result: Result, metric: Metric, headline: bool, level: float) -> Score:
    items = result.items
    column = items.scores.get(metric.name, ())
    known = [place for place, score in enumerate(column) if score is not None]
    clusters = [items.clusters[place] for place in known]
    values = [column[place] or 0.0 for place in known]
    match = _match(result, level) if metric.name == WIN_RATE else None
    found = match.win_rate if match else _interval(values, clusters, metric, level)
    score = _filled(row, result, metric, headline, level, found, len(known), len(set(clusters)))
    return _with_samples(score, result, metric, known)


def _with_samples(score: Score, result: Result, metric: Metric, known: Sequence[int]) -> Score:
    """What of the error is sampling, where a model was sampled; judges are no samples of it."""
    items, column = result.items, result.items.scores.get(metric.name, ())
    if not known or JUDGED_BY in items.measures or not _sampled(result):
        return score
    groups: dict[str, list[float]] = {}
    for place in known:
        groups.setdefault(items.ids[place], []).append(column[place] or 0.0)
    clusters = {items.ids[place]: items.clusters[place] for place in known}
    found = replicates(
        list(groups.values()), list(clusters.values()), score.level, (metric.low, metric.high)
    )
    told = tuple(one for one in found.warnings if one not in score.warnings)
    score = replace(score, samples=found.n_rep, warnings=(*score.warnings, *told))
    if found.sample_variance is None or found.item_variance is None:
        return score
    whole = found.sample_variance + found.item_variance
    return replace(score, from_sampling=found.sample_variance / whole if whole else 0.0)


def _sampled(result: Result) -> bool:
    """Whether another run with another seed could give other replies."""
    temperature = result.settings.get("temperature")
    drawn = isinstance(temperature, int | float) and temperature > 0
    return drawn or any(result.items.samples)


def _controlled(row: int, result: Result, level: float) -> Iterator[Score]:
    """The win rate with length taken out, where it is known how long both replies are."""
    match = _match(result, level)
    if match is None or match.controlled is None:
        return
    found = match.controlled
    metric = next(one for one in result.task.metrics if one.name == WIN_RATE)
    equal = replace(metric, name=f"{WIN_RATE}_at_equal_length")
    yield _filled(row, result, equal, False, level, found, found.n_items, found.n_clusters)


def _match(result: Result, level: float) -> Match | None:
    """The win rate as the page of judgments has it; None of what was not judged."""
    reference = result.settings.get(REFERENCE)
    if WIN_RATE not in result.items.scores or not isinstance(reference, str):
        return None
    judgments = list(judgments_in(result, result.model.name, reference))
    return match_of(judgments, level) if judgments else None


def _interval(
    values: list[float], clusters: list[str], metric: Metric, level: float
) -> Interval | None:
    if not values:
        return None
    return mean_interval(values, clusters, level, bounds=(metric.low, metric.high))


def _aggregate(row: int, result: Result, name: str, value: float | None, level: float) -> Score:
    n = sum(not reason for reason in result.items.failures)
    found = None if value is None else Interval(value, None, None, "none")
    return _filled(row, result, Metric(name), False, level, found, n, n)


def _filled(
    row: int,
    result: Result,
    metric: Metric,
    headline: bool,
    level: float,
    found: Interval | Estimate | None,
    n: int,
    n_clusters: int,
) -> Score:
    return Score(
        row=row,
        task=result.task.name,
        variant=result.task.variant,
        metric=metric,
        headline=headline,
        estimate=found.estimate if found else None,
        lo=found.lo if found else None,
        hi=found.hi if found else None,
        level=level,
        method=found.method if found else "none",
        n=n,
        n_clusters=n_clusters,
        failed=sum(reason != "" for reason in result.items.failures),
        missing=result.asked - len(result.items.ids),
        warnings=found.warnings if found else (),
    )
