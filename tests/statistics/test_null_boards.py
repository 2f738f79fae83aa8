"""Boards on which nothing is better than anything: how often a page says so all the same."""

from itertools import pairwise

import numpy as np
import pytest

from bench.statistics.multiplicity import holm
from bench.statistics.paired import paired_difference
from bench.statistics.ranks import rank_sets_of_scores

pytestmark = pytest.mark.slow

BOARDS = 400
# Clusters and items in each; single items are independent.
layouts = pytest.mark.parametrize(("groups", "within"), [(120, 1), (40, 3), (20, 6)])


def equal_models(random: np.random.Generator, models: int, groups: int, within: int) -> np.ndarray:
    """Zeros and ones [models, items] of models that are equally good.

    Items are hard or easy for all; where they share a cluster, each model also knows more or less
    of its matter, which is what makes differences between models depend on each other.
    """
    difficulty = random.normal(0, 1, groups * within)
    matter = random.normal(0, 1 if within > 1 else 0, (models, groups)).repeat(within, axis=1)
    chances = 1 / (1 + np.exp(-(difficulty + matter)))
    return (random.random(chances.shape) < chances).astype(float)


def names_of(groups: int, within: int) -> list[str]:
    return [str(place // within) for place in range(groups * within)]


def lineage_page(random, groups: int, within: int, clusters: list[str] | None) -> list[float]:
    """P-values of SFT, DPO and PPO, each against its parent, on four tasks."""
    found = []
    for _ in range(4):
        scores = equal_models(random, 4, groups, within).tolist()
        found += [
            paired_difference(child, parent, clusters).p_value for parent, child in pairwise(scores)
        ]
    return found


@layouts
def test_a_page_of_a_lineage_is_wrong_at_most_as_often_as_promised(groups, within):
    random, raw, adjusted = np.random.default_rng(groups), 0, 0
    clusters = names_of(groups, within)
    for _ in range(BOARDS):
        p_values = lineage_page(random, groups, within, clusters)
        raw += min(p_values) <= 0.05
        adjusted += min(holm(p_values)) <= 0.05
    assert adjusted / BOARDS <= 0.06
    assert raw / BOARDS > 0.2  # what a page of unadjusted values would do


def separations(groups: int, within: int, clusters: list[str] | None) -> tuple[float, float]:
    """On how many boards of six models a pair is separated: jointly, and by itself."""
    random, joint, alone = np.random.default_rng(groups), 0, 0
    for _ in range(BOARDS):
        found = rank_sets_of_scores(equal_models(random, 6, groups, within), clusters)
        joint += any((rank.best, rank.worst) != (1, 6) for rank in found.ranks)
        alone += any(pair.p <= 0.05 for pair in found.pairs)
    return joint / BOARDS, alone / BOARDS


@layouts
def test_rank_sets_are_wrong_at_most_as_often_as_promised(groups, within):
    joint, alone = separations(groups, within, names_of(groups, within))
    assert joint <= 0.06
    assert alone > 0.2


def test_rank_sets_that_ignore_clusters_are_wrong_far_more_often():
    joint, _ = separations(20, 6, clusters=None)
    assert joint > 0.12
