"""The mark of a score inside a table."""

from dataclasses import replace

import pytest

from bench.reporting.comparison.scores import Score
from bench.reporting.site.charts.intervals import EDGE, WIDTH, interval_svg
from tests.reporting.site.charts.samples import (
    ACCURACY,
    LIKERT,
    TOXICITY,
    assert_inside,
    classed,
    number,
    parsed,
)

SCORE = Score(
    row=0,
    task="topic",
    variant="",
    metric=replace(ACCURACY, chance=0.25),
    headline=True,
    estimate=0.5,
    lo=0.4,
    hi=0.6,
    level=0.95,
    method="wilson",
    n=120,
    n_clusters=120,
    failed=0,
    missing=0,
)


def place(share):
    return EDGE + share * (WIDTH - 2 * EDGE)


def test_dot_line_and_tick_stand_at_estimate_bounds_and_chance():
    root = parsed(interval_svg(SCORE))
    assert_inside(root)
    (dot,), (line,), (tick,) = (classed(root, one) for one in ("dot", "interval", "chance"))
    assert number(dot, "cx") == place(0.5)
    assert (number(line, "x1"), number(line, "x2")) == (place(0.4), place(0.6))
    assert number(tick, "x1") == place(0.25)


def test_the_mark_says_its_numbers():
    root = parsed(interval_svg(SCORE))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "50 [40, 60]; chance 25.0"


def test_the_best_score_is_on_the_right_where_lower_is_better():
    lower = replace(SCORE, metric=replace(TOXICITY, chance=1.0), estimate=0.1, lo=0.05, hi=0.2)
    root = parsed(interval_svg(lower))
    assert number(classed(root, "dot")[0], "cx") == pytest.approx(place(0.9), abs=0.06)
    assert root.attrib["aria-label"].endswith("lower is better, better is on the right")


def test_another_range_is_the_axis():
    root = parsed(interval_svg(replace(SCORE, metric=LIKERT, estimate=4.0, lo=None, hi=None)))
    assert number(classed(root, "dot")[0], "cx") == place(0.5)
    assert not classed(root, "interval")


@pytest.mark.parametrize("estimate", [None, float("nan")])
def test_a_missing_score_has_no_mark(estimate):
    assert interval_svg(replace(SCORE, estimate=estimate)) == ""


def test_a_metric_without_a_range_has_no_mark():
    assert interval_svg(replace(SCORE, metric=replace(ACCURACY, high=float("inf")))) == ""
