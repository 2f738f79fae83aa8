"""The changelog and its feed: who was added when, newest first, without a clock."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.site.changelog import UNKNOWN, Note, entries_of, moment
from bench.reporting.site.feed import feed
from bench.reporting.site.view import view_of
from tests.reporting.site.boards import Shape, family

ATOM = "{http://www.w3.org/2005/Atom}"
SHAPE = Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading", "topic"), items=8)


def dated(*started: str):
    """The view of base and SFT on two tasks, begun at these times."""
    results = [
        replace(one, provenance=replace(one.provenance, started=when))
        for one, when in zip(family(SHAPE), started, strict=True)
    ]
    return view_of(make_board(results), "Board & more")


@pytest.fixture(scope="module")
def view():
    return dated("2026-01-02T10:00:00+00:00", "2026-01-02T11:00:00+00:00",
                 "2026-02-01T09:00:00+01:00", "2026-02-03")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-02-01T09:00:00+01:00", "2026-02-01T08:00:00Z"),
        ("2026-02-03", "2026-02-03T00:00:00Z"),
        ("2026-02-03T01:02:03.456", "2026-02-03T01:02:03Z"),
        ("yesterday", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_times_are_utc_and_what_is_none_is_said_to_be_unknown(text, when):
    assert moment(text) == when


def test_a_row_is_added_once_and_then_run_on_more_tasks(view):
    told = [(one.day, one.label, one.first, one.tasks) for one in entries_of(view)]
    assert told == [
        ("2026-02-03", "sft-1b", False, ("topic",)),
        ("2026-02-01", "sft-1b", True, ("reading",)),
        ("2026-01-02", "base-1b", True, ("reading", "topic")),
    ]


def test_a_new_row_says_what_it_changed(view):
    added = {one.label: one for one in entries_of(view) if one.first}
    assert [change.parent for change in added["sft-1b"].changes] == ["base-1b"]
    assert added["base-1b"].changes == ()


def test_a_note_stands_among_the_rest_by_its_date(view):
    entries = entries_of(view, [Note("2026-01-15", "Scorer mended", "Case counts no longer.")])
    assert [one.label for one in entries] == ["sft-1b", "sft-1b", "Scorer mended", "base-1b"]


def test_the_feed_is_atom_with_stable_ids_and_the_newest_time(view):
    entries = entries_of(view, [Note("2026-01-15", "a < b", "c & d")])
    text = feed(view, entries)
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{ATOM}feed"
    for owner in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert owner.findtext(f"{ATOM}{name}")
        assert owner.findtext(f"{ATOM}id").startswith("urn:uuid:")
    assert root.findtext(f"{ATOM}title") == "Board & more"
    assert root.findtext(f"{ATOM}updated") == "2026-02-03T00:00:00Z"
    ids = [one.findtext(f"{ATOM}id") for one in root.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids) == 4
    assert feed(view, entries) == text


def test_undated_results_are_undated_and_not_left_out():
    entries = entries_of(dated("", "junk", "2026-02-03", "2026-02-03"))
    assert [one.day for one in entries] == ["2026-02-03", ""]
