"""Imported results of a model that the board knows stand in its row, or say why they do not."""

from dataclasses import replace

import pytest

from bench.errors import RunError
from bench.reporting.comparison.board import make_board
from bench.reporting.importers.attach import attach
from bench.reporting.importers.judgments import read_judgments
from bench.reporting.results.files import load_results, path_of, save_result
from tests.reporting.comparison.made import model, result
from tests.reporting.importers.judgment_rows import judged_rows, write_lines

WEIGHTS = "30f562b3fc2ff26e"
SFT = model("demo/sft", stage="sft")
PPO = replace(model("demo/ppo", "demo/sft", stage="ppo"), revision=WEIGHTS)


@pytest.fixture
def folder(tmp_path):
    """A folder of results that holds sft and ppo, its child."""
    for who in (SFT, PPO):
        save_result(tmp_path / "results", result(who, [1.0, 0.0] * 15))
    return tmp_path / "results"


@pytest.fixture
def judged(tmp_path):
    """judged(columns): the results of judgments of ppo against its parent, with these columns."""

    def read(**columns):
        rows = [
            {key: value for key, value in row.items() if key != "stage"}
            | {"model": "ppo", "winner": row["winner"]}
            | columns
            for row in judged_rows(prompts=40)
            if row["model"] == "ppo"
        ]
        return read_judgments(write_lines(tmp_path / "panel.jsonl", rows)).results

    return read


def test_results_of_the_same_weights_take_over_what_is_known_of_them(folder, judged):
    found = attach(judged(revision=WEIGHTS), folder)
    assert (found.results[0].model, found.notes) == (PPO, ())


def test_so_attached_the_judgments_stand_on_the_board_as_a_difference(folder, judged):
    (one,) = attach(judged(revision=WEIGHTS), folder).results
    save_result(folder, one)
    board = make_board(load_results([folder]))
    (change,) = board.changes
    assert board.labels == ("demo/sft", "demo/ppo")
    assert {one.task for one in change.contrasts if one.estimate is not None} == {"topic", "panel"}
    assert board.judged[0].matches[0].reference == "demo/sft"


def test_a_model_of_that_name_at_another_revision_is_told(folder, judged):
    found = attach(judged(), folder)
    assert found.results[0].model.revision == "unstated"
    (note,) = found.notes
    assert note.startswith(f"ppo: found revision 'unstated', {folder} has '{WEIGHTS}'")


def test_a_parent_of_that_name_at_another_revision_is_told(folder, judged):
    found = attach(judged(revision="new", parent="demo/sft"), folder)
    assert any("demo/sft: found parent_revision 'unstated'" in note for note in found.notes)


def test_what_contradicts_what_is_known_is_refused_with_both(folder, judged):
    with pytest.raises(RunError) as error:
        attach(judged(revision=WEIGHTS, stage="dpo"), folder)
    told = str(error.value.cause)
    assert all(part in told for part in ("stage", "'dpo'", "'ppo'", str(folder / path_of_ppo())))


def path_of_ppo():
    return path_of(result(PPO, [1.0]))


def test_a_file_that_is_written_anew_does_not_hold_its_own_model_fast(folder):
    again = result(replace(PPO, stage="dpo"), [1.0, 0.0] * 15)
    assert attach([again], folder).results[0].model.stage == "dpo"


def test_another_owner_with_the_same_last_name_is_another_model(folder, judged):
    (one,) = judged(model="other/ppo", winner="other/ppo", first="", revision=WEIGHTS)
    assert attach([one], folder).results[0].model.name == "other/ppo"


def test_a_damaged_file_does_not_stop_an_import(folder, judged):
    (folder / path_of_ppo()).write_text("{")
    assert attach(judged(revision=WEIGHTS), folder).results[0].model.stage == ""


def test_a_folder_that_is_not_there_yet_knows_nobody(tmp_path, judged):
    assert attach(judged(), tmp_path / "none").notes == ()
