"""Scales of scores."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.scale import UNBOUNDED, UNIT, from_unit, is_bounded, only_end, to_unit

ends = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(st.tuples(ends, ends).filter(lambda pair: pair[1] - pair[0] > 1e-3), st.floats(0, 1))
def test_scores_come_back_and_never_leave_the_scale(bounds, share):
    score = from_unit(share, bounds)
    assert bounds[0] <= score <= bounds[1]
    assert from_unit(float(to_unit([score], bounds)[0]), bounds) == pytest.approx(score, abs=1e-6)
    assert to_unit(bounds, bounds).tolist() == [0.0, 1.0]


def test_the_unit_scale_and_no_scale_leave_scores_as_they_are():
    assert to_unit([0.1, 0.7], UNIT).tolist() == [0.1, 0.7]
    assert to_unit([-3.5, 1e9], UNBOUNDED).tolist() == [-3.5, 1e9]
    assert (from_unit(0.3, UNIT), from_unit(-3.0, UNBOUNDED)) == (0.3, -3.0)


@pytest.mark.parametrize(
    ("score", "bounds"), [(1.1, UNIT), (-1e-9, UNIT), (math.nan, UNIT), (math.nan, UNBOUNDED)]
)
def test_a_score_outside_the_scale_is_an_error(score, bounds):
    with pytest.raises(ValueError, match=f"the score {score} lies outside"):
        to_unit([0.5, score], bounds)


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_the_ends_of_a_scale_are_in_order(bounds):
    with pytest.raises(ValueError, match="the first must be below the second"):
        is_bounded(bounds)


@pytest.mark.parametrize(
    ("bounds", "end"),
    [((0.0, math.inf), 0.0), ((-math.inf, 3.0), 3.0), (UNIT, None), (UNBOUNDED, None)],
)
def test_some_scales_have_one_end(bounds, end):
    assert only_end(bounds) == end
    assert is_bounded(bounds) == (bounds == UNIT)
