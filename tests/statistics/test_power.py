"""Power: reference values, the inverse, another library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from bench.statistics.power import items_needed, mde, mde_among, paired_deviation


@pytest.mark.parametrize(("correlation", "items"), [(0.0, 4361), (0.5, 2181)])
def test_items_needed_has_the_reference_values(correlation, items):
    assert items_needed(0.03, paired_deviation(0.5, correlation)) == items


@pytest.mark.parametrize(
    ("deviation", "items", "expected"),
    [(0.5, 100, 0.140), (0.45, 1319, 0.0347), (paired_deviation(0.5, 0.4), 198, 0.109)],
)
def test_the_minimum_detectable_effect_has_the_reference_values(deviation, items, expected):
    assert mde(deviation, items) == pytest.approx(expected, abs=5e-4)


@given(
    st.floats(0.1, 2), st.integers(2, 5000), st.floats(0.8, 0.99), st.floats(0.5, 0.95),
    st.floats(1, 5),
)  # fmt: skip
def test_the_two_undo_each_other(deviation, items, level, power, effect):
    difference = mde(deviation, items, level, power, effect)
    assert items_needed(difference, deviation, level, power, effect) in (items, items + 1)


def test_the_power_is_that_of_statsmodels():
    found = NormalIndPower(ddof=0).power(mde(0.5, 150, 0.99, 0.9) / 0.5, 150, 0.01, ratio=0)
    assert found == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize("change", [{"level": 0.99}, {"power": 0.9}, {"design_effect": 1.5}])
def test_more_is_asked_where_more_is_promised(change):
    assert mde(0.5, 100, **change) > mde(0.5, 100)
    assert items_needed(0.05, 0.5, **change) > items_needed(0.05, 0.5)


def test_what_cannot_be_found_is_an_error():
    with pytest.raises(ValueError, match="a difference of 0"):
        items_needed(0.0, 0.5)
    with pytest.raises(ValueError, match="0 items"):
        mde(0.5, 0)


@pytest.mark.parametrize("tests", [1, 4, 20])
def test_among_tests_an_effect_must_be_found_at_holms_first_step(tests):
    """The effect of one test alone at the level divided by their number."""
    alone = mde(0.5, 200, level=0.95)
    assert mde_among(alone, tests, 0.95) == pytest.approx(mde(0.5, 200, level=1 - 0.05 / tests))
