"""Metrics over all Records of a task, for what no single reply can have: F1, MCC, corpus BLEU.

AGGREGATES maps a name in `task.yaml: aggregates` to a function of the scored Records. pass@k takes
its k from the name ("pass@1", "pass@10").
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import TaskError, did_you_mean
from bench.scoring import calibration
from bench.scoring.choice import label
from bench.scoring.text import bleu_tokens
from bench.types import Record

Aggregate = Callable[[Sequence[Record]], float]
NO_PREDICTION = "(none)"


@dataclass(frozen=True, slots=True)
class Direction:
    """Whether lower values are better, and which Records the metric can read."""

    lower_is_better: bool = False
    needs_probabilities: bool = False


def macro_f1(records: Sequence[Record]) -> float:
    """Unweighted mean of the F1 of each label; a reply without a prediction counts as a miss."""
    from sklearn.metrics import f1_score

    gold = [record.gold for record in records]
    return float(
        f1_score(
            gold, _predictions(records), labels=sorted(set(gold)), average="macro", zero_division=0
        )
    )


def mcc(records: Sequence[Record]) -> float:
    """Matthews correlation coefficient, in [-1, 1].

    It is 0 where there is but one label, as its definition divides by nothing there.
    """
    from sklearn.metrics import matthews_corrcoef

    gold, said = [record.gold for record in records], _predictions(records)
    return float(matthews_corrcoef(gold, said)) if len({*gold, *said}) > 1 else 0.0


def corpus_bleu(records: Sequence[Record]) -> float:
    """Corpus BLEU by sacrebleu, scaled to [0, 1]."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize=bleu_tokens(records[0].answers))
    return float(metric.corpus_score(*_texts(records)).score / 100)


def corpus_chrf(records: Sequence[Record]) -> float:
    """Corpus chrF2 by sacrebleu, scaled to [0, 1]."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().corpus_score(*_texts(records)).score / 100)


def pass_at(k: int) -> Aggregate:
    """Unbiased pass@k: mean over items of 1 - C(n-c, k) / C(n, k).

    Chen et al. 2021, arXiv 2107.03374, eq. 1; n is the number of samples of an item, c how many
    of them score 1 under the headline scorer.
    """

    def pass_at_k(records: Sequence[Record]) -> float:
        samples: dict[str, list[float]] = defaultdict(list)
        for record in records:
            samples[record.id].append(next(iter(record.scores.values())))
        return sum(_unbiased(scores, k) for scores in samples.values()) / len(samples)

    return pass_at_k


AGGREGATES: Mapping[str, Aggregate] = {
    "macro_f1": macro_f1,
    "mcc": mcc,
    "corpus_bleu": corpus_bleu,
    "corpus_chrf": corpus_chrf,
    "ece": calibration.ece,
    "brier": calibration.brier,
    "nll": calibration.nll,
}
CALIBRATION = Direction(lower_is_better=True, needs_probabilities=True)
DIRECTIONS: Mapping[str, Direction] = {"ece": CALIBRATION, "brier": CALIBRATION, "nll": CALIBRATION}


def find_aggregate(name: str) -> Aggregate:
    """The metric called `name`.

    Raises:
        TaskError: no metric has that name.
    """
    if name.startswith("pass@") and name[5:].isdecimal() and int(name[5:]) > 0:
        return pass_at(int(name[5:]))
    if name not in AGGREGATES:
        raise TaskError(
            f"aggregates: no metric is named {name!r}", did_you_mean(name, [*AGGREGATES, "pass@1"])
        )
    return AGGREGATES[name]


def _unbiased(scores: Sequence[float], k: int) -> float:
    n, c = len(scores), sum(score == 1.0 for score in scores)
    if n < k:
        raise TaskError(
            f"aggregates: pass@{k} needs {k} samples of each item, found {n}",
            f"set generate.samples to at least {k}",
        )
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def _predictions(records: Sequence[Record]) -> list[str]:
    """What each record predicts; "Positive." is the label "positive", as for `accuracy`."""
    labels = {record.gold for record in records}
    by_form = {label(gold): gold for gold in sorted(labels, reverse=True)}
    said = [NO_PREDICTION if r.prediction is None else r.prediction for r in records]
    return [text if text in labels else by_form.get(label(text), text) for text in said]


def _texts(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Predictions, and references transposed as sacrebleu takes them (one list a reference)."""
    most = max(len(record.answers) for record in records)
    references = [
        [record.answers[min(place, len(record.answers) - 1)] for record in records]
        for place in range(most)
    ]
    return [record.prediction or "" for record in records], references
