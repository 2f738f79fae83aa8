"""The drawings of an interval, a change and a lineage."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.charts import EDGE, WIDTH, change_svg, interval_svg, reach_of, tree_svg
from bench.reporting.lineage import Place
from bench.types import Contrast
from tests.reporting.values import CELL

numbers = st.floats(-5, 5)
CONTRAST = Contrast(
    child="sft-1",
    parent="base-1",
    task="facts",
    kind="qa",
    metric="accuracy",
    estimate=0.1,
    se=0.05,
    lo=-0.1,
    hi=0.2,
    level=0.95,
    method="t",
    p_better=0.9,
    n=100,
    n_clusters=100,
    missing=0,
)


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


def test_a_change_stands_on_an_axis_around_zero():
    shapes, inner = drawn(change_svg(CONTRAST, 0.2)), WIDTH - 2 * EDGE
    assert float(shapes["chance"].attrib["x1"]) == EDGE + inner / 2
    assert float(shapes["dot"].attrib["cx"]) == EDGE + inner * 3 / 4
    assert float(shapes["ci"].attrib["x1"]) == EDGE + inner / 4
    assert float(shapes["ci"].attrib["x2"]) == EDGE + inner
    said = "+0.100, 95% interval -0.100 to 0.200; axis from -0.20 to 0.20"
    assert ElementTree.fromstring(change_svg(CONTRAST, 0.2)).attrib["aria-label"] == said


def test_a_change_without_a_number_is_not_drawn():
    assert change_svg(replace(CONTRAST, estimate=None), 0.2) == ""


@given(st.lists(st.floats(-1, 1), max_size=5))
def test_the_axis_of_changes_holds_them_all_in_steps_of_a_twentieth(ends):
    reach = reach_of([replace(CONTRAST, estimate=end, lo=end, hi=None) for end in ends])
    assert max(map(abs, ends), default=0) <= reach + 1e-9
    assert reach * 20 == pytest.approx(round(reach * 20))
    assert 0.05 <= reach <= 1.0


def test_a_lineage_is_a_dot_for_each_run_and_a_line_to_each_child():
    places = [Place("", None, 0, ""), Place("sft", 0, 1, ""), Place("ppo", 1, 2, "")]
    shapes = list(ElementTree.fromstring(tree_svg(places)))
    assert [shape.attrib["class"] for shape in shapes].count("dot") == 3
    lines = [shape.attrib["d"] for shape in shapes if shape.attrib["class"] == "branch"]
    assert lines == ["M11.0 14.0V42.0H33.0", "M33.0 42.0V70.0H55.0"]
