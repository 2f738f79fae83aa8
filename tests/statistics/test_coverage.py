"""How often intervals of a paired difference hold the truth: simulated, minutes."""

from collections import Counter

import numpy as np
import pytest

from bench.statistics.paired import paired_difference
from tests.statistics.contingency import table

REPEATS = 2000
pytestmark = pytest.mark.slow


def share_held(intervals, truth: float) -> float:
    return float(np.mean([found.lo <= truth <= found.hi for found in intervals]))


@pytest.mark.parametrize("n", [20, 50, 100, 199, 200, 400])
@pytest.mark.parametrize(
    "odds",
    [
        (0.90, 0.06, 0.02, 0.02),
        (0.75, 0.15, 0.05, 0.05),
        (0.85, 0.06, 0.04, 0.05),
        (0.60, 0.15, 0.10, 0.15),
        (0.30, 0.20, 0.20, 0.30),
    ],
)
def test_zeros_and_ones(n, odds):
    tables = Counter(map(tuple, np.random.default_rng(n).multinomial(n, odds, REPEATS).tolist()))
    held = 0
    for counts, times in tables.items():
        found = paired_difference(*table(*counts))
        held += times * (found.lo <= odds[1] - odds[2] <= found.hi)
    assert 0.93 <= held / REPEATS <= 1.0


@pytest.mark.parametrize("n", [20, 100, 400])
@pytest.mark.parametrize("changed", [0.5, 1.0])
def test_graded_scores(n, changed):
    """Parents' scores are F1-like; a share of the children's is drawn anew, and 0.1 higher."""
    random = np.random.default_rng(n)

    def scores(size):
        kind = random.random(size)
        return np.where(kind < 0.3, 0.0, np.where(kind > 0.8, 0.9, 0.9 * random.random(size)))

    parent = scores((REPEATS, n))
    child = np.where(random.random((REPEATS, n)) < changed, scores((REPEATS, n)) + 0.1, parent)
    found = [paired_difference(*pair) for pair in zip(child, parent, strict=True)]
    assert 0.93 <= share_held(found, 0.1 * changed) <= 1.0


@pytest.mark.parametrize(("groups", "within"), [(10, 2), (20, 5), (50, 2), (100, 4)])
@pytest.mark.parametrize("odds", [(0.75, 0.15, 0.05, 0.05), (0.40, 0.30, 0.10, 0.20)])
def test_clustered_zeros_and_ones(groups, within, odds):
    """Every cluster has odds of its own, with an intraclass correlation of 0.2."""
    random = np.random.default_rng(groups)
    clusters = [str(place // within) for place in range(groups * within)]
    edges = random.dirichlet(4 * np.array(odds), (REPEATS, groups, 1)).cumsum(-1)[..., :-1]
    outcome = (random.random((REPEATS, groups, within, 1)) > edges).sum(-1).reshape(REPEATS, -1)
    child, parent = (outcome < 2).astype(float), (outcome % 2 == 0).astype(float)
    found = [paired_difference(*pair, clusters) for pair in zip(child, parent, strict=True)]
    assert 0.93 <= share_held(found, odds[1] - odds[2]) <= 1.0


@pytest.mark.parametrize(("groups", "within"), [(5, 4), (20, 5), (100, 4)])
def test_clustered_graded_scores(groups, within):
    """Intraclass correlation 0.4 of the differences; the parents' scores do not matter."""
    random = np.random.default_rng(groups)
    clusters = [str(place // within) for place in range(groups * within)]
    shared = random.uniform(-0.15, 0.15, (REPEATS, groups)).repeat(within, axis=1)
    own = random.uniform(-0.18, 0.18, (REPEATS, groups * within))
    child, parent = 0.55 + shared + own, np.full(groups * within, 0.5)
    found = [paired_difference(row, parent, clusters) for row in child]
    assert 0.93 <= share_held(found, 0.05) <= 1.0
