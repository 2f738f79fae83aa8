"""Confidence sequences: a second solution, the scale, all looks at once, simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.sequences import confidence_sequence

units = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def one_after_another(values: list[float], level: float) -> tuple[float, float, float]:
    """Centre and bounds after the last value, by the recursion of the paper's theorem 2."""
    alpha, seen, deviations = 1 - level, 0.0, 0.0
    mean, variance = 0.5, 0.25
    total = weighted = spread = 0.0
    for t, x in enumerate(values, start=1):
        bet = min(math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t))), 0.5)
        total += bet
        weighted += bet * x
        spread += 4 * (x - mean) ** 2 * (-math.log(1 - bet) - bet) / 4
        seen += x
        mean = (0.5 + seen) / (t + 1)
        deviations += (x - mean) ** 2
        variance = (0.25 + deviations) / (t + 1)
    radius = (math.log(2 / alpha) + spread) / total
    centre = weighted / total
    return centre, max(0.0, centre - radius), min(1.0, centre + radius)


@given(units, st.sampled_from([0.8, 0.95]))
def test_every_look_is_that_of_the_recursion(values, level):
    for look in confidence_sequence(values, level):
        expected = one_after_another(values[: look.n_items], level)
        assert (look.estimate, look.lo, look.hi) == pytest.approx(expected)


@given(units)
def test_a_look_does_not_depend_on_what_comes_after(values):
    looks = confidence_sequence(values)
    half = len(values) // 2 + 1
    assert confidence_sequence(values[:half]) == looks[:half]
    assert confidence_sequence(values, looks=[half]) == [looks[half - 1]]


@given(units)
def test_bounds_stay_on_the_scale_and_hold_the_estimate(values):
    for look in confidence_sequence(values):
        assert 0 <= look.lo <= look.estimate <= look.hi <= 1


@given(units)
def test_differences_on_their_scale_are_scores_moved(values):
    moved = confidence_sequence([2 * value - 1 for value in values], bounds=(-1.0, 1.0))
    for look, score in zip(moved, confidence_sequence(values), strict=True):
        expected = (2 * score.estimate - 1, 2 * score.lo - 1, 2 * score.hi - 1)
        assert (look.estimate, look.lo, look.hi) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
def test_the_other_direction_is_the_same_number_below_0(values):
    found = confidence_sequence(values, bounds=(-1.0, 1.0))
    flipped = confidence_sequence([-value for value in values], bounds=(-1.0, 1.0))
    for look, other in zip(found, flipped, strict=True):
        assert (other.estimate, other.lo, other.hi) == pytest.approx(
            (-look.estimate, -look.hi, -look.lo), abs=1e-9
        )


def test_more_items_are_narrower_and_less_variance_too():
    random = np.random.default_rng(0)
    wide, narrow = random.binomial(1, 0.5, 4000), 0.5 + 0.05 * random.standard_normal(4000)
    widths = [
        [look.hi - look.lo for look in confidence_sequence(values, looks=[100, 1000, 4000])]
        for values in (wide, narrow)
    ]
    assert widths[0][0] > widths[0][1] > widths[0][2] > 2 * widths[1][2]
    assert widths[0][2] < 0.08


@pytest.mark.parametrize(
    ("values", "looks", "told"),
    [
        ([], None, "no values"),
        ([1.5], None, "outside"),
        ([0.5], [2], "looks"),
        ([0.5], [0], "looks"),
    ],
)
def test_what_has_no_sequence_is_refused(values, looks, told):
    with pytest.raises(ValueError, match=told):
        confidence_sequence(values, looks=looks)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.5, 0.8])
def test_all_looks_together_miss_less_often_than_promised(rate):
    random, missed, missed_once = np.random.default_rng(7), 0, 0
    for _ in range(400):
        values = random.binomial(1, rate, 1000)
        looks = confidence_sequence(values)
        missed += any(not look.lo <= rate <= look.hi for look in looks)
        n = np.arange(50, 1001)
        means = np.cumsum(values)[49:] / n
        half = 1.96 * np.sqrt(means * (1 - means) / n)
        missed_once += bool((np.abs(means - rate) > half).any())
    assert missed / 400 <= 0.05
    assert missed_once / 400 > 0.2  # what looking at an ordinary interval does
