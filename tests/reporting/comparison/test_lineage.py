"""Who is whose parent on a board, in which order rows stand, and which siblings are compared."""

import pytest

from bench.reporting.comparison.lineage import (
    Edge,
    depths_of,
    edges_of,
    parents_of,
    roots_of,
    rows_of,
)
from tests.reporting.comparison.made import model, result

SCORES = [1.0, 0.0, 1.0]
LINE = [
    model("ppo-ptx", "sft", "ppo_ptx"),
    model("ppo", "sft", "ppo"),
    model("sft", "base", "sft"),
    model("base"),
]


def rows(*models, **changes):
    return rows_of([result(who, SCORES, **changes) for who in models])


def test_children_stand_behind_their_parents():
    found = rows(*LINE)
    assert [row.model.name for row in found] == ["base", "sft", "ppo", "ppo-ptx"]
    assert parents_of(found) == [None, 0, 1, 1]
    assert depths_of(found) == [0, 1, 2, 2]
    assert roots_of(found) == [0, 0, 0, 0]


def test_what_the_pretraining_mix_did_is_compared_beside_the_parents():
    assert edges_of(rows(*LINE)) == [
        Edge(1, 0, "parent"),
        Edge(2, 1, "parent"),
        Edge(3, 1, "parent"),
        Edge(3, 2, "sibling"),
    ]


def test_a_parent_that_is_not_on_the_board_is_none():
    assert parents_of(rows(model("sft", "base", "sft"))) == [None]


def test_parents_in_a_circle_are_none():
    found = rows(model("a", "b"), model("b", "a"))
    assert set(parents_of(found)) == {None}


def test_a_revision_of_another_model_is_no_parent():
    other = model("other", revision="r-base")
    assert parents_of(rows(other, model("sft", "base", "sft"))) == [None, None]


def test_a_parent_trained_in_a_recipe_is_found_by_the_last_part_of_its_name():
    sft = model("demo/sft", stage="sft", revision="r-sft")
    assert parents_of(rows(sft, model("demo/ppo", "sft", "ppo"))) == [None, 0]


def test_one_model_asked_one_task_in_two_ways_makes_two_rows():
    who = model()
    found = rows_of([result(who, SCORES, settings={"shots": shots}) for shots in (0, 5)])
    assert len(found) == 2


def test_tasks_asked_with_different_settings_make_one_row():
    """Other tools decide shots for each task; that is no second way of asking."""
    who = model()
    asked = [result(who, SCORES, task=f"t{shots}", settings={"shots": shots}) for shots in (0, 5)]
    assert len(rows_of(asked)) == 1


def test_of_two_ways_the_parent_was_asked_the_childs_own_is_compared():
    base = [result(model(), SCORES, settings={"shots": shots}) for shots in (0, 5)]
    found = rows_of([*base, result(model("sft", "base"), SCORES, settings={"shots": 5})])
    child = next(place for place, row in enumerate(found) if row.model.name == "sft")
    parent = parents_of(found)[child]
    assert parent is not None
    assert found[parent].results["topic", ""].settings["shots"] == 5


@pytest.mark.parametrize("order", [LINE, LINE[::-1], [LINE[2], LINE[0], LINE[3], LINE[1]]])
def test_the_order_of_the_files_does_not_matter(order):
    assert [row.model.name for row in rows(*order)] == ["base", "sft", "ppo", "ppo-ptx"]
