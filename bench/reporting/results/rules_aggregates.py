"""The rule for metrics over all items: what the columns give again is what the file states.

Called by `bench.reporting.results.audit`, and by `submit` before anything is published. F1, MCC,
BLEU and diversity need labels or texts, which a Result does not hold: of those only the bounds are
known (`rules_numbers.py`).

>>> list(_differing({"ece": 0.2}, {"ece": 0.1, "nll": None}))
['aggregates.ece: found 0.2, the items give 0.1']
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.reporting.results.rule import Rule, Rules, each
from bench.reporting.results.schema import BRIER, SURPRISE, Column, Result
from bench.statistics.calibration import calibration_error

ROUNDING = 1e-9  # what the order of a sum may change
PASS = "pass@"

Again = Callable[[Result], float | None]


def recomputed(result: Result) -> Iterator[str]:
    """Every metric over all items for which the columns are there is computed from them again."""
    known = {name: again(result) for name, again in AGAIN.items() if name in result.aggregates}
    known |= {name: _pass_at(result, int(k)) for name in result.aggregates if (k := _tries(name))}
    yield from _differing(result.aggregates, known)


def _ece(result: Result) -> float | None:
    """Guo et al. 2017, arXiv:1706.04599, eq. 3, with ten equal bins."""
    sure, right = (result.items.measures.get(name, ()) for name in ("probability", "correct"))
    pairs = [
        (one, other)
        for one, other in zip(sure, right, strict=False)
        if one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    ]
    return calibration_error(*zip(*pairs, strict=True)) if pairs else None


def _mean_of(name: str) -> Again:
    """The mean of a measure."""

    def again(result: Result) -> float | None:
        values = _known(result.items.measures.get(name, ()))
        return math.fsum(values) / len(values) if values else None

    return again


def _pass_at(result: Result, k: int) -> float | None:
    """Chen et al. 2021, arXiv:2107.03374, eq. 1; None where an item has fewer than `k` samples."""
    samples: dict[str, list[float]] = defaultdict(list)
    headline = result.task.metrics[0].name if result.task.metrics else ""
    column = result.items.scores.get(headline, ())
    for name, score in zip(result.items.ids, column, strict=bool(column)):
        if score is not None:
            samples[name].append(score)
    if not samples or k > min(map(len, samples.values())):
        return None
    shares = [_passing(scores, k) for scores in samples.values()]
    return math.fsum(shares) / len(shares)


AGAIN: Mapping[str, Again] = {"ece": _ece, "brier": _mean_of(BRIER), "nll": _mean_of(SURPRISE)}
AGGREGATE_RULES: Rules = {
    "recomputed": Rule(each(recomputed), "ECE, Brier, NLL and pass@k are what the items give")
}


def _tries(name: str) -> str:
    """The k of "pass@k", "" for what is none; longer ones than any file has samples are none."""
    k = name.removeprefix(PASS)
    return k if name.startswith(PASS) and re.fullmatch("[1-9][0-9]{0,8}", k) else ""


def _passing(scores: Sequence[float], k: int) -> float:
    """The probability that one of `k` samples drawn of `scores` is right."""
    wrong = sum(score != 1.0 for score in scores)
    return 1.0 - math.comb(wrong, k) / math.comb(len(scores), k)


def _differing(
    stated: Mapping[str, float | None], known: Mapping[str, float | None]
) -> Iterator[str]:
    """The metrics that are stated otherwise than they are `known`, where they are."""
    for name, value in known.items():
        found = stated.get(name)
        if value is None or (found is not None and math.isclose(found, value, abs_tol=ROUNDING)):
            continue
        yield f"aggregates.{name}: found {found}, the items give {value}"


def _known(column: Column) -> list[float]:
    """The finite values; the rule `finite` speaks of the others."""
    return [value for value in column if value is not None and math.isfinite(value)]
