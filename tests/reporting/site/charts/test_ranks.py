"""The strip of rank sets."""

import numpy as np
import pytest

from bench.reporting.site.charts.chart import NARROW, WIDE
from bench.reporting.site.charts.ranks import BRACKETS, Ranked, ranks_chart
from bench.statistics.ranks import Rank, RankSets, rank_sets
from tests.reporting.site.charts.samples import (
    HOSTILE,
    assert_sound,
    classed,
    number,
    texts,
)

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
# The example of bench.statistics.ranks: ranks 4, 3, and two models that share 1 and 2.
SETS = rank_sets([0.0, 1.5, 2.2, 2.3], np.diag([0.02] * 4), seed=0)
RANKED = Ranked(("base", "sft", "ppo", "ptx"), ("base", "sft", "ppo", "ppo_ptx"), SETS)


@WIDTHS
def test_strips_reach_from_the_best_to_the_worst_rank_highest_estimate_first(width):
    root = assert_sound(ranks_chart(RANKED, "r", None, width).svg)
    names = [told for told in texts(root) if told in RANKED.names]
    assert names == ["ptx", "ppo", "sft", "base"]
    track = classed(root, "track")[0]
    step = (number(track, "x2") - number(track, "x1")) / 3
    spans = [
        tuple(round((number(one, end) - number(track, "x1")) / step + 1) for end in ("x1", "x2"))
        for one in classed(root, "strip")
    ]
    assert spans == [(1, 2), (1, 2), (3, 3), (4, 4)]


@WIDTHS
def test_a_bracket_joins_who_cannot_be_told_apart(width):
    root = assert_sound(ranks_chart(RANKED, "r", None, width).svg)
    whole, *ticks = classed(root, "bracket")
    ys = [number(one, "y1") for one in classed(root, "strip")]
    assert (number(whole, "y1"), number(whole, "y2")) == (ys[0], ys[1])
    assert len(ticks) == 2


def test_the_caption_tells_who_may_be_the_best():
    assert ranks_chart(RANKED, "r").caption == "Of 4 models ptx, ppo may be the best."


def test_strips_have_the_colour_of_their_stage_and_lead_to_their_model():
    root = assert_sound(ranks_chart(RANKED, "r", lambda name: f"m/{name}").svg)
    assert "stage-ppo-ptx" in classed(root, "strip")[0].attrib["class"]
    links = list(root.iter("a"))
    assert links[0].attrib["href"] == "m/ptx"
    assert links[2].attrib["aria-label"].startswith("sft: rank 3, P(best) ")


def test_rows_hold_the_rank_sets():
    chart = ranks_chart(RANKED, "r")
    best = chart.columns.index("best_rank")
    assert [row[best : best + 2] for row in chart.rows] == [(1, 2), (1, 2), (3, 3), (4, 4)]


@WIDTHS
def test_of_many_groups_some_are_drawn_and_the_chart_says_so(width):
    ranks = tuple(Rank(-float(at), 0.1, 1, 40, 0.1, 20.0, (at, at + 1)) for at in range(40))
    sets = RankSets(ranks, (), 2.0, 0.95, "max_t", 0, warnings=("only 5 clusters",))
    names = (HOSTILE, *("n" * 200 + str(at) for at in range(39)))
    chart = ranks_chart(Ranked(names, ("ppo",) * 40, sets), "r", None, width)
    root = assert_sound(chart.svg)
    drawn = BRACKETS // 2 if width == NARROW else BRACKETS
    assert f"{drawn} of 39 brackets are drawn." in " ".join(texts(root))
    assert "only 5 clusters" in texts(root)


def test_no_models_are_told_in_words():
    chart = ranks_chart(Ranked((), (), SETS), "r")
    assert_sound(chart.svg)
    assert chart.caption == "No models were ranked."
