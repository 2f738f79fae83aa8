"""SUBMISSION.md beside results: what was taken away, put in or edited shows in it."""

from dataclasses import replace

import pytest

from bench.reporting.results.audit import audit
from bench.reporting.results.files import load_results, path_of
from bench.reporting.results.submission import write_bundle
from bench.reporting.results.submission_note import NOTE
from bench.reporting.results.submit import Bundle
from tests.reporting.results.values import BASE_MODEL, SFT_MODEL, result, write_board


@pytest.fixture
def board(tmp_path):
    """A folder of results as `bench submit` writes it, with nothing wrong."""
    results = load_results([write_board(tmp_path / "made")])
    write_bundle(Bundle(tuple(results), (), ()), tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def folder(board):
    """The folder of the child."""
    return board / path_of(result(SFT_MODEL)).parent


def told(board):
    return [(one.file, one.rule, one.severity, one.told) for one in audit([board])]


def test_notes_as_they_are_written_are_right(board):
    assert told(board) == []


def test_a_result_that_was_taken_away_is_missed_in_the_note(board, folder):
    (folder / "facts.json").unlink()
    ((file, rule, severity, found),) = told(board)
    assert (file, rule, severity) == (str(folder / NOTE), "notes", "error")
    assert found.startswith("line 3: found '2 results of 40 items")
    assert "the results beside it give '1 result of 20 items" in found


def test_a_result_that_was_put_in_by_hand_is_not_in_the_note(board, folder):
    note = (folder / NOTE).read_bytes()
    more = result(SFT_MODEL, "more")
    write_bundle(Bundle((more,), (), ()), board)
    (folder / NOTE).write_bytes(note)
    assert ("notes", "error") in {(rule, severity) for _, rule, severity, _ in told(board)}


def test_an_edited_note_is_an_error(board, folder):
    text = (folder / NOTE).read_text("utf-8")
    (folder / NOTE).write_text(text.replace("0 items failed", "no item failed"), "utf-8")
    assert [one[1:3] for one in told(board)] == [("notes", "error")]


def test_a_longer_note_is_an_error(board, folder):
    with (folder / NOTE).open("a") as opened:
        opened.write("trust me\n")
    ((*_, found),) = told(board)
    assert found.endswith("found 'trust me', the results beside it give no more lines")


def test_a_note_in_another_encoding_is_an_error_and_no_traceback(board, folder):
    (folder / NOTE).write_bytes(b"\xff\xfe")
    ((*_, found),) = told(board)
    assert found.startswith("cannot be read")


def test_a_note_that_was_taken_away_is_a_warning(board, folder):
    (folder / NOTE).unlink()
    assert [one[:3] for one in told(board)] == [(str(folder / NOTE), "noted", "warning")]


def test_beside_a_damaged_result_the_note_is_not_judged(board):
    path = board / path_of(result(BASE_MODEL))
    path.write_text("{")
    assert {rule for _, rule, severity, _ in told(board) if severity == "error"} == {"readable"}


def test_paths_that_differ_in_case_alone_are_a_warning(board):
    models = [replace(SFT_MODEL, name=name) for name in ("org/Tuned", "org/tuned")]
    for one in models:
        write_bundle(Bundle((result(one), result(one, "more")), (), ()), board)
    ((file, _, severity, told_of),) = [one for one in told(board) if one[1] == "case"]
    assert (file, severity) == (str(board / path_of(result(models[1])).parent.parent), "warning")
    assert "Tuned" in told_of
