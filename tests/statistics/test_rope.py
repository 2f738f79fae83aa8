"""Regions of practical equivalence: reference values, draws, symmetry, verdicts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.paired import paired_difference
from bench.statistics.rope import compare, verdict
from tests.statistics.contingency import XL_TRUTHFUL, clustered_scores, table

regions = st.sampled_from([0.0, 0.01, 0.1, 0.5])
scores = st.sampled_from([0.0, 1.0]) | st.floats(0, 1, allow_subnormal=False)
rows = st.lists(st.tuples(scores, scores, st.sampled_from("abcdef")), min_size=2, max_size=30)


def probabilities(found):
    return found.p_worse, found.p_equivalent, found.p_better


def test_the_reference_values():
    found = compare(paired_difference(*table(36, 14, 19, 31)), 0.02)
    assert probabilities(found) == pytest.approx((0.691, 0.196, 0.113), abs=2e-3)
    assert (found.method, found.verdict) == ("dirichlet", "undetermined")


@pytest.mark.parametrize("counts", [(36, 14, 19, 31), (3, 0, 0, 4), (0, 9, 1, 0), (300, 9, 31, 20)])
@pytest.mark.parametrize("region", [0.0, 0.02, 0.2])
def test_zeros_and_ones_get_the_probabilities_of_dirichlet_draws(counts, region):
    drawn = np.random.default_rng(0).dirichlet(np.array(counts) + 1, 400_000)
    change = drawn[:, 1] - drawn[:, 2]
    expected = (change < -region).mean(), (abs(change) <= region).mean(), (change > region).mean()
    found = compare(paired_difference(*table(*counts)), region)
    assert probabilities(found) == pytest.approx(expected, abs=4e-3)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_rest_gets_those_of_t(clustered):
    child, parent, clusters = clustered_scores(XL_TRUTHFUL)
    if not clustered:
        random = np.random.default_rng(0)
        child, parent, clusters = random.random(40).tolist(), random.random(40).tolist(), None
    one = paired_difference(child, parent, clusters)
    posterior = stats.t(one.n_clusters - 1, loc=one.estimate, scale=one.se)
    found = compare(one, 0.05)
    assert found.method == "t"
    assert found.p_worse == pytest.approx(posterior.cdf(-0.05))
    assert found.p_better == pytest.approx(posterior.sf(0.05))


@given(rows, regions)
def test_swapping_the_two_swaps_better_and_worse(found, region):
    child, parent, clusters = (list(column) for column in zip(*found, strict=True))
    there = compare(paired_difference(child, parent, clusters), region)
    back = compare(paired_difference(parent, child, clusters), region)
    lower = compare(paired_difference(child, parent, clusters, lower_is_better=True), region)
    if there.p_better is None:
        assert probabilities(back) == probabilities(lower) == (None, None, None)
        return
    expected = there.p_better, there.p_equivalent, there.p_worse
    assert probabilities(back) == pytest.approx(expected, abs=1e-6)
    assert probabilities(lower) == pytest.approx(expected, abs=1e-12)
    assert sum(expected) == pytest.approx(1.0)
    assert min(expected) >= 0.0
    swapped = {"better": "worse", "worse": "better"}
    assert back.verdict == swapped.get(there.verdict, there.verdict)


@given(st.tuples(*[st.integers(0, 20)] * 4).filter(lambda counts: sum(counts) > 1))
def test_without_a_region_better_is_as_likely_as_the_headline_says(counts):
    one = paired_difference(*table(*counts))
    found = compare(one, 0.0)
    assert found.p_better == pytest.approx(one.p_better, abs=1e-6)
    assert found.p_equivalent == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("n", "least"), [(10, 0.4), (100, 0.95), (1000, 0.999)])
def test_identical_scores_are_the_more_surely_equivalent_the_more_there_are(n, least):
    scores = np.random.default_rng(0).random(n).tolist()
    found = compare(paired_difference(scores, scores), 0.05)
    assert found.method == "dirichlet"
    assert found.p_equivalent > least
    assert found.p_worse == pytest.approx(found.p_better)


def test_equal_differences_are_judged_by_what_may_not_have_been_seen():
    found = compare(paired_difference([0.5] * 30, [0.3] * 30), 0.1)
    drawn = np.random.default_rng(0).dirichlet([1, 1, 31], 400_000) @ [1.0, -1.0, 0.2]
    assert found.p_better == pytest.approx((drawn > 0.1).mean(), abs=4e-3)


def test_regions_are_in_units_of_the_score():
    child, parent = table(36, 14, 19, 31)
    percent = paired_difference(
        [100 * score for score in child], [100 * score for score in parent], bounds=(0.0, 100.0)
    )
    expected = probabilities(compare(paired_difference(child, parent), 0.02))
    assert probabilities(compare(percent, 2.0)) == pytest.approx(expected)


def test_one_item_and_equal_differences_without_a_scale_say_nothing():
    endless = (-math.inf, math.inf)
    for one in (
        paired_difference([1.0], [0.0]),
        paired_difference([3.0, 4.0], [1.0, 2.0], bounds=endless),
    ):
        found = compare(one, 0.1)
        assert probabilities(found) == (None, None, None)
        assert (found.method, found.verdict) == ("none", "undetermined")


@pytest.mark.parametrize(
    ("lo", "hi", "region", "expected"),
    [
        (0.01, 0.30, 0.05, "better"),
        (0.06, 0.30, 0.05, "better"),
        (0.01, 0.05, 0.05, "equivalent"),
        (-0.05, 0.05, 0.05, "equivalent"),
        (-0.04, 0.06, 0.05, "undetermined"),
        (-0.30, -0.01, 0.05, "worse"),
        (-0.30, 0.01, 0.05, "undetermined"),
        (0.0, 0.3, 0.0, "undetermined"),
        (None, None, 0.05, "undetermined"),
    ],
)
def test_the_verdict_follows_the_whole_interval(lo, hi, region, expected):
    assert verdict(lo, hi, region) == expected
    swapped = {"better": "worse", "worse": "better"}.get(expected, expected)
    assert verdict(lo, hi, region, lower_is_better=True) == swapped
    if lo is not None:
        assert verdict(-hi, -lo, region) == swapped


def test_a_region_below_zero_is_an_error():
    with pytest.raises(ValueError, match=r"a region of -0\.1"):
        compare(paired_difference([1.0, 0.0], [0.0, 0.0]), -0.1)
