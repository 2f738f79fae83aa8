"""The lineage strip, as a tree and as a list."""

from dataclasses import replace

import pytest

from bench.reporting.comparison.lineage import Edge
from bench.reporting.comparison.values import Change
from bench.reporting.site.charts.chart import NARROW, WIDE
from bench.reporting.site.charts.lineage import lineage_chart
from bench.reporting.site.charts.lineage_nodes import Node
from bench.reporting.site.charts.lineage_tree import ACROSS, DOWN
from tests.reporting.site.charts.samples import (
    CONTRAST,
    HOSTILE,
    NO_NUMBER,
    assert_sound,
    classed,
    number,
    points,
    texts,
)

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
BETTER = replace(CONTRAST, verdict="better")


def change(child, parent, *contrasts, kind="parent"):
    names = {node.row: node.name for node in NODES}
    return Change(Edge(child, parent, kind), names[child], names[parent], contrasts, (), None)


NODES = (
    Node(3, "gpt-6b", "base", "6b"),
    Node(4, "sft-6b", "sft", "6b", parent=3),
    Node(5, "ppo-6b", "ppo", "6b", parent=4),
    Node(6, "ptx-6b", "ppo_ptx", "6b", parent=4),
)
CHANGES = (
    change(4, 3, BETTER, BETTER, CONTRAST),
    change(5, 4, BETTER, NO_NUMBER),
    change(6, 4, CONTRAST),
    change(6, 5, BETTER, kind="sibling"),
)


def test_stages_are_columns_and_branches_rows():
    root = assert_sound(lineage_chart(NODES, CHANGES, "l").svg)
    places = [(number(one, "x"), number(one, "y")) for one in classed(root, "node")]
    assert places == [
        (8, 8),
        (8 + ACROSS, 8),
        (8 + 2 * ACROSS, 8),
        (8 + 2 * ACROSS, 8 + DOWN),
    ]


def test_the_way_leads_from_the_parent_to_the_child():
    root = assert_sound(lineage_chart(NODES[:2], CHANGES[:1], "l").svg)
    (way,), (parent, child) = classed(root, "arrow"), classed(root, "node")
    assert points(way)[0][0] == number(parent, "x") + number(parent, "width")
    assert points(classed(root, "arrow-head")[0])[0][0] == number(child, "x") - 1


@WIDTHS
def test_every_way_says_how_many_tasks_got_better_and_worse(width):
    chart = lineage_chart(NODES[:2], CHANGES[:1], "l", None, width)
    root = assert_sound(chart.svg)
    assert {"▲ 2", "▼ 1", "= 0", "? 0"} <= set(texts(root))
    assert "– 0" not in texts(root)
    assert any("better on 2, worse on 1 of 3 tasks" in (t.text or "") for t in root.iter("title"))


@pytest.mark.parametrize(
    ("stages", "head"),
    [(("base", "sft"), "2 models, base to SFT"), (("sft", "sft"), "2 models, SFT"),
     (("base", ""), "2 models, base"), (("", ""), "2 models")],
)  # fmt: skip
def test_the_caption_names_the_stages_that_are_known(stages, head):
    nodes = [replace(node, stage=stage) for node, stage in zip(NODES, stages, strict=False)]
    assert lineage_chart(nodes, (), "l").caption == f"{head}."
    caption = lineage_chart(nodes, CHANGES[:1], "l").caption
    assert caption.startswith(f"{head}; sft-6b against gpt-6b: ")


def test_siblings_that_are_compared_are_joined_by_a_dashed_arrow():
    root = assert_sound(lineage_chart(NODES, CHANGES, "l").svg)
    (arrow,) = classed(root, "arrow-sibling")
    upper, lower = classed(root, "node")[2:]
    (_, start), (_, end) = points(arrow)
    assert number(upper, "y") < start < end < number(lower, "y")


def test_siblings_with_others_between_them_are_compared_in_words():
    between = Node(7, "dpo-6b", "dpo", "6b", parent=4)
    nodes = (*NODES[:3], between, NODES[3])
    root = assert_sound(lineage_chart(nodes, CHANGES, "l").svg)
    assert not classed(root, "arrow-sibling")
    assert "ptx-6b against ppo-6b: better on 1 of 1 task." in texts(root)


def test_without_room_for_a_tree_there_is_an_indented_list():
    root = assert_sound(lineage_chart(NODES, CHANGES, "l", None, NARROW).svg)
    assert number(root, "width") == NARROW
    assert not classed(root, "node")
    names = classed(root, "strong")
    assert [one.text for one in names] == [node.name for node in NODES]
    assert [number(one, "x") for one in names] == [28, 48, 68, 68]
    assert texts(root).count("against sft-6b") == 2
    assert texts(root).count("against ppo-6b") == 1


@WIDTHS
def test_models_and_changes_lead_to_their_pages(width):
    chart = lineage_chart(
        NODES,
        CHANGES[:2],
        "l",
        lambda name: f"m/{name}",
        width,
        lambda change: f"c/{change.child}",
    )
    found = {one.attrib["href"] for one in assert_sound(chart.svg).iter("a")}
    assert found == {*(f"m/{node.name}" for node in NODES), "c/sft-6b", "c/ppo-6b"}


@pytest.mark.parametrize("parent", [99, 4])
def test_a_parent_that_is_not_shown_before_its_child_makes_a_root(parent):
    nodes = (Node(4, "sft", "sft", "", parent), Node(5, "ppo", "ppo", "", 4))
    root = assert_sound(lineage_chart(nodes, (), "l").svg)
    assert [number(one, "x") for one in classed(root, "node")] == [8, 8 + ACROSS]


def test_changes_from_or_to_others_are_left_out():
    chart = lineage_chart(NODES[:2], CHANGES, "l")
    assert_sound(chart.svg)
    assert [row[3] for row in chart.rows] == [None, "gpt-6b"]


def test_rows_count_every_verdict_and_a_root_has_none():
    chart = lineage_chart(NODES, CHANGES, "l")
    assert chart.columns[5:] == ("better", "equivalent", "worse", "undetermined", "no number")
    assert chart.rows[0][3:] == (None,) * 7
    assert chart.rows[1][3:] == ("gpt-6b", "parent", 2, 0, 1, 0, 0)


@WIDTHS
def test_thirty_models_in_a_chain_with_hostile_names_are_drawn(width):
    nodes = [
        Node(at, HOSTILE + "n" * 200 + str(at), "ppo", HOSTILE, at - 1 if at else None)
        for at in range(30)
    ]
    assert_sound(lineage_chart(nodes, (), "l", lambda name: name, width).svg)


def test_no_models_are_told_in_words():
    chart = lineage_chart((), (), "l")
    assert_sound(chart.svg)
    assert chart.caption == "There are no models."
