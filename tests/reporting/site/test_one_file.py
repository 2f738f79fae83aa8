"""The site as one file: nothing outside it is needed, every link stays inside."""

import re
from itertools import pairwise

import pytest

from bench.reporting.site.build import build_site
from bench.reporting.site.frame import hash_source
from tests.reporting.site.boards import Shape, board
from tests.reporting.site.pages import Page


@pytest.fixture(scope="module")
def one(built, tmp_path_factory):
    """The file as text."""
    folder = tmp_path_factory.mktemp("one")
    (written,) = build_site(built.board, folder, built.texts, one_file=True, title="Test board")
    assert written == folder / "index.html"
    return written.read_text("utf-8")


@pytest.fixture(scope="module")
def page(one):
    """The file as a page."""
    return Page(one)


def test_it_refers_to_nothing_outside(one, page):
    assert page.attributes("src") == []
    assert {link[0] for link in page.attributes("href")} == {"#"}
    assert "@import" not in one
    assert "url(" not in one


def test_every_link_leads_to_a_place_in_it(page):
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.attributes("href")} <= set(ids)


def test_its_policy_names_its_script_and_style_by_their_digest(one):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', one)[1]
    policy = policy.replace("&#39;", "'")
    (script,) = re.findall(r"<script>(.*?)</script>", one, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", one, re.DOTALL)
    assert f"script-src {hash_source(script)};" in policy
    assert f"style-src {hash_source(style)};" in policy
    assert "unsafe" not in policy


def test_it_holds_tables_and_charts_of_every_task(page, built):
    for task in built.board.tasks:
        assert f"task-{task.name}" in page.attributes("id")
    assert [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("class") == "chart"]
    assert "sft-1b against base-1b" in page.words


def test_headings_do_not_skip_a_level(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_may_be_chinese(tmp_path):
    small = Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading",), items=6)
    build_site(board(small), tmp_path, one_file=True, languages=("zh",))
    found = Page((tmp_path / "index.html").read_text("utf-8"))
    assert found.attributes("lang")[0] == "zh-Hans"
    assert "对比 base-1b" in found.words
