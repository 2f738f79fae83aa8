"""What the charts take from a Board."""

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.site.charts.chart import NARROW, WIDE
from bench.reporting.site.charts.flips import fates_of
from bench.reporting.site.charts.inputs import (
    flips_of,
    lengthy_of,
    nodes_of,
    panels_of,
    ranked_of,
    series_of,
)
from bench.reporting.site.charts.length import length_chart
from bench.reporting.site.charts.lineage import lineage_chart
from bench.reporting.site.charts.ranks import ranks_chart
from bench.reporting.site.charts.sizes import sizes_chart
from bench.reporting.site.charts.slope import slope_chart
from tests.reporting.comparison.made import model, result
from tests.reporting.site.boards import Shape, board
from tests.reporting.site.charts.samples import ACCURACY, assert_sound

SHAPE = Shape(sizes=("1b", "6b"), tasks=("topic", "facts", "toxicity"), items=30)


@pytest.fixture(scope="module")
def small():
    return board(SHAPE)


def test_a_panel_follows_each_lineage_with_siblings_that_are_compared(small):
    panels = panels_of(small, range(len(small.rows)))
    assert [panel.title for panel in panels] == ["1b", "6b"]
    stages = [stop.stage for stop in panels[0].stops]
    assert stages == ["base", "sft", "ppo", "ppo_ptx"]
    assert {line.task for line in panels[0].lines} == {"topic", "facts", "toxicity"}


def test_the_tax_of_a_step_is_that_of_its_change(small):
    panel = panels_of(small, range(len(small.rows)))[0]
    names = [stop.name for stop in panel.stops]
    for line in panel.lines:
        for step in range(1, len(names)):
            change = next(
                one
                for one in small.changes
                if (one.child, one.parent) == (names[step], names[step - 1])
            )
            (contrast,) = (one for one in change.contrasts if one.task == line.task)
            assert line.taxes[step] == contrast.tax
            assert line.taxes[0] is None


def test_a_task_in_several_wordings_is_drawn_as_it_is_compared():
    base, sft = model(), model("sft", "base", "sft")
    right, mixed, wrong = [1.0] * 40, [1.0, 0.0] * 20, [0.0] * 40
    found = make_board(
        [
            result(who, scores, variant=variant)
            for who, wordings in ((base, (mixed, wrong)), (sft, (right, mixed)))
            for variant, scores in zip("ab", wordings, strict=True)
        ]
    )
    (panel,) = panels_of(found, range(2))
    (line,) = panel.lines
    assert [dot.estimate for dot in line.dots] == [0.25, 0.75]


def test_a_task_that_no_row_of_a_way_was_asked_is_none_of_its_lines():
    base, sft, other = model(), model("sft", "base", "sft"), model("other")
    mixed = [1.0, 0.0] * 20
    asked = [(base, "topic"), (sft, "topic"), (other, "facts"), (other, "topic")]
    found = make_board([result(who, mixed, task) for who, task in asked])
    (panel,) = panels_of(found, range(3))
    assert [line.task for line in panel.lines] == ["topic"]


def test_dots_are_the_scores_of_the_board(small):
    series = series_of(small, "topic")
    assert [one.stage for one in series] == ["base", "sft", "ppo", "ppo_ptx"]
    (score,) = (one for one in small.scores if (one.row, one.task) == (0, "topic"))
    dot = series[0].models[0].dot
    assert (dot.estimate, dot.lo, dot.hi) == (score.estimate, score.lo, score.hi)
    assert series[0].models[0].parameters == small.rows[0].model.parameters


def test_lengths_are_means_of_characters_and_parents_are_found(small):
    models = lengthy_of(small, "topic")
    column = small.rows[0].results["topic", ""].items.measures["characters"]
    assert models[0].length.estimate == pytest.approx(sum(column) / len(column))
    assert models[0].length.lo < models[0].length.estimate < models[0].length.hi
    assert models[0].parent is None
    assert [models[model.parent].stage for model in models[1:4]] == ["base", "sft", "sft"]


def test_flips_are_the_items_of_both_models(small):
    change = small.changes[0]
    flips = flips_of(small, change, "topic")
    assert len(flips.items) == 30
    child, parent = (
        small.rows[row].results["topic", ""].items.scores["accuracy"]
        for row in (change.edge.child, change.edge.parent)
    )
    gained = sum(one > other for one, other in zip(child, parent, strict=True))
    assert fates_of(flips).count("fixed") == gained
    assert flips_of(small, change, "no such task") is None


def test_ranks_are_those_of_the_board(small):
    ranked = ranked_of(small, "topic")
    assert ranked.sets is small.ranks["topic", ""]
    assert ranked.names == tuple(small.labels[row] for row in small.ranked["topic", ""])
    assert ranked_of(small, "no such task") is None


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_chart_of_a_board_is_sound(small, width):
    rows = range(len(small.rows))
    for chart in (
        slope_chart(panels_of(small, rows), "a", str, width),
        sizes_chart(series_of(small, "topic"), ACCURACY, "b", str, width),
        length_chart(lengthy_of(small, "topic"), ACCURACY, "c", str, width),
        ranks_chart(ranked_of(small, "topic"), "e", str, width),
        lineage_chart(nodes_of(small, rows), small.changes, "f", str, width),
    ):
        assert_sound(chart.svg)
        assert all(len(row) == len(chart.columns) for row in chart.rows)
