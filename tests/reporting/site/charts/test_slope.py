"""The slope chart of the alignment tax."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.reporting.site.charts.chart import NARROW, WIDE, Dot
from bench.reporting.site.charts.slope import slope_chart
from bench.reporting.site.charts.slope_panel import GAP, MANY, Line, Panel, Stop
from tests.reporting.site.charts.samples import (
    ACCURACY,
    HOSTILE,
    TOXICITY,
    assert_sound,
    classed,
    number,
    points,
    texts,
)

STOPS = (Stop("gpt-6b", "base"), Stop("sft-6b", "sft"), Stop("ppo-6b", "ppo"))
LINE = Line(
    task="topic",
    kind="classification",
    metric=ACCURACY,
    dots=(Dot(0.4, 0.3, 0.5), Dot(0.6, 0.5, 0.7), Dot(0.45, 0.35, 0.55)),
    taxes=(None, "no tax", "tax"),
)
PANEL = Panel("6b", STOPS, (LINE,))


def line(task, *estimates, taxes=(None, None, None)):
    dots = tuple(None if one is None else Dot(one, one - 0.05, one + 0.05) for one in estimates)
    return Line(task, "qa", ACCURACY, tuple(dot or Dot(None) for dot in dots), taxes)


def test_only_the_step_that_is_a_tax_is_orange_and_named_so():
    root = assert_sound(slope_chart([PANEL], "s").svg)
    steps = classed(root, "step")
    assert ["step-tax" in one.attrib["class"].split() for one in steps] == [False, True]
    assert len(classed(root, "ribbon")) == 2
    assert len(classed(root, "ribbon-tax")) == 1
    assert "▼ topic" in texts(root)


def test_a_step_that_only_points_down_is_not_orange():
    harmless = replace(LINE, taxes=(None, "no tax", "undetermined"))
    root = assert_sound(slope_chart([replace(PANEL, lines=(harmless,))], "s").svg)
    assert not classed(root, "step-tax")
    assert len(classed(root, "step-open")) == 1
    assert "topic" in texts(root)


def test_steps_join_the_scores_of_neighbouring_stops_and_higher_is_up():
    root = assert_sound(slope_chart([PANEL], "s").svg)
    (first, second) = classed(root, "step")
    assert points(first)[1] == points(second)[0]
    (low, high), (_, last) = [y for _, y in points(first)], [y for _, y in points(second)]
    # y runs downward: 0.40, 0.60, 0.45.
    assert (low - last) / (low - high) == pytest.approx(0.25, abs=0.01)


def test_better_is_up_where_lower_is_better():
    lower = replace(LINE, metric=TOXICITY)
    root = assert_sound(slope_chart([replace(PANEL, lines=(lower,))], "s").svg)
    (start, end) = points(classed(root, "step")[0])
    assert end[1] > start[1]


def test_a_stop_without_a_score_breaks_the_line_and_is_not_drawn_as_zero():
    root = assert_sound(slope_chart([replace(PANEL, lines=(line("a", 0.4, None, 0.5),))], "s").svg)
    assert not classed(root, "step")
    assert any("SFT no score" in (one.text or "") for one in root.iter("title"))


def test_panels_stand_side_by_side_and_below_each_other_on_a_telephone():
    panels = [replace(PANEL, title=size) for size in ("1b", "6b", "175b")]
    for width, columns in ((WIDE, 3), (NARROW, 1)):
        root = assert_sound(slope_chart(panels, "s", None, width).svg)
        heads = classed(root, "head")
        assert [one.text for one in heads] == ["1b", "6b", "175b"]
        assert len({number(one, "x") for one in heads}) == columns
        assert number(root, "width") <= width


def test_all_panels_have_one_scale():
    high = replace(PANEL, lines=(line("a", 0.9, 0.9, 0.9),))
    root = assert_sound(slope_chart([PANEL, high], "s").svg)
    ticks = [told for told in texts(root) if told.isdigit()]
    assert ticks[: len(ticks) // 2] == ticks[len(ticks) // 2 :]


def test_of_many_lines_a_tax_keeps_its_name_and_the_rest_is_counted():
    lines = [line(f"task-{at}", 0.5, 0.5, 0.5) for at in range(99)]
    root = assert_sound(slope_chart([replace(PANEL, lines=(*lines, LINE))], "s").svg)
    assert "▼ topic" in texts(root)
    assert any("without a name" in told for told in texts(root))
    ys = sorted(number(one, "y") for one in classed(root, "name"))
    assert all(after - before >= GAP - 0.11 for before, after in pairwise(ys))
    assert len(classed(root, "step-faint")) == 2 * 99 + 1
    assert len(classed(root, "ribbon")) == 1
    assert len(lines) > MANY


def test_the_caption_names_the_taxed_tasks_of_each_step():
    caption = slope_chart([PANEL], "s").caption
    assert caption == "6b, base to PPO: a tax in the step to PPO on 1 of 1 task (topic)."
    calm = replace(PANEL, lines=(line("a", 0.5, 0.5, 0.5),))
    assert slope_chart([calm], "s").caption == "6b, base to PPO: no step is a tax."


def test_rows_hold_every_score_and_none_for_a_missing_one():
    chart = slope_chart([replace(PANEL, lines=(line("a", 0.4, None, 0.5),))], "s")
    estimates = [row[chart.columns.index("estimate")] for row in chart.rows]
    assert estimates == [0.4, None, 0.5]


@pytest.mark.parametrize(
    "panels", [[], [replace(PANEL, lines=())], [replace(PANEL, stops=STOPS[:1], lines=())]]
)
def test_without_a_step_there_is_a_sentence(panels):
    chart = slope_chart(panels, "s")
    assert_sound(chart.svg)
    assert chart.caption == "No lineage has scores of two stages."


def test_lines_lead_to_the_page_of_their_task():
    hostile = replace(LINE, task=HOSTILE)
    panel = replace(PANEL, title=HOSTILE, lines=(LINE, hostile))
    root = assert_sound(slope_chart([panel], "s", lambda task: f"task/{task}").svg)
    assert [one.attrib["href"][:10] for one in root.iter("a")] == ["task/topic", 'task/"><sc']
