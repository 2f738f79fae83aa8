"""The matrix of a task: every item once, hardest last, right, wrong, failed and missing apart."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.comparison.board import make_board
from bench.reporting.results.schema import Metric
from bench.reporting.site.grid import grid_of, share_of
from bench.reporting.site.links import Site
from bench.reporting.site.matrix import BAND, matrix_svg
from bench.reporting.site.view import view_of
from tests.reporting.site.boards import Shape, failing, family, texts_of

SHAPE = Shape(sizes=("1b",), stages=("base", "sft", "ppo"), tasks=("reading",), items=30)


def short(result, kept):
    """`result` with its first items only."""
    items = result.items
    columns = {name: column[:kept] for name, column in items.scores.items()}
    cut = {name: getattr(items, name)[:kept] for name in
           ("ids", "digests", "clusters", "samples", "failures")}  # fmt: skip
    return replace(result, items=replace(items, scores=columns, measures={}, **cut))


@pytest.fixture(scope="module")
def board():
    base, sft, ppo = family(SHAPE)
    return make_board([base, failing(sft, (0, 1)), short(ppo, 25)])


def test_cells_hold_scores_and_say_what_failed_and_what_is_missing(board):
    grid = grid_of(board.rows, "reading", "")
    at = {item[0]: place for place, item in enumerate(grid.items)}
    assert len(at) == 30
    assert [grid.cells[1][at[f"reading-{n}"]] for n in (0, 1)] == ["failed", "failed"]
    assert [grid.cells[2][at[f"reading-{n}"]] for n in range(25, 30)] == ["missing"] * 5
    for row, cells in enumerate(grid.cells):
        items = board.rows[row].results["reading", ""].items
        for name, score in zip(items.ids, items.scores["accuracy"], strict=True):
            assert cells[at[name]] in (score, "failed")


def test_items_go_from_the_easiest_to_the_hardest(board):
    grid = grid_of(board.rows, "reading", "")
    assert list(grid.shares) == sorted(grid.shares, reverse=True)
    assert grid.binary


def test_an_item_that_changed_is_another_item(board):
    base = board.rows[0].results["reading", ""]
    digests = ("changed", *base.items.digests[1:])
    other = replace(base, model=replace(base.model, name="x", revision="x", parents=()),
                    items=replace(base.items, digests=digests))  # fmt: skip
    grid = grid_of(make_board([base, other]).rows, "reading", "")
    assert len(grid.items) == 31


@given(st.floats(0, 1))
def test_a_share_is_how_good_a_score_is(score):
    assert share_of(score, Metric("m")) == pytest.approx(score)
    assert share_of(score, Metric("m", lower_is_better=True)) == pytest.approx(1 - score)
    assert share_of(5 * score, Metric("m", high=5.0)) == pytest.approx(score)


def test_a_scale_without_end_has_shares_too():
    metric = Metric("reward", low=float("-inf"), high=float("inf"))
    shares = [share_of(score, metric) for score in (-100.0, -1.0, 0.0, 1.0, 100.0)]
    assert shares == sorted(shares)
    assert shares[2] == 0.5


def drawn(board, most=1000):
    view = view_of(board, "t", texts_of(board, "reading"), most)
    pages = frozenset([*view.items.pages.values(), "task/reading.html"])
    links = Site(pages, ("en",)).links("task/reading.html")
    return matrix_svg(view, view.grids["reading", ""], links)


def test_the_drawing_has_a_box_for_each_item_and_a_cell_for_each_score(board):
    svg = drawn(board)
    root = ElementTree.fromstring(svg)
    assert len(list(root.iter("rect"))) == 30
    cells = 0
    for path in root.iter("path"):
        pitch = re.findall(r"M[\d.]+ [\d.]+h(\d+)", path.get("d"))
        size = re.match(r"s(\d)", path.get("class"))
        cells += sum((int(long) - int(size[1])) // 9 + 1 for long in pitch) if size else 0
    assert cells == 3 * 30 - 2 - 5
    assert svg.count("l6 6m-6 0l6-6") == 2


def test_only_items_with_a_page_are_links(board):
    assert drawn(board).count("<a ") == 30
    assert drawn(board, most=4).count("<a ") == 4
    assert drawn(board, most=0).count("<a ") == 0


def test_many_items_take_few_elements_and_several_bands():
    results = family(replace(SHAPE, items=BAND + 20))
    svg = drawn(make_board(results), most=0)
    assert svg.count('class="soft"') == 2
    assert svg.count("<path") <= 2 * 3 * 6
