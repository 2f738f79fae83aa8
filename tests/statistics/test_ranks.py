"""Rank sets: reference values, contracts between two models, groups, order, seeds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.ranks import rank_sets, rank_sets_of_scores
from tests.statistics.judged import TABLE

few = settings(max_examples=8)
boards = st.lists(
    st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=24, max_size=24), min_size=3, max_size=5
)
passages = st.sampled_from([None, [f"passage {place // 3}" for place in range(24)]])


def bradley_terry() -> tuple[np.ndarray, np.ndarray]:
    """Ratings with the base at 0, ties half a win, and their sandwich covariance, by Newton."""
    rows = [
        (np.eye(4)[first] - np.eye(4)[second], outcome, count)
        for (first, second), counts in TABLE.items()
        for outcome, count in zip((1.0, 0.5, 0.0), counts, strict=True)
    ]
    designs = np.array([row[0][1:] for row in rows])
    outcomes, counts = (np.array([row[at] for row in rows]) for at in (1, 2))
    ratings = np.zeros(3)
    for _ in range(30):
        chances = 1 / (1 + np.exp(-designs @ ratings))
        hessian = (designs.T * (counts * chances * (1 - chances))) @ designs
        ratings = ratings + np.linalg.solve(hessian, designs.T @ (counts * (outcomes - chances)))
    meat = (designs.T * (counts * (outcomes - chances) ** 2)) @ designs
    bread = np.linalg.inv(hessian)
    covariance = np.zeros((4, 4))
    covariance[1:, 1:] = bread @ meat @ bread
    return np.array([0.0, *ratings]), covariance


def test_ranks_of_a_preference_model_have_the_reference_values():
    ratings, covariance = bradley_terry()
    assert ratings == pytest.approx((0, 1.5534, 2.1588, 2.2323), abs=5e-4)
    errors = np.sqrt(np.diag(covariance))
    assert errors == pytest.approx((0, 0.1734, 0.1849, 0.1836), abs=5e-4)
    found = rank_sets(ratings, covariance)
    assert [(rank.best, rank.worst) for rank in found.ranks] == [(4, 4), (3, 3), (1, 2), (1, 2)]
    assert [rank.groups for rank in found.ranks] == [(2,), (1,), (0,), (0,)]
    assert found.critical == pytest.approx(2.55, abs=0.02)
    assert found.ranks[3].p_best == pytest.approx(stats.norm.cdf(0.0735 / 0.1424), abs=5e-3)
    assert found.pairs[-1].estimate == pytest.approx(-0.0735, abs=5e-4)
    assert found.pairs[-1].se == pytest.approx(0.1424, abs=5e-4)


def test_independent_equal_models_have_tukeys_test():
    means = np.array([0.0, 1.0, 2.0, 3.5])
    found = rank_sets(means, 0.5 * np.eye(4), degrees=30)
    tukey = stats.studentized_range(4, 30)
    assert found.critical == pytest.approx(tukey.ppf(0.95) / math.sqrt(2), abs=0.03)
    for pair in found.pairs:
        gap = abs(means[pair.first] - means[pair.second])
        assert pair.joint_p == pytest.approx(tukey.sf(gap / math.sqrt(0.5)), abs=5e-3)
        assert pair.p == pytest.approx(2 * stats.t.sf(gap, 30))


def test_chances_of_being_the_best_and_expected_ranks_are_those_of_draws():
    means, spread = np.array([0.3, 0.2, 0.25]), np.diag([0.01, 0.04, 0.0025])
    found = rank_sets(means, spread)
    drawn = np.random.default_rng(1).multivariate_normal(means, spread, 400_000)
    best = np.bincount(drawn.argmax(axis=1), minlength=3) / len(drawn)
    order = (-drawn).argsort(axis=1).argsort(axis=1).mean(axis=0) + 1
    assert [rank.p_best for rank in found.ranks] == pytest.approx(best, abs=5e-3)
    assert [rank.expected for rank in found.ranks] == pytest.approx(order, abs=5e-3)


@few
@given(boards, passages, st.lists(st.floats(0, 1), min_size=24, max_size=24))
def test_whether_one_model_beats_another_does_not_depend_on_a_third(board, clusters, irrelevant):
    alone = rank_sets_of_scores(board[:2], clusters).pairs[0]
    beside = rank_sets_of_scores([*board, irrelevant], clusters).pairs[0]
    fields = ("first", "second", "estimate", "se", "lo", "hi", "p")
    for field in fields:
        assert getattr(beside, field) == pytest.approx(getattr(alone, field), abs=1e-9)


@few
@given(boards, passages)
def test_a_pair_of_models_has_their_paired_t_test(board, clusters):
    pair = rank_sets_of_scores(board, clusters).pairs[0]
    change = np.subtract(board[0], board[1])
    units = change if clusters is None else change.reshape(8, 3).mean(axis=1)
    if np.ptp(units) > 1e-9:
        expected = stats.ttest_1samp(units, 0)
        assert (pair.estimate, pair.p) == pytest.approx((change.mean(), expected.pvalue))
        assert (pair.lo, pair.hi) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert pair.joint_lo <= pair.lo <= pair.hi <= pair.joint_hi
    assert pair.joint_p >= pair.p


@few
@given(boards, passages)
def test_rank_sets_say_what_the_pairs_say(board, clusters):
    found = rank_sets_of_scores(board, clusters)
    means = np.mean(board, axis=1)
    for at, rank in enumerate(found.ranks):
        separated = {
            pair.second if pair.first == at else pair.first: pair.joint_lo > 0 or pair.joint_hi < 0
            for pair in found.pairs
            if at in (pair.first, pair.second)
        }
        better = sum(apart and means[other] > means[at] for other, apart in separated.items())
        worse = sum(apart and means[other] < means[at] for other, apart in separated.items())
        assert (rank.best, rank.worst) == (1 + better, len(board) - worse)
        for other, apart in separated.items():
            assert apart != bool({*rank.groups} & {*found.ranks[other].groups})
    assert sum(rank.p_best for rank in found.ranks) == pytest.approx(1)
    assert sum(rank.expected for rank in found.ranks) == pytest.approx(
        len(board) * (len(board) + 1) / 2
    )


@few
@given(boards, st.randoms())
def test_the_order_of_models_does_not_matter(board, random):
    order = random.sample(range(len(board)), len(board))
    found = rank_sets_of_scores(board).ranks
    turned = rank_sets_of_scores([board[at] for at in order]).ranks
    for rank, at in zip(turned, order, strict=True):
        assert (rank.best, rank.worst) == (found[at].best, found[at].worst)
        assert rank.expected == pytest.approx(found[at].expected)
        assert rank.p_best == pytest.approx(found[at].p_best, abs=0.01)


@few
@given(boards, passages)
def test_the_other_direction_turns_ranks_around(board, clusters):
    found = rank_sets_of_scores(board, clusters).ranks
    flipped = rank_sets_of_scores(-np.array(board), clusters).ranks
    last = len(board) + 1
    for rank, other in zip(found, flipped, strict=True):
        assert (other.best, other.worst) == (last - rank.worst, last - rank.best)
        assert other.expected == pytest.approx(last - rank.expected)


def test_the_same_scores_have_the_same_seed_and_another_seed_nearly_the_same_ranks():
    board = np.random.default_rng(5).random((4, 60))
    found = rank_sets_of_scores(board)
    assert rank_sets_of_scores(board) == found
    other = rank_sets_of_scores(board, seed=found.seed + 1)
    assert (found.seed, other.seed) == (other.seed - 1, found.seed + 1)
    assert other.critical == pytest.approx(found.critical, abs=0.05)
    assert other.critical != found.critical


def test_models_of_equal_scores_share_everything():
    row = np.random.default_rng(2).random(50)
    first, second, third = rank_sets_of_scores([row, row, row / 2]).ranks
    assert first == second
    assert (first.best, first.worst, first.p_best, third.best) == (1, 2, 0.5, 3)


@pytest.mark.parametrize(("items", "separated"), [(3, False), (40, True)])
def test_a_difference_that_never_varies_needs_items_too(items, separated):
    first, second = rank_sets_of_scores([[1.0] * items, [0.0] * items]).ranks
    assert (first.worst < second.best) == separated


def test_a_known_difference_separates_without_variance():
    found = rank_sets([0.0, 1.0], np.zeros((2, 2)))
    assert [(rank.best, rank.p_best) for rank in found.ranks] == [(2, 0.0), (1, 1.0)]
    assert (found.pairs[0].p, found.pairs[0].joint_p) == (0.0, 0.0)


def test_a_model_that_varies_much_may_be_in_two_groups_whose_others_are_separated():
    found = rank_sets([1.0, 0.5, 0.0], np.diag([0.01, 0.2, 0.01])).ranks
    assert [rank.groups for rank in found] == [(0,), (0, 1), (1,)]


def test_one_model_is_the_best():
    (rank,) = rank_sets_of_scores([[0.0, 1.0, 1.0]]).ranks
    assert (rank.best, rank.worst, rank.p_best, rank.expected, rank.groups) == (
        1,
        1,
        1.0,
        1.0,
        (0,),
    )


def test_few_clusters_are_warned_of_and_counted():
    board = np.random.default_rng(2).random((3, 40))
    found = rank_sets_of_scores(board, [str(place % 19) for place in range(40)])
    assert (found.n_items, found.n_clusters) == (40, 19)
    assert found.warnings == ("only 19 clusters: rank sets may be too narrow",)
    assert rank_sets_of_scores(board).warnings == ()
