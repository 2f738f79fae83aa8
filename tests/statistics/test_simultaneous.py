"""Simultaneous intervals: known critical values, bounds of them, order, direction."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.draws import centred_draws, seed_of
from bench.statistics.simultaneous import largest_t, simultaneous_intervals

few = settings(max_examples=15)
vectors = st.lists(st.floats(-1, 1), min_size=12, max_size=12)


def covariance_of(numbers: list[float]) -> np.ndarray:
    """A covariance [3, 3] made of twelve numbers."""
    rows = np.array(numbers).reshape(3, 4)
    return rows @ rows.T + 0.01 * np.eye(3)


def pairwise(count: int) -> np.ndarray:
    first, second = np.triu_indices(count, k=1)
    return np.eye(count)[first] - np.eye(count)[second]


@pytest.mark.parametrize("count", [2, 5, 20])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_independent_estimates_have_sidaks_critical_value(count, level):
    found = largest_t(np.eye(count), np.eye(count)).critical(level)
    expected = stats.norm.isf((1 - level ** (1 / count)) / 2)
    assert expected - 0.03 < found <= expected


@pytest.mark.parametrize(("count", "degrees"), [(3, math.inf), (6, 20.0), (12, 60.0)])
def test_all_differences_of_independent_estimates_have_tukeys_critical_value(count, degrees):
    largest = largest_t(np.eye(count), pairwise(count), degrees)
    tukey = stats.studentized_range(count, min(degrees, 1e5))
    assert largest.critical(0.95) == pytest.approx(tukey.ppf(0.95) / math.sqrt(2), abs=0.03)
    found = largest.p_values(np.array([2.0, 3.0]))
    assert found == pytest.approx(tukey.sf(np.array([2.0, 3.0]) * math.sqrt(2)), abs=5e-3)


def test_estimates_that_are_one_count_once():
    found = simultaneous_intervals([0.2, 0.2], np.full((2, 2), 0.01))
    assert found[0].hi == pytest.approx(0.2 + stats.norm.ppf(0.975) * 0.1, abs=2e-3)
    assert found[0].p == pytest.approx(2 * stats.norm.sf(2), abs=2e-3)


def test_one_estimate_has_the_interval_of_students_t():
    (found,) = simultaneous_intervals([0.3], [[0.01]], degrees=9)
    assert (found.lo, found.hi) == pytest.approx(stats.t.interval(0.95, 9, 0.3, 0.1))
    assert found.p == pytest.approx(2 * stats.t.sf(3, 9))


@few
@given(vectors, st.sampled_from([4.0, math.inf]))
def test_intervals_lie_between_those_of_one_comparison_and_of_independent_ones(numbers, degrees):
    spread = covariance_of(numbers)
    critical = largest_t(spread, np.eye(3), degrees).critical(0.95)
    one, apart = stats.t.isf([0.025, (1 - 0.95 ** (1 / 3)) / 2], degrees)
    assert one <= critical <= apart


@few
@given(vectors, st.permutations(range(3)))
def test_the_order_of_estimates_does_not_matter(numbers, order):
    means, spread = np.array(numbers[:3]), covariance_of(numbers)
    found = simultaneous_intervals(means, spread)
    turned = simultaneous_intervals(means[order], spread[np.ix_(order, order)])
    assert [row.hi for row in turned] == pytest.approx([found[at].hi for at in order], abs=1e-9)
    assert [row.estimate for row in turned] == [found[at].estimate for at in order]


@few
@given(vectors)
def test_the_direction_of_estimates_does_not_matter(numbers):
    means, spread = np.array(numbers[:3]), covariance_of(numbers)
    found, flipped = simultaneous_intervals(means, spread), simultaneous_intervals(-means, spread)
    assert [(-row.hi, -row.lo) for row in flipped] == [(row.lo, row.hi) for row in found]
    assert [row.p for row in flipped] == [row.p for row in found]


def test_what_does_not_vary_has_no_interval():
    still, moving = simultaneous_intervals([0.2, 0.2], np.diag([0.0, 0.01]))
    assert (still.lo, still.hi, still.p) == (None, None, None)
    assert moving.lo is not None


@pytest.mark.parametrize(
    ("means", "spread"),
    [([0.1], np.eye(2)), ([], np.empty((0, 0))), ([math.nan], np.eye(1))],
)
def test_what_does_not_fit_is_refused(means, spread):
    with pytest.raises(ValueError, match="estimate"):
        simultaneous_intervals(means, spread)


@pytest.mark.parametrize("degrees", [math.inf, 8.0])
def test_draws_have_the_covariance_asked_for(degrees):
    spread = np.array([[1.0, 0.5, 0.0], [0.5, 2.0, -0.7], [0.0, -0.7, 0.5]])
    drawn = centred_draws(spread, seed=3, degrees=degrees)
    wider = degrees / (degrees - 2) if math.isfinite(degrees) else 1.0
    assert np.cov(drawn.T) == pytest.approx(wider * spread, abs=0.05)
    assert (centred_draws(spread, seed=3, degrees=degrees) == drawn).all()


def test_a_seed_comes_from_the_numbers_and_not_from_their_order():
    assert seed_of([1.0, 2.0], [[3.0]]) == seed_of([3.0, 2.0 + 1e-13, 1.0])
    assert seed_of([1.0, 2.0]) != seed_of([1.0, 2.000001])
