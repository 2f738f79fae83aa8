"""Calibration of choice tasks: do the probabilities mean what they say?

All three read the softmax over unnormalised log-likelihoods (`Record.probabilities`), take its
maximum as the prediction, and are better when lower.
"""

import math
from collections.abc import Sequence

import numpy as np

from bench.types import Record

BINS = 10
FLOOR = 1e-12


def ece(records: Sequence[Record]) -> float:
    """Expected calibration error, 10 equal bins (Guo et al. 2017, arXiv 1706.04599, eq. 3)."""
    confidence = np.array([max(record.probabilities) for record in records])
    right = np.array([top_is_right(record) for record in records], dtype=float)
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = [
        abs(right[bins == place].mean() - confidence[bins == place].mean())
        * float((bins == place).mean())
        for place in np.unique(bins)
    ]
    return float(sum(gaps))


def brier(records: Sequence[Record]) -> float:
    """Mean squared distance to the one-hot truth, summed over choices, in [0, 2] (Brier 1950)."""
    return float(np.mean([squares(record) for record in records]))


def nll(records: Sequence[Record]) -> float:
    """Mean negative log-probability of the right choices, in nats."""
    return float(np.mean([surprise(record) for record in records]))


def top_is_right(record: Record) -> bool:
    """Whether the most probable choice is right, whatever a headline that divides by lengths says.

    `record` needs probabilities [choices], as the functions below.
    """
    return record.probabilities.index(max(record.probabilities)) in _right(record)


def squares(record: Record) -> float:
    """The Brier score of one Record, in [0, 2]."""
    right = _right(record)
    truth = [
        float(place in right) / max(len(right), 1) for place in range(len(record.probabilities))
    ]
    return sum((p - t) ** 2 for p, t in zip(record.probabilities, truth, strict=True))


def surprise(record: Record) -> float:
    """Negative log-probability of the right choices of one Record, in nats."""
    right = sum(record.probabilities[place] for place in _right(record))
    return -math.log(max(right, FLOOR))


def _right(record: Record) -> list[int]:
    return [place for place, choice in enumerate(record.choices) if choice in record.answers]
