"""Every pair of rows: parent and child as on their lineage, others by their own difference."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.comparison.values import VERDICTS
from bench.reporting.site.compare_page import compare_page
from bench.reporting.site.view import view_of
from tests.reporting.comparison.made import model, result
from tests.reporting.site.boards import Shape, board, family

NUMBER = re.compile(r"[\u2212\d.]+")
SHAPE = Shape(sizes=("1b", "6b"), stages=("base", "sft"), tasks=("reading", "toxicity"), items=30)


@pytest.fixture(scope="module")
def pairs():
    view = view_of(board(SHAPE), "t")
    page = compare_page(view)
    labels = view.board.labels
    found = {(labels[p.first], labels[p.second]): p for p in page.values["pairs"]}
    return view, found


def test_every_pair_stands_once(pairs):
    _, found = pairs
    assert len(found) == math.comb(4, 2)
    assert ("sft-1b", "base-1b") in found
    assert ("base-1b", "sft-1b") not in found


@pytest.mark.parametrize("task", [0, 1], ids=SHAPE.tasks)
@pytest.mark.parametrize(
    "pair", [("sft-6b", "base-1b"), ("sft-6b", "sft-1b"), ("sft-1b", "base-1b")]
)
def test_a_difference_is_first_minus_second_in_the_unit_of_the_metric(pairs, pair, task):
    view, found = pairs
    rows = [view.board.labels.index(name) for name in pair]
    first, second = (
        np.mean(next(iter(view.result(row, SHAPE.tasks[task], "").items.scores.values())))
        for row in rows
    )
    assert found[pair].cells[task].estimate == pytest.approx(first - second)


def test_lower_is_better_where_the_metric_says_so(pairs):
    _, found = pairs
    cell = found["sft-6b", "base-1b"].cells[SHAPE.tasks.index("toxicity")]
    assert cell.estimate < 0
    assert cell.verdict == "better"


def test_parent_and_child_are_as_on_the_page_of_their_lineage(pairs):
    view, found = pairs
    (change,) = [one for one in view.board.changes if one.child == "sft-1b"]
    cells = dict(zip([task.name for task in view.board.tasks], found["sft-1b", "base-1b"].cells,
                     strict=True))  # fmt: skip
    for contrast in change.contrasts:
        assert cells[contrast.task].verdict == contrast.verdict
        assert cells[contrast.task].estimate == contrast.estimate


def test_models_that_were_asked_something_else_have_no_number():
    results = family(Shape(sizes=("1b",), stages=("base", "sft", "ppo"), tasks=("reading",)))
    other = replace(results[2], task=replace(results[2].task, digest="another"))
    page = compare_page(view_of(make_board([*results[:2], other]), "t"))
    told = {(pair.first, pair.second): pair for pair in page.values["pairs"]}
    assert told[2, 0].cells == (None,)
    assert told[2, 0].counts == (("no number", 1),)
    assert told[1, 0].cells[0] is not None


def test_a_pair_of_a_lineage_counts_the_tasks_that_its_lineage_counts():
    """A task in three wordings is one task, and a task that neither was run on is none."""
    shape = Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading", "truthful"), items=30)
    other = family(Shape(sizes=("6b",), stages=("base",), items=30))
    view = view_of(make_board([*family(shape), *other]), "t")
    labels, (change,) = view.board.labels, view.board.changes
    pairs = compare_page(view).values["pairs"]
    (pair,) = [p for p in pairs if (labels[p.first], labels[p.second]) == ("sft-1b", "base-1b")]
    assert len(pair.cells) > len(change.contrasts)
    assert dict(pair.counts) == {
        verdict: change.count(verdict) for verdict in VERDICTS if change.count(verdict)
    }


def test_a_pair_that_is_no_lineage_counts_each_task_once_and_only_what_either_was_run_on():
    shape = Shape(sizes=("1b", "6b"), stages=("base",), tasks=("reading", "truthful"), items=30)
    other = family(Shape(sizes=("175b",), stages=("base",), tasks=("toxicity",), items=30))
    view = view_of(make_board([*family(shape), *other]), "t")
    labels = view.board.labels
    pairs = compare_page(view).values["pairs"]
    (pair,) = [p for p in pairs if {labels[p.first], labels[p.second]} == {"base-1b", "base-6b"}]
    assert sum(count for _, count in pair.counts) == len(shape.tasks)
    (apart,) = [p for p in pairs if {labels[p.first], labels[p.second]} == {"base-1b", "base-175b"}]
    assert apart.counts == (("no number", 3),)


def test_no_interval_is_wider_than_the_scale():
    """One is always right, one nearly never: t would go beyond 100 points."""
    wrong = [0.0] * 24 + [1.0]
    scored = {"gold": [1.0] * 25, "bad": wrong, "worse": wrong[::-1]}
    page = compare_page(
        view_of(make_board([result(model(name), scores) for name, scores in scored.items()]), "t")
    )
    shown = [cell.shown for pair in page.values["pairs"] for cell in pair.cells]
    bounds = [
        float(one.replace("\u2212", "-")) for cell in shown for one in NUMBER.findall(cell.interval)
    ]
    assert len(bounds) == 6
    assert max(map(abs, bounds)) <= 100
