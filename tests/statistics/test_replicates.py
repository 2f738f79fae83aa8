"""Several samples of an item: reference values, enumerations, simulated parts and coverage."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.intervals import mean_interval
from bench.statistics.replicates import (
    ONE_EACH,
    pass_at_k,
    pass_hat_k,
    replicated_error,
    replicates,
    two_level_bootstrap,
)

RATES = [1, 0.8, 0.5, 0.2, 0, 0.9, 0.6, 0.4, 1, 0]
passes = st.integers(1, 8).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
)


@pytest.mark.parametrize(("samples", "error"), [(1, 0.1623), (4, 0.1334), (16, 0.1251)])
def test_the_error_of_replicates_has_the_reference_values(samples, error):
    assert replicated_error(RATES, samples) == pytest.approx(error, abs=5e-5)


def test_pass_at_k_has_the_reference_value():
    assert pass_at_k(10, 3, 5) == pytest.approx(0.9167, abs=5e-5)


@given(passes)
def test_passes_are_counted_over_all_choices_of_k_samples(found):
    samples, passed, k = found
    chosen = list(combinations([True] * passed + [False] * (samples - passed), k))
    assert pass_at_k(samples, passed, k) == pytest.approx(np.mean([any(one) for one in chosen]))
    assert pass_hat_k(samples, passed, k) == pytest.approx(np.mean([all(one) for one in chosen]))


@pytest.mark.parametrize("counts", [(4, 2, 5), (4, 5, 1), (4, -1, 1), (4, 2, 0)])
def test_impossible_counts_are_an_error(counts):
    for passing in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match=f"k = {counts[2]} of {counts[0]} samples"):
            passing(*counts)


def drawn(n: int, samples: int, seed: int):
    """Zeros and ones of items whose rates are Beta(2, 2)."""
    random = np.random.default_rng(seed)
    return random.binomial(1, random.beta(2, 2, n)[:, None], (n, samples)).astype(float)


@pytest.mark.parametrize("samples", [2, 8])
def test_the_two_parts_are_those_of_the_items_and_of_their_samples(samples):
    n = 20_000
    found = replicates(drawn(n, samples, 1).tolist())
    # Beta(2, 2): Var(p) = 1/20 and E[p (1 - p)] = 1/5.
    assert found.item_variance == pytest.approx(0.05 / n, rel=0.05)
    assert found.sample_variance == pytest.approx(0.2 / n / samples, rel=0.05)
    assert found.item_variance + found.sample_variance == pytest.approx(found.se**2)
    assert (found.n_items, found.n_rep, found.warnings) == (n, samples, ())


def test_the_interval_is_that_of_the_items_means():
    scores = drawn(30, 4, 2)
    found = replicates(scores.tolist())
    expected = mean_interval(scores.mean(axis=1).tolist())
    assert (found.estimate, found.lo, found.hi, found.se, found.method) == (
        expected.estimate, expected.lo, expected.hi, expected.se, expected.method,
    )  # fmt: skip


def test_one_sample_each_cannot_separate_the_parts():
    found = replicates([[1.0], [0.0], [1.0]])
    assert (found.item_variance, found.sample_variance) == (None, None)
    assert found.warnings == (ONE_EACH,)
    assert found.lo is not None


def test_items_with_different_numbers_of_samples_count_alike():
    found = replicates([[1.0, 1.0, 1.0, 0.0], [0.0], [1.0, 0.0]])
    assert found.estimate == pytest.approx((0.75 + 0 + 0.5) / 3)
    assert found.n_rep == 1
    within = (0.75 + 0.5) / 4
    assert found.sample_variance == pytest.approx(within * (1 / 4 + 1 + 1 / 2) / 9)


def test_samples_that_agree_add_nothing_and_items_that_agree_leave_nothing():
    agreed = replicates([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    assert agreed.sample_variance == 0.0
    assert agreed.item_variance == pytest.approx(agreed.se**2)
    alike = replicates([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert alike.item_variance == 0.0


@pytest.mark.parametrize("scores", [[], [[1.0], []]])
def test_items_without_samples_are_an_error(scores):
    with pytest.raises(ValueError, match="without samples"):
        replicates(scores)


@pytest.mark.parametrize(("rates", "samples"), [([0.5], 2), (RATES, 0)])
def test_too_little_to_plan_with_is_an_error(rates, samples):
    with pytest.raises(ValueError, match=f"{len(rates)} items with {samples} samples"):
        replicated_error(rates, samples)


@pytest.mark.parametrize("samples", [1, 2, 8])
def test_two_levels_do_not_count_the_noise_of_samples_twice(samples):
    scores = drawn(150, samples, 3)
    found = two_level_bootstrap(scores.tolist(), draws=10_000)
    assert found.method == "bootstrap_two_level"
    width = 2 * 1.96 * scores.mean(axis=1).std(ddof=1) / np.sqrt(150)
    assert found.hi - found.lo == pytest.approx(width, rel=0.04)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=8))
def test_two_levels_stay_within_the_scores_whatever_their_order(rows):
    found = two_level_bootstrap(rows, draws=100)
    again = two_level_bootstrap([row[::-1] for row in rows[::-1]], draws=100)
    assert (again.lo, again.hi) == pytest.approx((found.lo, found.hi), abs=1e-9)
    assert found.lo <= found.estimate <= found.hi
    if found.method == "bootstrap_two_level":
        assert np.min(rows) - 1e-12 <= found.lo
        assert found.hi <= np.max(rows) + 1e-12


def test_two_levels_need_as_many_samples_of_each():
    with pytest.raises(ValueError, match="items differ in their number of samples"):
        two_level_bootstrap([[1.0, 0.0], [1.0]])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "samples"), [(20, 4), (100, 8), (400, 2)])
def test_two_levels_cover_as_promised(n, samples):
    hits = 0
    for seed in range(500):
        found = two_level_bootstrap(drawn(n, samples, seed).tolist(), draws=500)
        hits += found.lo <= 0.5 <= found.hi
    assert 0.92 <= hits / 500 <= 1.0
