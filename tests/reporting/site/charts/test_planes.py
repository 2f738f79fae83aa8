"""The charts of scores against size, length and cost."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.reporting.site.charts.chart import NARROW, WIDE, Dot
from bench.reporting.site.charts.length import Lengthy, arrow, length_chart
from bench.reporting.site.charts.pareto import Cost, Costly, pareto_chart
from bench.reporting.site.charts.sizes import Reference, Series, Sized, sizes_chart
from tests.reporting.site.charts.samples import (
    ACCURACY,
    HOSTILE,
    TOXICITY,
    assert_sound,
    classed,
    number,
    parsed,
    points,
    texts,
)

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
SFT = Series(
    "sft",
    "SFT",
    (
        Sized("sft-100b", 10**11, Dot(0.7, 0.6, 0.8)),
        Sized("sft-1b", 10**9, Dot(0.5, 0.4, 0.6)),
        Sized("sft-10b", 10**10, Dot(0.6, 0.5, 0.7)),
    ),
)
PPO = replace(SFT, stage="ppo", name="PPO")
SIZE, SPEED = Cost("parameters"), Cost("tokens per second", less_is_better=False)


@WIDTHS
def test_sizes_lie_on_a_logarithmic_axis_with_their_intervals(width):
    root = assert_sound(sizes_chart([SFT], ACCURACY, "z", None, width).svg)
    (line,) = classed(root, "series")
    (one, ten, hundred) = points(line)
    assert ten[0] - one[0] == pytest.approx(hundred[0] - ten[0], abs=0.2)
    assert one[1] - ten[1] == pytest.approx(ten[1] - hundred[1], abs=0.2)
    whisker = classed(root, "whisker")[0]
    assert number(whisker, "y1") - number(whisker, "y2") == pytest.approx(
        2 * (one[1] - ten[1]), abs=0.3
    )
    assert {"1B", "10B", "100B", "SFT"} <= set(texts(root))


def test_two_stages_of_one_size_stand_beside_each_other_and_their_names_do_too():
    root = assert_sound(sizes_chart([SFT, PPO], ACCURACY, "z").svg)
    first, second = (points(line) for line in classed(root, "series"))
    assert second[0][0] - first[0][0] == pytest.approx(5)
    (upper, lower) = sorted(number(one, "y") for one in classed(root, "name"))
    assert lower - upper >= 13.9


def test_a_reference_is_a_dashed_line_with_its_name():
    reference = Reference(0.6, "even with SFT")
    root = assert_sound(sizes_chart([SFT], ACCURACY, "z", reference=reference).svg)
    (line,) = classed(root, "reference")
    assert number(line, "y1") == pytest.approx(points(classed(root, "series")[0])[1][1], abs=0.1)
    assert "Dashed: even with SFT, 60.0." in texts(root)


def test_models_of_unknown_size_or_score_are_named_and_not_drawn():
    models = (*SFT.models, Sized("who", None, Dot(0.5)), Sized("what", 10**9, Dot(None)))
    chart = sizes_chart([replace(SFT, models=models)], ACCURACY, "z")
    root = assert_sound(chart.svg)
    assert len(classed(root, "mark")) == 3
    assert "Not drawn, size not known: who." in texts(root)
    assert "Not drawn, no score: what." in texts(root)
    assert len(chart.rows) == 5


def test_the_axis_says_where_lower_is_better():
    root = assert_sound(sizes_chart([SFT], TOXICITY, "z").svg)
    assert "toxicity, points, lower is better" in texts(root)


@WIDTHS
def test_an_arrow_leads_from_each_parent_to_its_child(width):
    models = [
        Lengthy("sft", "sft", Dot(200.0, 180.0, 220.0), Dot(0.5, 0.4, 0.6)),
        Lengthy("ppo", "ppo", Dot(400.0, 380.0, 420.0), Dot(0.6, 0.5, 0.7), parent=0),
    ]
    chart = length_chart(models, ACCURACY, "l", None, width)
    root = assert_sound(chart.svg)
    (head,) = classed(root, "arrow-head")
    square, diamond = classed(root, "mark")[:2]
    tip, aim = points(head)[0], points(diamond)
    assert min(x for x, _ in aim) - 10 < tip[0] < max(x for x, _ in aim)
    assert points(square)[0][0] < tip[0]
    assert len(classed(root, "whisker")) == 4
    assert "of 1 step from parent to child 1 made replies longer, 1 of these" in chart.caption


def test_marks_that_touch_have_no_arrow():
    assert arrow((10, 10), (12, 12)) == ""
    assert len(parsed(f"<g>{arrow((10, 10), (90, 10))}</g>")) == 2


def test_a_model_without_a_length_is_named_and_not_drawn():
    models = [
        Lengthy("sft", "sft", Dot(200.0), Dot(0.5)),
        Lengthy("mute", "ppo", Dot(None), Dot(0.6), parent=0),
    ]
    chart = length_chart(models, ACCURACY, "l")
    root = assert_sound(chart.svg)
    assert "Not drawn, no score or no length: mute." in texts(root)
    assert not classed(root, "arrow")
    assert chart.caption == "accuracy by length of replies, 1 model."
    assert chart.rows[1][3] is None


def costly(name, cost, score, half=0.0):
    spread = (score - half, score + half) if half else (None, None)
    return Costly(name, "sft", Dot(cost), Dot(score, *spread))


def standings(models, cost):
    chart = pareto_chart(models, cost, "p")
    return {row[0]: row[-1] for row in chart.rows}


def test_the_front_holds_who_is_beaten_by_nobody_on_both_counts():
    models = [costly("a", 1e9, 0.3), costly("b", 1e10, 0.5), costly("c", 1e11, 0.4)]
    assert standings(models, SIZE) == {
        "a": "on the front",
        "b": "on the front",
        "c": "behind it",
    }
    assert standings(models, SPEED) == {
        "a": "behind it",
        "b": "on the front",
        "c": "on the front",
    }


def test_who_is_beaten_within_the_intervals_may_be_on_the_front():
    models = [costly("a", 1e9, 0.5, half=0.05), costly("b", 1e9, 0.45, half=0.05)]
    assert standings(models, SIZE)["b"] == "may be on it"
    far = [costly("a", 1e9, 0.5, half=0.05), costly("b", 1e9, 0.3, half=0.05)]
    assert standings(far, SIZE)["b"] == "behind it"


def test_equal_models_are_both_on_the_front():
    models = [costly("a", 1e9, 0.5), costly("b", 1e9, 0.5)]
    assert set(standings(models, SIZE).values()) == {"on the front"}


@pytest.mark.parametrize(("cost", "names"), [(SIZE, ["a", "b"]), (SPEED, ["b", "c"])])
def test_the_front_is_drawn_as_stairs_through_its_models(cost, names):
    models = [costly("a", 1e9, 0.3), costly("b", 1e10, 0.5), costly("c", 1e11, 0.4)]
    root = assert_sound(pareto_chart(models, cost, "p").svg)
    (front,) = classed(root, "front")
    rings = {(number(one, "cx"), number(one, "cy")) for one in classed(root, "ring")}
    assert len(rings) == len(names)
    stairs = points(front)
    assert rings <= set(stairs)
    assert all(one[0] == other[0] or one[1] == other[1] for one, other in pairwise(stairs))


def test_a_box_spans_both_intervals():
    wide = Costly("a", "sft", Dot(100.0, 50.0, 200.0), Dot(0.5, 0.4, 0.6))
    root = assert_sound(pareto_chart([wide], SPEED, "p").svg)
    (area,), (across, up) = (
        classed(root, "area"),
        sorted(classed(root, "whisker"), key=lambda one: one.attrib["x1"] == one.attrib["x2"]),
    )
    assert number(area, "x") == number(across, "x1")
    assert number(area, "width") == pytest.approx(
        number(across, "x2") - number(across, "x1"), abs=0.1
    )
    assert number(area, "y") == number(up, "y2")


@WIDTHS
def test_thirty_models_with_long_names_are_drawn_and_who_has_no_name_is_told(width):
    models = [costly("x" * 190 + str(at), 10.0**at, at / 30) for at in range(1, 31)]
    models.append(costly(HOSTILE, 1e9, 0.5))
    root = assert_sound(pareto_chart(models, SIZE, "p", lambda name: f"m/{name}", width).svg)
    assert len(classed(root, "mark")) == 31 + 1
    assert any(told.startswith("Without a name") for told in texts(root))


@pytest.mark.parametrize(
    "chart",
    [
        sizes_chart([], ACCURACY, "e"),
        length_chart([], ACCURACY, "e"),
        pareto_chart([], SIZE, "e"),
        pareto_chart([Costly("a", "sft", Dot(-1.0), Dot(0.5))], SIZE, "e"),
    ],
)
def test_without_a_model_there_is_a_sentence(chart):
    assert_sound(chart.svg)
    assert chart.caption.startswith("No model ")
