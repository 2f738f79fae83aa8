"""Whole boards of a parent and a child that are equally good: how often one says otherwise."""

import numpy as np
import pytest

from bench.reporting.comparison.board import make_board
from tests.reporting.comparison.made import METRIC, items, model, result

pytestmark = pytest.mark.slow

BOARDS = 400
TASKS = ("a", "b", "c", "d")
BASE, SFT = model(), model("sft", "base", "sft")


def answers(
    random: np.random.Generator, groups: int, within: int, gain: float
) -> list[list[float]]:
    """Zeros and ones [2, items] of parent and child; `gain` in log-odds makes the child better.

    Where items share a cluster, each model also knows more or less of its matter.
    """
    difficulty = random.normal(0, 1, groups * within)
    matter = random.normal(0, 1 if within > 1 else 0, (2, groups)).repeat(within, axis=1)
    chances = 1 / (1 + np.exp(-(difficulty + matter + np.array([[0.0], [gain]]))))
    return (random.random(chances.shape) < chances).astype(float).tolist()


def verdicts(random: np.random.Generator, groups: int, within: int, gain: float = 0.0):
    """(verdict, tax) of each task of one board."""
    clusters = tuple(str(place // within) for place in range(groups * within))
    results = []
    for task in TASKS:
        for who, scores in zip((BASE, SFT), answers(random, groups, within, gain), strict=True):
            asked = items(scores, METRIC.name, clusters=clusters)
            results.append(result(who, scores, task, items=asked))
    (change,) = make_board(results).changes
    return [(contrast.verdict, contrast.tax) for contrast in change.contrasts]


@pytest.mark.parametrize(("groups", "within"), [(20, 1), (100, 1), (400, 1), (40, 3), (20, 6)])
def test_a_board_finds_something_where_nothing_is_at_most_as_often_as_promised(groups, within):
    random = np.random.default_rng(groups * within)
    boards = [verdicts(random, groups, within) for _ in range(BOARDS)]
    called = sum(any(verdict in ("better", "worse") for verdict, _ in board) for board in boards)
    taxed = sum(any(tax == "tax" for _, tax in board) for board in boards)
    assert called / BOARDS <= 0.06
    assert taxed / BOARDS <= 0.06


def test_a_board_finds_what_there_is():
    random = np.random.default_rng(1)
    boards = [verdicts(random, 400, 1, gain=0.8) for _ in range(20)]
    found = [verdict for board in boards for verdict, _ in board]
    assert found.count("better") / len(found) > 0.9
