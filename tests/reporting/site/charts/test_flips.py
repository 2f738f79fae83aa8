"""The flip matrix."""

from dataclasses import replace

import pytest

from bench.reporting.site.charts.chart import NARROW, WIDE
from bench.reporting.site.charts.flips import PITCH, Flip, Flips, fates_of, flips_chart
from tests.reporting.site.charts.samples import (
    ACCURACY,
    HOSTILE,
    LIKERT,
    TOXICITY,
    assert_sound,
    classed,
    number,
    texts,
)

ITEMS = (
    Flip("fixed", 1.0, 0.0),
    Flip("broken", 0.0, 1.0),
    Flip("right", 1.0, 1.0),
    Flip("wrong", 0.0, 0.0),
    Flip("failed", None, 1.0),
)
FLIPS = Flips("ppo-6b", "sft-6b", ACCURACY, ITEMS)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ACCURACY, ["fixed", "broken", "same right", "same wrong", "not comparable"]),
        (TOXICITY, ["broken", "fixed", "same wrong", "same right", "not comparable"]),
    ],
)
def test_scores_of_zero_and_one_are_fixed_broken_or_the_same(metric, expected):
    assert fates_of(replace(FLIPS, metric=metric)) == expected


def test_graded_scores_are_better_worse_or_the_same_within_the_rope():
    items = (Flip("a", 5.2, 5.0), Flip("b", 5.0, 5.2), Flip("c", 5.05, 5.0), Flip("d", 7.0, 1.0))
    assert fates_of(Flips("c", "p", LIKERT, items)) == ["better", "worse", "same", "better"]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_each_item_is_a_cell_that_leads_to_its_page(width):
    chart = flips_chart(FLIPS, "f", lambda item: f"item/{item}.html", width)
    root = assert_sound(chart.svg)
    links = list(root.iter("a"))
    assert [one.attrib["href"] for one in links] == [f"item/{one.item}.html" for one in ITEMS]
    assert links[0].attrib["aria-label"] == "fixed: fixed, 0.0 to 100.0"
    assert links[4].attrib["aria-label"] == "failed: not comparable, 100.0 to no score"
    hits = classed(root, "hit")
    assert {(number(one, "width"), number(one, "height")) for one in hits} == {(24.0, 24.0)}
    assert PITCH == 24  # WCAG 2.2, success criterion 2.5.8


def test_each_fate_has_its_own_sign_and_the_legend_counts_it():
    root = assert_sound(flips_chart(FLIPS, "f").svg)
    for style in ("cell-better", "cell-worse", "cell-right", "cell-wrong", "cell-none"):
        assert len(classed(root, style)) == 2  # in the legend and in the matrix
    assert len(classed(root, "sign")) == 4
    assert len(classed(root, "strike")) == 2
    told = ["fixed 1 (20%)", "broken 1 (20%)", "same right 1 (20%)", "same wrong 1 (20%)"]
    assert texts(root)[:5] == [*told, "not comparable 1 (20%)"]


def test_of_many_items_a_cell_is_several_and_says_so():
    items = tuple(Flip(str(at), float(at % 2), 0.0) for at in range(1001))
    chart = flips_chart(Flips("c", "p", ACCURACY, items), "f", lambda item: "x", most=100)
    root = assert_sound(chart.svg)
    cells = len(classed(root, "cell-better")) + len(classed(root, "cell-wrong")) - 2
    assert cells == 46 + 46  # 500 fixed and 501 wrong, 11 to a cell
    assert not list(root.iter("a"))
    assert "Each cell is 11 items; the last of a kind may be fewer." in texts(root)
    assert len(chart.rows) == 1001


def test_the_caption_counts_every_fate():
    told = "1 fixed, 1 broken, 1 same right, 1 same wrong, 1 not comparable"
    assert flips_chart(FLIPS, "f").caption == f"5 items from sft-6b to ppo-6b: {told}."


def test_hostile_and_missing_items_are_text():
    flips = Flips(HOSTILE, HOSTILE, ACCURACY, (Flip(HOSTILE, float("nan"), 1.0),))
    chart = flips_chart(flips, "f", lambda item: item)
    assert_sound(chart.svg)
    assert chart.rows == ((HOSTILE, None, 1.0, "not comparable"),)


def test_no_items_are_told_in_words():
    chart = flips_chart(replace(FLIPS, items=()), "f")
    assert_sound(chart.svg)
    assert chart.caption == "There are no items."
