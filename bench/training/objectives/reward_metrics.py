"""How well a reward model agrees with rankings: accuracy and calibration over pairs of replies.

`reward.py` reports them on held-out rankings.

>>> pair_metrics([0.9, 0.8, 0.3], ["a", "a", "b"], ["1", "2", "3"])["accuracy/a"]
1.0
"""

import math
from collections.abc import Sequence

import numpy as np

from bench.statistics.intervals import mean_interval

BINS = 10
FLOOR = 1e-12  # as for choice tasks: a certainty that was wrong costs 27.6 nats, not infinity
Values = np.ndarray[tuple[int], np.dtype[np.float64]]


def pair_metrics(
    probabilities: Sequence[float], sources: Sequence[str], groups: Sequence[str]
) -> dict[str, float]:
    """Metrics of pairs with a known winner; `probabilities` [P] are P(winner beats loser).

    accuracy            share of pairs whose winner is the likelier one; 0.5 counts half
    accuracy_lo, _hi    its 95 % interval, clustered by `groups` [P]; left out when there is none
    accuracy/SOURCE     the same share for each of `sources` [P]
    ece                 expected calibration error of the likelier side, 10 equal bins
                        (Guo et al. 2017, arXiv 1706.04599, eq. 3)
    brier               mean of (1 - P)^2, in [0, 1] (Brier 1950)
    nll                 mean of -log P in nats
    pairs               how many; without any it is the only entry

    Raises:
        ValueError: the lengths differ, or a probability lies outside [0, 1].
    """
    if not len(probabilities) == len(sources) == len(groups):
        raise ValueError(f"{len(probabilities)}, {len(sources)}, {len(groups)} entries")
    winner = np.asarray(probabilities, dtype=np.float64)
    if not bool(((winner >= 0) & (winner <= 1)).all()):
        raise ValueError("probabilities outside [0, 1]")
    if winner.size == 0:
        return {"pairs": 0.0}
    right: Values = (winner > 0.5) + 0.5 * (winner == 0.5)
    return {
        **_accuracy(right, groups),
        **_by_source(right, sources),
        "ece": _ece(np.maximum(winner, 1 - winner), right),
        "brier": float(((1 - winner) ** 2).mean()),
        "nll": float(-np.log(np.maximum(winner, FLOOR)).mean()),
        "pairs": float(winner.size),
    }


def _accuracy(right: Values, groups: Sequence[str]) -> dict[str, float]:
    found = mean_interval(right.tolist(), groups)
    bounds = {"accuracy_lo": found.lo, "accuracy_hi": found.hi}
    known = {name: value for name, value in bounds.items() if value is not None}
    return {"accuracy": found.estimate, **known}


def _by_source(right: Values, sources: Sequence[str]) -> dict[str, float]:
    names = np.asarray(sources)
    return {
        f"accuracy/{source}": float(right[names == source].mean())
        for source in dict.fromkeys(sources)
    }


def _ece(confidence: Values, right: Values) -> float:
    bins = np.ceil(confidence * BINS).astype(int)
    gaps = [
        abs(float((right - confidence)[bins == place].sum())) for place in np.unique(bins).tolist()
    ]
    return math.fsum(gaps) / confidence.size
