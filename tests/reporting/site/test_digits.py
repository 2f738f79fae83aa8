"""Numbers on the pages: digits that the standard error supports, bounds that keep their side."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.results.schema import Metric
from bench.reporting.site.digits import (
    Shown,
    count,
    decimals,
    p_value,
    percent,
    probability,
    scale_of,
    short,
    shown,
)


@pytest.mark.parametrize(
    ("error", "places"),
    [(4.9, 0), (3.6, 0), (3.5, 1), (1.0, 1), (0.9, 1), (0.36, 1), (0.2, 2), (0.04, 2), (40.0, 0)],
)
def test_decimals_follow_the_rule_of_the_particle_data_group(error, places):
    assert decimals(error, 9) == places


@pytest.mark.parametrize("error", [0.0, -1.0, math.inf, math.nan])
def test_an_error_that_is_none_leaves_the_most_decimals(error):
    assert decimals(error, 1) == 1


@pytest.mark.parametrize(
    ("numbers", "signed", "told"),
    [
        ((0.6134, 0.55, 0.67), False, Shown("61.3", "[55.0, 67.0]")),
        ((0.49, 0.39, 0.59), False, Shown("49", "[39, 59]")),
        ((0.02, 0.003, 0.037), True, Shown("+2.0", "[0.3, 3.7]")),
        ((-0.04, -0.14, 0.06), True, Shown("−4", "[−14, 6]")),
        ((0.0, -0.01, 0.01), True, Shown("0.0", "[−1.0, 1.0]")),
        ((0.06, 0.0004, 0.12), True, Shown("+6.00", "[0.04, 12.00]")),
        ((0.5, None, None), False, Shown("50.0", "")),
        ((None, None, None), False, Shown("–", "")),
    ],
)
def test_points_are_shown_with_their_interval(numbers, signed, told):
    assert shown(*numbers, scale=100.0, signed=signed) == told


@given(st.floats(-1, 1), st.floats(1e-4, 0.5))
def test_a_bound_off_zero_by_a_thousandth_of_a_point_is_never_rounded_to_zero(middle, half):
    lo, hi = middle - half, middle + half
    told = shown(middle, lo, hi, 100.0).interval
    for bound, text in zip((lo, hi), told.strip("[]").split(", "), strict=True):
        if abs(bound) >= 1e-5:
            assert float(text.replace("−", "-")) != 0


def test_a_metric_between_0_and_1_is_shown_in_points_and_no_other():
    assert scale_of(Metric("accuracy")) == 100.0
    assert scale_of(Metric("reward", low=-math.inf, high=math.inf)) == 1.0


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "–"), (0.004, "<0.01"), (0.5, "0.50"), (0.996, ">0.99"), (1.0, ">0.99")],
)
def test_nobody_is_sure_of_a_probability(value, told):
    assert probability(value) == told


def test_small_things():
    assert [p_value(p) for p in (None, 0.0002, 0.0314)] == ["–", "<0.001", "0.031"]
    assert (percent(0.95), percent(0.999), count(1234567)) == ("95%", "99.9%", "1,234,567")
    assert [short(x) for x in (0.02, 93.275, -1.0)] == ["0.02", "93.28", "−1"]
