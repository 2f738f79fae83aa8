"""Which items have a page, what stands on it, and how it says what it does not know."""

from dataclasses import replace

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.site.build import build_site
from bench.reporting.site.texts import Output, Texts
from bench.reporting.site.view import view_of
from tests.reporting.site.boards import Shape, board, failing, family, texts_of
from tests.reporting.site.pages import Page

SHAPE = Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading", "topic"), items=10)


@pytest.fixture(scope="module")
def known():
    return board(SHAPE)


def page_of(board, texts, folder, item="reading-0"):
    build_site(board, folder, texts, languages=("en",))
    return Page((folder / "item" / "reading" / f"{item}.html").read_text("utf-8"))


def test_tasks_share_the_pages_and_items_that_differ_most_come_first(known):
    view = view_of(known, "t", texts_of(known, "reading", "topic"), most_items=6)
    assert [task for task, _ in view.items.pages].count("reading") == 3
    spread = dict(zip([key[0] for key in view.grids["reading", ""].items],
                      view.grids["reading", ""].spread, strict=True))  # fmt: skip
    chosen = [spread[item] for task, item in view.items.pages if task == "reading"]
    assert min(chosen) >= max(
        value for item, value in spread.items() if ("reading", item) not in view.items.pages
    )


def test_an_item_without_texts_has_no_page(known):
    view = view_of(known, "t", texts_of(known, "reading"))
    assert {task for task, _ in view.items.pages} == {"reading"}


def test_a_page_shows_prompt_answers_scores_and_what_changed(known, tmp_path):
    page = page_of(known, texts_of(known, "reading"), tmp_path)
    assert "Question reading-0?" in page.text
    assert "Accepted answers: yes" in page.words
    assert "The answer to reading-0 is 0.\nThat is all." in page.text
    assert {"ins", "del"} <= {tag for tag, _ in page.tags}
    assert "Word by word against base-1b" in page.words
    assert "bench eval sft-1b -t reading" in page.words


def test_a_prompt_that_is_not_known_is_said_to_be(known, tmp_path):
    texts = replace(texts_of(known, "reading"), prompts={})
    assert (
        "No prompt: the task has no item with this digest" in page_of(known, texts, tmp_path).words
    )


def test_a_text_that_is_not_there_is_said_to_be(known, tmp_path):
    outputs = {key: one for key, one in texts_of(known, "reading").outputs.items() if key[0] == 0}
    page = page_of(known, Texts(outputs=outputs), tmp_path)
    assert page.words.count("The text is not here.") == 1


def test_right_wrong_and_failed_are_three_words(tmp_path):
    base, sft = family(replace(SHAPE, tasks=("reading",)))
    made = make_board([failing(base, (0,)), sft])
    texts = texts_of(made, "reading")
    page = page_of(made, texts, tmp_path)
    assert "base-1b failed out of memory" in page.words
    told = {Page(path.read_text("utf-8")).words.count(" wrong ") for path in
            (tmp_path / "item").rglob("*.html")}  # fmt: skip
    assert max(told) >= 1


def test_choices_are_shown_with_their_probabilities(known, tmp_path):
    output = Output(None, "Oslo", (("Oslo", 0.75), ("Bergen", 0.25)))
    texts = Texts(outputs={(0, "reading", "", "reading-0", 0): output})
    assert "Oslo 0.75, Bergen 0.25" in page_of(known, texts, tmp_path).words


def test_a_reply_from_which_nothing_was_read_says_so(known, tmp_path):
    output = Output("I would rather not say.", None)
    texts = Texts(outputs={(0, "reading", "", "reading-0", 0): output})
    assert "No answer could be read from it." in page_of(known, texts, tmp_path).words
