"""The corrected winner: a second solution, limits, order, simulated coverage of whoever wins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from bench.statistics.selection import corrected_winner, corrected_winner_of_scores
from bench.statistics.simultaneous import largest_t

few = settings(max_examples=8)
means = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=6)


def spread_of(count: int, correlation: float = 0.3) -> np.ndarray:
    return 0.01 * ((1 - correlation) * np.eye(count) + correlation)


def hybrid_quantile(estimates, covariance, below: float, level: float = 0.95) -> float:
    """Andrews, Kitagawa & McCloskey's hybrid quantile by scipy's truncated normal, step by step."""
    estimates, best = np.asarray(estimates), int(np.argmax(estimates))
    naive, variance = estimates[best], covariance[best, best]
    rest = estimates - covariance[:, best] / variance * naive
    slopes = covariance[:, best] / variance
    others = [at for at in range(len(estimates)) if at != best]
    limits = [(slopes[at], rest[at] / (1 - slopes[at])) for at in others if slopes[at] != 1]
    lower = max([limit for slope, limit in limits if slope < 1], default=-np.inf)
    upper = min([limit for slope, limit in limits if slope > 1], default=np.inf)
    reach = largest_t(covariance, np.eye(len(estimates))).critical(1 - (1 - level) / 10)
    error = variance**0.5

    def excess(mean: float) -> float:
        ends = max(lower, mean - reach * error), min(upper, mean + reach * error)
        cut = stats.truncnorm(*((np.array(ends) - mean) / error), loc=mean, scale=error)
        return cut.cdf(naive) - (1 - below)

    inside = 1e-6 * error
    return optimize.brentq(excess, naive - reach * error + inside, naive + reach * error - inside)


@pytest.mark.parametrize(
    ("estimates", "covariance"),
    [
        ([0.50, 0.49, 0.30], np.diag([0.0004] * 3)),
        ([0.1, 0.35, 0.3, 0.2], spread_of(4)),
        ([0.6, 0.55], np.array([[0.01, 0.016], [0.016, 0.04]])),  # the second moves further
        ([0.2, 0.0], np.array([[0.01, -0.005], [-0.005, 0.02]])),
    ],
)
def test_the_correction_is_the_quantile_of_a_truncated_normal(estimates, covariance):
    found = corrected_winner(estimates, covariance)
    tail = (0.05 - 0.005) / (1 - 0.005) / 2
    expected = [hybrid_quantile(estimates, covariance, share) for share in (0.5, tail, 1 - tail)]
    assert (found.estimate, found.lo, found.hi) == pytest.approx(expected, abs=1e-6)
    assert found.method == "hybrid"


@few
@given(means)
def test_bounds_hold_the_estimate_and_stay_in_the_simultaneous_interval(estimates):
    covariance = spread_of(len(estimates))
    found = corrected_winner(estimates, covariance)
    reach = largest_t(covariance, np.eye(len(estimates))).critical(0.995) * 0.1
    assert found.naive - reach - 1e-9 <= found.lo <= found.estimate <= found.hi
    assert found.hi <= found.naive + reach + 1e-9
    assert found.naive == max(estimates)


@few
@given(means, st.randoms())
def test_the_order_of_models_does_not_matter(estimates, random):
    order = random.sample(range(len(estimates)), len(estimates))
    covariance = spread_of(len(estimates))
    found = corrected_winner(estimates, covariance)
    turned = corrected_winner([estimates[at] for at in order], covariance)
    assert (turned.estimate, turned.lo, turned.hi) == pytest.approx(
        (found.estimate, found.lo, found.hi), abs=1e-6
    )
    assert estimates[order[turned.index]] == found.naive


def test_a_clear_winner_needs_no_correction():
    found = corrected_winner([0.9, 0.1, 0.0], spread_of(3))
    assert found.estimate == pytest.approx(found.naive, abs=1e-3)
    assert (found.lo, found.hi) == pytest.approx(stats.norm.interval(0.95, 0.9, 0.1), abs=5e-3)


def test_a_closer_contender_costs_more():
    found = [corrected_winner([0.5, 0.5 - gap], spread_of(2)).estimate for gap in (0.0, 0.1, 0.2)]
    assert found[0] < found[1] < found[2] < 0.5


def test_a_contender_that_did_as_well_is_warned_of():
    tied = corrected_winner([0.5, 0.5, 0.2], spread_of(3))
    assert tied.warnings == ("another did as well: which of them is best is open",)
    assert corrected_winner([0.5, 0.48, 0.2], spread_of(3)).warnings == ()


def test_the_only_model_was_not_chosen():
    found = corrected_winner([0.5], [[0.01]])
    assert found.estimate == pytest.approx(0.5)
    assert (found.lo, found.hi) == pytest.approx(stats.norm.interval(0.95, 0.5, 0.1), abs=5e-3)


def test_a_winner_that_does_not_vary_is_not_corrected():
    found = corrected_winner_of_scores([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    assert (found.naive, found.estimate, found.lo, found.method) == (1.0, None, None, "none")
    assert found.warnings == (
        "the winner's score does not vary: no correction",
        "only 3 clusters: the interval may be too narrow",
    )


def test_scores_of_items_give_estimates_and_their_covariance():
    board = np.random.default_rng(3).random((3, 90))
    found = corrected_winner_of_scores(board)
    known = corrected_winner(board.mean(axis=1), np.cov(board) / 90)
    assert (found.lo, found.hi) == pytest.approx((known.lo, known.hi), abs=1e-6)
    assert (found.n_models, found.n_items, found.n_clusters) == (3, 90, 90)


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("truth", [(0.0,) * 10, (0.1, 0.0, 0.0, 0.0, 0.0), (0.3, 0.25, 0.2, 0.0)])
def test_the_true_value_of_the_winner_is_covered_and_not_overstated(truth, correlation):
    random, covariance, repeats = np.random.default_rng(4), spread_of(len(truth), correlation), 500
    covered, below, naive = 0, 0, 0.0
    for drawn in random.multivariate_normal(truth, covariance, repeats):
        found = corrected_winner(drawn, covariance)
        value = truth[found.index]
        covered += found.lo <= value <= found.hi
        below += found.estimate < value
        naive += (found.naive - value) / repeats
    assert covered / repeats >= 0.93
    assert below / repeats == pytest.approx(0.5, abs=0.07)
    assert naive > 0
