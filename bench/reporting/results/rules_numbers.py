"""Rules for the numbers of one Result: finite, within bounds.

`bench.reporting.results.audit` asks them of a board, `submit` before anything is published. Each
yields a sentence for what is wrong.

>>> list(_outside({"accuracy": (1.5, None)}, {"accuracy": (0.0, 1.0)}, "items.scores"))
['items.scores.accuracy: found 1.5 at position 0, expected 0.0 to 1.0']
"""

import math
from collections.abc import Iterator, Mapping

from bench.reporting.results.rule import Rule, Rules, each
from bench.reporting.results.schema import (
    BRIER,
    JUDGED_BY,
    JUDGES,
    LENGTH,
    MEASURES,
    REFERENCE_LENGTH,
    SURPRISE,
    Column,
    Metric,
    Result,
)
from bench.types import Json

Bounds = tuple[float, float]

ROUNDING = 1e-9  # what floating point may add to a bound
UNIT: Bounds = (0.0, 1.0)
COUNT: Bounds = (0.0, math.inf)
MEASURE_BOUNDS: Mapping[str, Bounds] = {
    **dict.fromkeys(MEASURES, UNIT),
    **dict.fromkeys((LENGTH, REFERENCE_LENGTH, JUDGED_BY, "tokens", SURPRISE), COUNT),
    BRIER: (0.0, 2.0),
}
AGGREGATE_BOUNDS: Mapping[str, Bounds] = {
    "macro_f1": UNIT,
    "mcc": (-1.0, 1.0),
    "corpus_bleu": UNIT,
    "corpus_chrf": UNIT,
    "ece": UNIT,
    "brier": (0.0, 2.0),
    "nll": COUNT,
    "distinct_1": UNIT,
    "distinct_2": UNIT,
    "self_bleu": UNIT,
}


def finite(result: Result) -> Iterator[str]:
    """Infinities and what is no number are no JSON, and no reader of a board can use them."""
    for key, value in _numbers(result):
        if not math.isfinite(value):
            yield f"{key}: found {value}, expected a finite number"


def metrics(result: Result) -> Iterator[str]:
    """low < high, chance between them and not the best, rope and margin not below 0."""
    for metric in result.task.metrics:
        key = f"task.metrics.{metric.name}"
        if not metric.low < metric.high:
            yield f"{key}: low is {metric.low} and high {metric.high}, expected low < high"
        elif not metric.low <= metric.chance <= metric.high:
            yield f"{key}.chance: found {metric.chance}, expected {metric.low} to {metric.high}"
        elif metric.chance == metric.high and not metric.lower_is_better:
            yield f"{key}.chance: found {metric.chance}, the best score, expected less"
        if metric.rope < 0 or metric.margin < 0:
            yield f"{key}: rope {metric.rope}, margin {metric.margin}, expected 0 or more"


def scores(result: Result) -> Iterator[str]:
    """Every score lies within the bounds of its metric."""
    known = {metric.name: (metric.low, metric.high) for metric in result.task.metrics}
    yield from _outside(result.items.scores, known, "items.scores")


def measures(result: Result) -> Iterator[str]:
    """Every measure lies where it can: shares in [0, 1], lengths not below 0."""
    yield from _outside(result.items.measures, MEASURE_BOUNDS, "items.measures")


def judges(result: Result) -> Iterator[str]:
    """Who judged is one of the judges that the settings name."""
    known = result.settings.get(JUDGES)
    places = result.items.measures.get(JUDGED_BY, ())
    most = len(known) if isinstance(known, list) else 0
    for place, judge in enumerate(places):
        if judge is not None and not (0 <= judge < most and judge == int(judge)):
            told = f"items.measures.{JUDGED_BY}: found {judge} at position {place}"
            yield f"{told}, settings.{JUDGES} holds {most}"
            break


def aggregates(result: Result) -> Iterator[str]:
    """Every metric over all items lies where it can; of unknown ones nothing is known."""
    held: dict[str, Column] = {name: (value,) for name, value in result.aggregates.items()}
    known = {name: UNIT for name in held if name.startswith("pass@")} | dict(AGGREGATE_BOUNDS)
    yield from _outside(held, known, "aggregates")


NUMBER_RULES: Rules = {
    "finite": Rule(each(finite), "every number is finite"),
    "metrics": Rule(each(metrics), "bounds, chance, rope and margin of a metric make sense"),
    "scores": Rule(each(scores), "scores lie within the bounds of their metric"),
    "measures": Rule(each(measures), "shares lie in [0, 1], lengths not below 0"),
    "judges": Rule(each(judges), "judgments are of judges that the settings name"),
    "aggregates": Rule(each(aggregates), "metrics over all items lie where they can"),
}


def _outside(held: Mapping[str, Column], known: Mapping[str, Bounds], key: str) -> Iterator[str]:
    """The first value of each column that leaves the bounds which are `known` of it."""
    for name in sorted(held.keys() & known.keys()):
        lo, hi = known[name]
        for place, value in enumerate(held[name]):
            if value is not None and math.isfinite(value) and not _inside(value, (lo, hi)):
                yield f"{key}.{name}: found {value} at position {place}, expected {lo} to {hi}"
                break


def _inside(value: float, around: Bounds) -> bool:
    """False too for what is no number."""
    lo, hi = around
    return lo - ROUNDING <= value <= hi + ROUNDING


def _numbers(result: Result) -> Iterator[tuple[str, float]]:
    """Every number of a Result with its key."""
    told: dict[str, Json] = {
        "provenance.seconds": result.provenance.seconds,
        "settings": dict(result.settings),
        "aggregates": dict(result.aggregates),
    }
    for metric in result.task.metrics:
        told[f"task.metrics.{metric.name}"] = _meaning(metric)
    for name, column in result.items.scores.items():
        told[f"items.scores.{name}"] = list(column)
    for name, column in result.items.measures.items():
        told[f"items.measures.{name}"] = list(column)
    for key, value in told.items():
        yield from _in_json(key, value)


def _meaning(metric: Metric) -> Json:
    return {
        "low": metric.low,
        "high": metric.high,
        "chance": metric.chance,
        "rope": metric.rope,
        "margin": metric.margin,
    }


def _in_json(key: str, value: Json) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _in_json(f"{key}.{name}", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _in_json(f"{key}[{place}]", inner)
