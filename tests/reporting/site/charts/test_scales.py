"""Where values are drawn."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.site.charts.labels import Name, dodged, named
from bench.reporting.site.charts.scales import linear, logarithmic
from tests.reporting.site.charts.samples import parsed

numbers = st.floats(-1e99, 1e99)


def test_ticks_are_round_and_hold_all_values():
    scale = linear([3.0, 17.0], 0, 100)
    assert scale.ticks == (0.0, 5.0, 10.0, 15.0, 20.0)
    assert scale.at(10) == 50
    assert scale.at(-1) == 0
    assert scale.at(99) == 100


@given(st.lists(numbers, max_size=6))
def test_every_value_lies_between_the_ends_in_order(values):
    scale = linear(values, 10, 110)
    placed = [scale.at(value) for value in sorted(values)]
    assert placed == sorted(placed)
    assert all(10 <= place <= 110 for place in placed)
    assert 1 <= len(scale.ticks) <= 9
    assert all(scale.low <= value <= scale.high for value in values)


def test_an_axis_need_not_leave_its_bounds():
    scale = linear([93.0, 99.0], 0, 100, within=(0, 100))
    assert scale.high <= 100
    assert linear([93.0, 104.0], 0, 100, within=(0, 100)).high >= 104


def test_one_value_stands_in_the_middle():
    assert linear([5.0], 0, 100).at(5.0) == pytest.approx(50)


def test_few_sizes_are_their_own_ticks_at_equal_ratios():
    scale = logarithmic([1e9, 1e10, 1e11], 0, 300)
    assert scale.ticks == (1e9, 1e10, 1e11)
    first, second, third = map(scale.at, scale.ticks)
    assert second - first == pytest.approx(third - second)


@given(st.lists(st.floats(1e-99, 1e99), min_size=1, max_size=30))
def test_many_sizes_get_powers_of_ten_inside_the_axis(values):
    scale = logarithmic(values, 0, 300)
    assert len(scale.ticks) <= 7
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
    assert all(0 < scale.at(value) < 300 for value in values)


@given(st.lists(st.floats(0, 300), max_size=20))
def test_dodged_places_keep_their_distance_their_order_and_their_bounds(places):
    found = dodged(places, gap=13.0, low=0.0, high=300.0)
    ordered = [found[at] for at in sorted(range(len(places)), key=lambda at: places[at])]
    gaps = [after - before for before, after in pairwise(ordered)]
    assert all(gap >= 13 - 1e-6 for gap in gaps)
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in found)


def test_places_that_are_far_apart_stay_where_they_are():
    assert dodged([80.0, 10.0], gap=12.0, low=0.0, high=100.0) == [80.0, 10.0]


def test_a_name_that_finds_no_room_is_left_out_and_named():
    same = [Name(f"model-{at}", 100.0, 100.0) for at in range(40)]
    drawn, left_out = named(same, [], (0, 0, 200, 200))
    written = [one.text for one in parsed(f"<g>{drawn}</g>")]
    assert written
    assert [*written, *left_out] == [name.words for name in same]


def test_a_name_does_not_cover_what_is_taken():
    drawn, _ = named([Name("model", 100.0, 100.0)], [(100, 90, 200, 110)], (0, 0, 300, 200))
    (name,) = parsed(f"<g>{drawn}</g>")
    assert name.attrib["text-anchor"] == "end"
