"""Bayesian tests over tasks: reference values, baycomp, symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.signed_rank import bayesian_sign, bayesian_signed_rank

TESTS = [bayesian_sign, bayesian_signed_rank]
DIFFERENCES = [0.4, -1.2, 2.5, 0.9, -0.3, 1.7, 3.1, -2.2, 0.6, 1.1, -0.8, 0.2, 1.9, -1.5, 0.7]
tasks = st.lists(st.sampled_from([-1.0, 0.0, 0.5]) | st.floats(-3, 3), min_size=1, max_size=15)
regions = st.sampled_from([0.0, 0.5, 1.0])


def probabilities(found):
    return found.p_worse, found.p_equivalent, found.p_better


def test_the_sign_test_has_the_reference_values():
    # baycomp's example: naive Bayes against J48 on 54 data sets, where these counts lie below,
    # within and above a region of 1.
    found = bayesian_sign([-2.0] * 18 + [0.0] * 15 + [2.0] * 21, 1.0)
    assert probabilities(found) == pytest.approx((0.265, 0.133, 0.602), abs=5e-3)
    assert (found.n_tasks, found.method) == (54, "sign")


@pytest.mark.parametrize(
    ("test", "region", "expected"),
    [
        (bayesian_signed_rank, 0.5, (0.0681, 0.1633, 0.7686)),
        (bayesian_signed_rank, 1.0, (0.0002, 0.9091, 0.0906)),
        (bayesian_sign, 0.5, (0.0959, 0.0961, 0.8081)),
        (bayesian_sign, 1.0, (0.0370, 0.7798, 0.1831)),
    ],
)
def test_values_that_baycomp_gave_from_many_draws(test, region, expected):
    assert probabilities(test(DIFFERENCES, region)) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("seed", range(3))
def test_both_are_baycomps(seed):
    oracle = pytest.importorskip("baycomp.multiple", reason="baycomp is not installed")
    drawn = np.random.default_rng(seed).normal(0.3, 1, 20)
    for ours, theirs in zip(TESTS, (oracle.SignTest, oracle.SignedRankTest), strict=True):
        expected = theirs(np.zeros(20), drawn, 0.3, nsamples=50_000, random_state=seed).probs()
        assert probabilities(ours(drawn.tolist(), 0.3)) == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("test", TESTS)
@settings(max_examples=30)
@given(found=tasks, region=regions, random=st.randoms())
def test_swapping_the_two_swaps_better_and_worse_and_order_does_not_matter(
    test, found, region, random
):
    there = test(found, region, draws=200)
    back = test([-value for value in random.sample(found, len(found))], region, draws=200)
    assert probabilities(back) == probabilities(there)[::-1] or set(found) == {
        -value for value in found
    }
    assert sum(probabilities(there)) == pytest.approx(1.0)


@pytest.mark.parametrize("test", TESTS)
def test_more_prior_means_more_doubt(test):
    trusting, doubting = (test(DIFFERENCES, 0.5, prior=prior) for prior in (0.1, 10.0))
    assert doubting.p_equivalent > trusting.p_equivalent + 0.1


@pytest.mark.parametrize("test", TESTS)
def test_a_clear_win_is_one(test):
    found = test([2.0] * 12, 0.5)
    assert found.p_better > 0.99
    assert found.seed == test([2.0] * 12, 0.5).seed


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("differences", "region"), [([], 0.1), ([0.1], -0.1)])
def test_nothing_to_judge_is_an_error(test, differences, region):
    with pytest.raises(ValueError, match=f"{len(differences)} differences against a region"):
        test(differences, region)
