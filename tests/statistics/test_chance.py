"""Scores with guessing at 0: both directions, any bounds, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.chance import Scale


@pytest.mark.parametrize(
    ("scale", "raw", "expected"),
    [
        (Scale(0.25), 0.25, 0.0),
        (Scale(0.25), 1.0, 1.0),
        (Scale(0.25), 0.5, 1 / 3),
        (Scale(0.25), 0.0, -1 / 3),
        (Scale(), 0.7, 0.7),
        (Scale(0.4, lower_is_better=True), 0.1, 0.75),
        (Scale(0.4, lower_is_better=True), 0.4, 0.0),
        (Scale(1.0, lower_is_better=True), 0.2, 0.8),
        (Scale(2.0, bounds=(1.0, 5.0)), 3.5, 0.5),
        (Scale(4.0, lower_is_better=True, bounds=(1.0, 5.0)), 1.0, 1.0),
    ],
)
def test_guessing_is_0_and_perfect_is_1(scale, raw, expected):
    assert scale.score(raw) == pytest.approx(expected)


@given(st.floats(0, 0.9), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_change_of_scores_is_the_difference_of_scaled_scores(chance, child, parent, lower):
    scale = Scale(1 - chance if lower else chance, lower)
    expected = scale.score(child) - scale.score(parent)
    assert scale.change(child - parent) == pytest.approx(expected)
    assert scale.error(0.01) == pytest.approx(abs(scale.change(0.01)))


def test_fewer_of_what_is_bad_is_a_change_for_the_better():
    toxicity = Scale(1.0, lower_is_better=True)
    assert toxicity.change(0.2386 - 0.3293) == pytest.approx(0.0907)


@pytest.mark.parametrize(
    ("chance", "lower", "bounds"),
    [
        (1.0, False, (0.0, 1.0)),
        (0.0, True, (0.0, 1.0)),
        (-0.1, False, (0.0, 1.0)),
        (6, False, (1, 5)),
    ],
)
def test_chance_outside_the_bounds_or_at_the_best_is_refused(chance, lower, bounds):
    with pytest.raises(ValueError, match=f"chance {chance}"):
        Scale(chance, lower, bounds)


def test_a_score_outside_the_bounds_is_refused():
    with pytest.raises(ValueError, match="score 67"):
        Scale(0.25).score(67.0)
