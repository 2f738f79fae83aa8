"""The drawing of an interval."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.charts import EDGE, WIDTH, interval_svg
from tests.reporting.values import CELL

numbers = st.floats(-5, 5)


def drawn(svg: str) -> dict[str, ElementTree.Element]:
    """The shapes by class; of several, the last."""
    return {shape.attrib["class"]: shape for shape in ElementTree.fromstring(svg)}


def test_dot_line_and_tick_stand_at_estimate_bounds_and_chance():
    shapes, inner = drawn(interval_svg(CELL)), WIDTH - 2 * EDGE
    assert float(shapes["dot"].attrib["cx"]) == EDGE + inner / 2
    assert float(shapes["ci"].attrib["x1"]) == EDGE + inner / 4
    assert float(shapes["ci"].attrib["x2"]) == EDGE + inner * 3 / 4
    assert float(shapes["chance"].attrib["x1"]) == EDGE + inner / 4


def test_the_drawing_says_its_numbers_to_screen_readers():
    root = ElementTree.fromstring(interval_svg(replace(CELL, level=0.9)))
    assert root.attrib["role"] == "img"
    said = "0.500, 90% interval 0.250 to 0.750; chance 0.25"
    assert root.attrib["aria-label"] == said


def test_without_bounds_there_is_a_dot_and_no_line():
    shapes = drawn(interval_svg(replace(CELL, lo=None, hi=None)))
    assert "dot" in shapes
    assert "ci" not in shapes


def test_without_an_estimate_there_is_nothing():
    assert interval_svg(replace(CELL, estimate=None)) == ""


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_a_bound_of_zero_or_one_is_drawn(bound):
    assert "ci" in drawn(interval_svg(replace(CELL, lo=bound, hi=bound)))


@given(numbers, numbers, numbers, numbers)
def test_whatever_the_numbers_the_drawing_stays_inside_its_frame(estimate, lo, hi, chance):
    cell = replace(CELL, estimate=estimate, lo=lo, hi=hi, chance=chance)
    for shape in ElementTree.fromstring(interval_svg(cell)):
        for key in {"x1", "x2", "cx"} & shape.attrib.keys():
            assert EDGE <= float(shape.attrib[key]) <= WIDTH - EDGE
