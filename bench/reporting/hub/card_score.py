"""A CardScore: one number with its interval, as the formats of the Hub carry it.

`model_index` and `eval_results` take Scores, so that the numbers on the Hub are those of the board;
`scores_of` computes the usual ones for who has no others.

>>> told(CardScore("topic", "accuracy", 0.49, 0.394, 0.587, 100))
'n=100, 95% CI 0.394 to 0.587'
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.reporting.results.schema import Metric, Result
from bench.statistics.intervals import mean_interval

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class CardScore:
    """The estimate of a metric of a task in its usual wording, in the metric's own unit.

    `lo` and `hi` are the bounds of the 95% interval, None where there is none; `n` counts the items
    that were scored.
    """

    task: str
    metric: str
    estimate: float
    lo: float | None
    hi: float | None
    n: int


def scores_of(results: Iterable[Result]) -> list[CardScore]:
    """The mean of every metric of every Result in its usual wording; none where nothing scored."""
    found = [
        _score(result, metric)
        for result in results
        if not result.task.variant
        for metric in result.task.metrics
    ]
    return [score for score in found if score is not None]


def pairs_of(
    results: Iterable[Result], scores: Iterable[CardScore]
) -> Iterator[tuple[Result, CardScore]]:
    """Each score with the Result, in its usual wording, that it belongs to.

    Raises:
        ValueError: it belongs to none.
    """
    known = {
        (result.task.name, metric.name): result
        for result in results
        if not result.task.variant
        for metric in result.task.metrics
    }
    for score in scores:
        result = known.get((score.task, score.metric))
        if result is None:
            raise ValueError(f"no result of {score.task} has the metric {score.metric}")
        yield result, score


def told(score: CardScore) -> str:
    """How sure the number is."""
    if score.lo is None or score.hi is None:
        return f"n={score.n}"
    return f"n={score.n}, {LEVEL:.0%} CI {score.lo:.3f} to {score.hi:.3f}"


def asked_how(result: Result) -> str:
    """With how many shots, and of how many rows, where not of all."""
    shots, limit = result.settings.get("shots"), result.settings.get("limit")
    parts = [
        f"{shots}-shot" if isinstance(shots, int) else "",
        f"first {limit} rows only" if limit is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "settings not stated"


def _score(result: Result, metric: Metric) -> CardScore | None:
    pairs = zip(result.items.scores[metric.name], result.items.clusters, strict=True)
    known = [(score, cluster) for score, cluster in pairs if score is not None]
    if not known:
        return None
    values, clusters = [score for score, _ in known], [cluster for _, cluster in known]
    found = mean_interval(values, clusters, LEVEL, (metric.low, metric.high))
    return CardScore(result.task.name, metric.name, found.estimate, found.lo, found.hi, len(known))
