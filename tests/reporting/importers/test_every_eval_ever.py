"""every_eval_ever records: out and back, their own validator, and records of other tools."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import RunError
from bench.reporting.importers.every_eval_ever import read_every_eval_ever
from bench.reporting.importers.every_eval_ever_export import exported, save_every_eval_ever
from bench.reporting.results.schema import Items, ModelEntry, Provenance
from bench.statistics.intervals import mean_interval
from tests.reporting.importers.every_eval_ever_files import (
    PUBLISHER,
    WHOLE,
    foreign,
    foreign_samples,
    write_foreign,
)
from tests.reporting.importers.sources import write_lines


def without_failed(result):
    """What is left of WHOLE where an item needs a score: all but its last item."""
    items = result.items
    cut = {name: column[:3] for name, column in items.scores.items()}
    return replace(
        result,
        items=Items(
            items.ids[:3],
            items.digests[:3],
            items.clusters[:3],
            items.samples[:3],
            items.failures[:3],
            cut,
            {name: column[:3] for name, column in items.measures.items()},
        ),
    )


def test_what_goes_out_comes_back_but_for_items_without_a_score(tmp_path):
    written = save_every_eval_ever(tmp_path, WHOLE, PUBLISHER)
    assert set(written.lost) == {"items.failures: 1 item (a sample needs a score)"}
    back = read_every_eval_ever(tmp_path)
    assert back.results == (without_failed(WHOLE),)
    assert set(back.lost) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"task": replace(WHOLE.task, source="org/data", variant="")},
        {"task": replace(WHOLE.task, source="a file of ours", title="", kind="", language="")},
        {"model": ModelEntry(name="org/model", revision="r")},
        {"settings": {}, "aggregates": {}},
        {"provenance": Provenance("OpenAI's released samples", "s", "c", "2022-01-27")},
    ],
)
def test_a_result_that_says_less_comes_back_as_well(tmp_path, change):
    result = without_failed(replace(WHOLE, **change))
    assert save_every_eval_ever(tmp_path, result, PUBLISHER).lost == ()
    assert read_every_eval_ever(tmp_path).results == (result,)


def test_the_same_result_gives_the_same_files(tmp_path):
    first, second = (save_every_eval_ever(tmp_path / name, WHOLE, PUBLISHER) for name in "ab")
    assert first == second


def test_a_score_is_the_mean_with_the_clustered_error_that_the_board_shows():
    told = exported(WHOLE, PUBLISHER).aggregate["evaluation_results"][0]["score_details"]
    ours = mean_interval([1.0, 0.1 + 0.2, 0.0], ["1", "1", "1"], bounds=(0.0, 1.0))
    assert told["score"] == ours.estimate
    assert told["uncertainty"] == {"num_samples": 3}  # one cluster gives no error
    apart = replace(WHOLE.items, clusters=("1", "2", "2", "3"))
    told = exported(replace(WHOLE, items=apart), PUBLISHER).aggregate["evaluation_results"][0]
    ours = mean_interval([1.0, 0.1 + 0.2, 0.0], ["1", "2", "2"], bounds=(0.0, 1.0))
    assert told["score_details"]["uncertainty"]["standard_error"] == {
        "value": ours.se,
        "method": "analytic, clustered (CR1)",
    }


def test_yes_or_no_of_a_graded_score_is_its_better_half():
    lines = exported(WHOLE, PUBLISHER).samples
    told = [(line["evaluation"]["score"], line["evaluation"]["is_correct"]) for line in lines]
    assert told == [
        (1.0, True),
        (-0.5, True),
        (0.1 + 0.2, False),
        (4.75, False),
        (0.0, False),
        (1 / 3, True),
    ]


def test_a_metric_without_any_score_cannot_go_out():
    items = replace(WHOLE.items, scores={**WHOLE.items.scores, "loss": (None,) * 4})
    with pytest.raises(RunError, match="no item has a score of loss"):
        exported(replace(WHOLE, items=items), PUBLISHER)


def test_its_own_validator_has_nothing_to_complain_about(tmp_path, monkeypatch):
    validate = pytest.importorskip("every_eval_ever.validator.validate")
    for result in (WHOLE, replace(WHOLE, model=replace(WHOLE.model, name="org/model"))):
        save_every_eval_ever(tmp_path, result, PUBLISHER)
    monkeypatch.chdir(tmp_path)
    files = sorted(file.relative_to(tmp_path) for file in Path(tmp_path).rglob("*.json*"))
    assert len(files) == 4
    assert validate.main([str(file) for file in files]) == 0


def test_every_required_key_is_there():
    found = exported(WHOLE, PUBLISHER)
    assert found.aggregate.keys() >= REQUIRED
    assert {"source_type", "source_organization_name", "evaluator_relationship"} <= (
        found.aggregate["source_metadata"].keys()
    )
    assert all(line.keys() >= REQUIRED_OF_A_SAMPLE for line in found.samples)
    assert all(isinstance(value, str) for value in found.samples[0]["metadata"].values())


REQUIRED = {
    "schema_version",
    "evaluation_id",
    "retrieved_timestamp",
    "source_metadata",
    "eval_library",
    "model_info",
    "evaluation_results",
}
REQUIRED_OF_A_SAMPLE = {
    "schema_version",
    "evaluation_id",
    "model_id",
    "evaluation_name",
    "sample_id",
    "interaction_type",
    "input",
    "output",
    "answer_attribution",
    "evaluation",
}


def test_a_record_of_another_tool_becomes_a_result(tmp_path):
    found = read_every_eval_ever(write_foreign(tmp_path, foreign(), foreign_samples()))
    (result,) = found.results
    assert (result.model.name, result.task.name) == ("org/one", "gsm8k")
    assert (result.items.ids, result.items.samples) == (("q7", "q7"), (0, 1))
    assert result.items.scores == {"accuracy": (1.0, 0.0)}
    assert result.items.measures["tokens"] == (5.0, 5.0)
    assert result.settings == {"temperature": 0.0}
    assert result.task.source == "openai/gsm8k"
    assert result.provenance.tool == "lm-evaluation-harness 0.4.13"
    assert result.provenance.started == "2026-01-21T02:59:43+00:00"
    assert set(found.lost) == {
        "evaluation_results.source_data.hf_split",
        "samples: input",
        "samples: output",
        "samples: token_usage.input_tokens",
        "samples: token_usage.total_tokens",
        "source_metadata.source_name",
    }


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (foreign(score=73.4, high=100.0), "the score is 73.4, the mean of its samples 0.5"),
        (foreign(low="-Infinity", high="Infinity"), "bounds unknown"),
        (foreign(low=None, high=None), "bounds unknown"),
    ],
)
def test_a_score_that_no_result_can_hold_is_named(tmp_path, log, reason):
    path = write_foreign(tmp_path, log, foreign_samples())
    with pytest.raises(RunError, match=reason):
        read_every_eval_ever(path)


def test_scores_without_samples_are_named_and_the_others_read(tmp_path):
    log = foreign()
    other = {**log["evaluation_results"][0], "evaluation_name": "arc"}
    log["evaluation_results"].append(other)
    found = read_every_eval_ever(write_foreign(tmp_path, log, foreign_samples()))
    assert [result.task.name for result in found.results] == ["gsm8k"]
    assert "evaluation_results: arc accuracy (a score without samples)" in found.lost


def test_samples_that_were_changed_are_found_out(tmp_path):
    written = save_every_eval_ever(tmp_path, WHOLE, PUBLISHER)
    path = tmp_path / written.folder / f"{written.name}_samples.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[0]["evaluation"]["score"] = 0.0
    write_lines(path, lines)
    with pytest.raises(RunError, match=r"_samples\.jsonl: sha256 is [0-9a-f]+, .* states"):
        read_every_eval_ever(tmp_path)
