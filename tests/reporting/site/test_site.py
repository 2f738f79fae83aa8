"""The site as a whole: well-formed, every link leads somewhere, the same bytes every time."""

import re
from itertools import pairwise

import pytest

from bench.errors import RunError
from bench.reporting.site.build import build_site
from bench.reporting.site.frame import asset
from bench.reporting.site.strings import LANGUAGES
from tests.reporting.site.boards import Shape, board
from tests.reporting.site.conftest import LOG
from tests.reporting.site.pages import Page, broken_links, snapshot

SMALL = Shape(sizes=("1b",), tasks=("reading", "toxicity"), items=8)
LARGEST_SCRIPT = 20 * 1024


def test_every_link_leads_to_a_file_and_to_a_place_on_it(built):
    assert broken_links(built.folder, built.pages) == []


def test_every_page_stands_in_both_languages_and_says_so(built):
    english = {name for name in built.pages if not name.startswith("zh/")}
    assert {f"zh/{name}" for name in english} == built.pages.keys() - english
    for name, page in built.pages.items():
        chinese = name.startswith("zh/")
        assert page.attributes("lang")[0] == ("zh-Hans" if chinese else "en")
        assert {"en", "zh"} <= set(page.attributes("hreflang"))


def test_no_id_stands_twice_on_a_page(built):
    for name, page in built.pages.items():
        ids = page.attributes("id")
        assert len(ids) == len(set(ids)), name


def test_ids_that_labels_speak_of_exist(built):
    for page in built.pages.values():
        ids = set(page.attributes("id"))
        for names in [*page.attributes("aria-labelledby"), *page.attributes("aria-describedby")]:
            assert set(names.split()) <= ids


def test_what_was_written_is_what_is_there(built):
    there = {path for path in built.folder.rglob("*") if path.is_file()}
    assert set(built.written) == there
    assert len(built.written) == len(there)


def test_equal_boards_give_equal_bytes(built, tmp_path):
    build_site(built.board, tmp_path, built.texts, title="Test board", log=LOG)
    assert snapshot(tmp_path) == snapshot(built.folder)


def test_scripts_and_styles_come_from_the_site_alone(built):
    for page in built.pages.values():
        (policy,) = [a["content"] for _, a in page.tags if "http-equiv" in a]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == "'self'"
        assert "unsafe" not in policy


def test_nothing_on_a_page_needs_more_than_the_policy_gives(built):
    for page in built.pages.values():
        assert page.attributes("style") == []
        assert not any(key.startswith("on") for _, attrs in page.tags for key in attrs)
        scripts = [attrs for tag, attrs in page.tags if tag == "script"]
        assert [set(attrs) for attrs in scripts] == [{"src"}]
        assert "style" not in {tag for tag, _ in page.tags}


def test_the_script_is_small_and_evaluates_nothing():
    script = asset("board.js")
    assert len(script.encode()) <= LARGEST_SCRIPT
    for forbidden in ("eval", "innerHTML", "Function(", "localStorage", "cookie", "fetch("):
        assert forbidden not in script


def test_a_table_has_a_caption_and_scopes(built):
    for page in built.pages.values():
        tags = [tag for tag, _ in page.tags]
        assert tags.count("caption") == tags.count("table")
        assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


def test_headings_do_not_skip_a_level(built):
    for name, page in built.pages.items():
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_overview_says_what_became_of_each_model(built):
    for name, words in (("index.html", "against base-1b"), ("zh/index.html", "对比 base-1b")):
        assert f"sft-1b {words}" in built.pages[name].words


def test_a_cell_leads_to_the_row_of_its_task_and_that_to_the_items(built):
    links = built.pages["index.html"].attributes("href")
    assert "task/reading.html#score-sft-1b" in links
    assert "task/truthful.html#score-sft-1b~terse" in links
    task = built.pages["task/truthful.html"]
    assert {"#items", "#items~terse"} <= set(task.attributes("href"))
    assert any(link.startswith("../item/truthful/") for link in task.attributes("href"))


def test_what_failed_is_counted_and_never_zero(built):
    assert "2 failed" in built.pages["index.html"].words
    assert "out of memory" in built.pages["methods.html"].words


def test_a_board_without_texts_says_that_there_are_none(tmp_path):
    build_site(board(SMALL), tmp_path)
    assert not (tmp_path / "item").exists()
    page = Page((tmp_path / "task" / "reading.html").read_text("utf-8"))
    assert "There are no texts here" in page.words


def test_an_empty_board_is_a_site_too(tmp_path):
    from bench.reporting.comparison.board import make_board

    build_site(make_board([]), tmp_path)
    assert (
        "0 models, 0 tasks, 0 comparisons."
        in Page((tmp_path / "index.html").read_text("utf-8")).words
    )


def test_one_language_is_enough(tmp_path):
    build_site(board(SMALL), tmp_path, languages=LANGUAGES[:1])
    assert not (tmp_path / "zh").exists()
    assert "中文" not in (tmp_path / "index.html").read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / "site").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written"):
        build_site(board(SMALL), tmp_path / "site")
