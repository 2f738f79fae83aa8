"""The page of judgments: there where something was judged, and it says what the board says."""

import json

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.importers.judgments import read_judgments
from bench.reporting.site.build import build_site
from tests.reporting.importers.judgment_rows import judged_rows, write_lines
from tests.reporting.site.boards import board as plain_board
from tests.reporting.site.pages import Page

JUDGES = ("ann", "bob")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    rows = [
        {**row, "parameters": {"base": 1.2e9, "ppo": 6e9}[row["model"]]}
        for row in judged_rows(judges=JUDGES, same_mind=0.5)
    ]
    path = write_lines(folder / "panel.jsonl", rows)
    board = make_board(read_judgments(path).results)
    build_site(board, folder / "site")
    build_site(board, folder / "one", one_file=True)
    return board, folder


def read(folder, *parts):
    return Page(folder.joinpath(*parts).read_text("utf-8"))


def test_the_page_holds_every_match_and_rating_as_the_board_does(built):
    board, folder = built
    text = read(folder, "site", "judgments.html").text
    (judged,) = board.judged
    for match in judged.matches:
        assert f"{100 * match.win_rate.estimate:.1f}"[:2] in text
        assert f" {match.wins}" in text
    for one in judged.ratings:
        assert f"{one.rating.estimate:.0f}" in text
    assert f"{judged.alpha.estimate:.3f}"[:4] in text


@pytest.mark.parametrize("page", ["index.html", "zh/index.html"])
def test_every_page_leads_to_it(built, page):
    _, folder = built
    hrefs = [attrs.get("href") for tag, attrs in read(folder, "site", page).tags if tag == "a"]
    assert "judgments.html" in hrefs


def test_the_one_file_holds_it(built):
    _, folder = built
    ids = [attrs.get("id") for _, attrs in read(folder, "one", "index.html").tags]
    assert "judgments" in ids


def test_tables_can_be_downloaded(built):
    board, folder = built
    (judged,) = board.judged
    found = json.loads((folder / "site" / "data" / "matches.json").read_text())
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert [row["win_rate"] for row in rows] == [one.win_rate.estimate for one in judged.matches]
    assert (folder / "site" / "data" / "ratings.parquet").is_file()


def test_win_rates_are_drawn_by_size(built):
    _, folder = built
    drawn = (folder / "site" / "charts" / "judged-sizes-panel.csv").read_text()
    assert "base" in drawn
    assert "ppo" in drawn


def test_methods_name_what_the_judgments_used(built):
    _, folder = built
    text = read(folder, "site", "methods.html").text
    for told in ("Bradley & Terry", "Krippendorff", "Dubois"):
        assert told in text


def test_ratings_say_whether_they_take_out_the_place(built, tmp_path):
    board, folder = built
    (judged,) = board.judged
    assert judged.even_slots
    assert "as often shown first as second" in read(folder, "site", "judgments.html").text
    rows = [{key: row[key] for key in row if key != "first"} for row in judged_rows()]
    unknown = make_board(read_judgments(write_lines(tmp_path / "panel.jsonl", rows)).results)
    assert not unknown.judged[0].even_slots
    build_site(unknown, tmp_path / "site")
    assert "shown first as second" not in read(tmp_path, "site", "judgments.html").text


def test_a_board_on_which_nothing_was_judged_has_no_such_page(tmp_path):
    build_site(plain_board(), tmp_path / "site")
    assert not (tmp_path / "site" / "judgments.html").exists()
    assert "judgments.html" not in (tmp_path / "site" / "index.html").read_text()
