"""Judgments by people or models: who won, who judged, who came first, how long replies are."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.reporting.importers.judgment_checks import KNOWN
from bench.reporting.importers.judgments import OPEN, read_judgments
from bench.reporting.importers.table import guess_importer, import_results
from bench.reporting.results.audit import audit
from bench.reporting.results.files import load_results, save_result
from bench.reporting.results.schema import Link
from tests.reporting.importers.judgment_rows import judged_rows, write_lines
from tests.reporting.results.values import faults

PAIR = {"model": "ppo", "reference": "sft"}
ROWS = [
    {"prompt": "Hi", **PAIR, "winner": "ppo", "judge": "ann", "first": "sft"},
    {"prompt": "Hi", **PAIR, "winner": "tie", "judge": "bob", "first": "ppo"},
    {"prompt": "Bye", **PAIR, "winner": "sft", "judge": "ann", "first": ""},
    {"prompt": "Bye", **PAIR, "winner": "", "judge": "bob", "first": ""},
]


@pytest.fixture
def result(tmp_path):
    (found,) = read_judgments(write_lines(tmp_path / "panel.jsonl", ROWS)).results
    return found


def test_a_win_is_one_a_tie_half_a_loss_nothing_and_no_decision_no_score(result):
    assert result.items.scores == {"win_rate": (1.0, 0.5, 0.0, None)}
    assert result.items.failures == ("", "", "", OPEN)


def test_who_judged_and_who_came_first_stand_beside_each_score(result):
    assert result.settings == {"judges": ["ann", "bob"], "reference": "sft"}
    assert result.items.measures == {
        "came_first": (0.0, 1.0, None, None),
        "judged_by": (0.0, 1.0, 0.0, 1.0),
    }


def test_judgments_of_one_prompt_are_one_cluster(result):
    assert len(set(result.items.clusters)) == 2


def test_a_task_takes_the_name_of_its_file_unless_a_column_says_another(tmp_path, result):
    named = [{**row, "task": "helpfulness"} for row in ROWS]
    (other,) = read_judgments(write_lines(tmp_path / "b.jsonl", named)).results
    assert (result.task.name, other.task.name) == ("panel", "helpfulness")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # the second as spreadsheets save it
def test_csv_says_the_same_as_json_lines(tmp_path, result, encoding):
    path = tmp_path / "panel.csv"
    with path.open("w", newline="", encoding=encoding) as opened:
        writer = csv.DictWriter(opened, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)
    (found,) = read_judgments(path).results
    assert (found.items, found.settings) == (result.items, result.settings)


def test_texts_are_measured_and_told_not_to_be_kept(tmp_path):
    rows = [{**row, "model_reply": "Hello you", "reference_reply": "Hi"} for row in ROWS]
    found = read_judgments(write_lines(tmp_path / "a.jsonl", rows))
    measures = found.results[0].items.measures
    assert (measures["characters"][0], measures["reference_characters"][0]) == (9.0, 2.0)
    assert found.lost == ("model_reply", "prompt", "reference_reply")


def test_a_preference_may_be_a_probability(tmp_path):
    rows = [{**ROWS[0], "preference": 0.8}]
    del rows[0]["winner"]
    (found,) = read_judgments(write_lines(tmp_path / "a.jsonl", rows)).results
    assert found.items.scores == {"win_rate": (0.8,)}


def test_a_model_may_descend_from_another_revision_of_itself(tmp_path):
    rows = [{**ROWS[0], "revision": "b", "parent": "ppo", "parent_revision": "a"}]
    (found,) = read_judgments(write_lines(tmp_path / "a.jsonl", rows)).results
    assert found.model.parents == (Link("policy", "ppo", "a"),)


def test_each_model_and_reference_gives_a_result_with_its_lineage(tmp_path):
    rows = [{**row, "stage": row["model"], "parent": "sft"} for row in judged_rows(prompts=3)]
    found = read_judgments(write_lines(tmp_path / "a.jsonl", rows)).results
    assert [(one.model.name, one.model.stage) for one in found] == [
        ("base", "base"),
        ("ppo", "ppo"),
    ]
    assert found[1].model.parents[0].name == "sft"


def test_results_are_read_again_as_they_were_written_and_pass_the_audit(tmp_path):
    path = write_lines(tmp_path / "panel.jsonl", judged_rows(prompts=20, judges=("ann", "bob")))
    found = import_results("judgments", path, started="2026-01-01").results
    for one in found:
        save_result(tmp_path / "results", one)
    assert faults(tmp_path / "results") == []
    assert {one.model.name: one for one in load_results([tmp_path / "results"])} == {
        one.model.name: one for one in found
    }


def test_a_judge_that_the_settings_do_not_name_is_found_by_the_audit(tmp_path, result):
    wrong = replace(
        result.items, measures={**result.items.measures, "judged_by": (0.0, 7.0, 0.0, 1.0)}
    )
    save_result(tmp_path, replace(result, items=wrong))
    assert "judges" in {one.rule for one in audit([tmp_path])}


def test_the_importer_is_guessed_by_its_columns(tmp_path):
    assert guess_importer(write_lines(tmp_path / "panel.jsonl", ROWS)) == "judgments"


def test_every_column_is_documented_and_no_other():
    text = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text("utf-8")
    section = text[text.index("## Judgments") : text.index("## Change the package")]
    told = {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert told == KNOWN
