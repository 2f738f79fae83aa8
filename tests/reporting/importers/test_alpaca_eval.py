"""AlpacaEval's annotations: wins, draws, judges, references."""

from random import Random

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.importers.alpaca_eval import UNJUDGED, read_alpaca_eval
from bench.reporting.importers.table import import_results
from bench.reporting.results.files import save_result
from tests.reporting.importers.sources import annotations, write_json
from tests.reporting.results.values import faults


@pytest.fixture
def found(tmp_path):
    return read_alpaca_eval(write_json(tmp_path / "annotations.json", annotations()))


def test_a_preference_of_one_to_two_is_a_win_of_zero_to_one_and_a_draw_counts_half(found):
    (result,) = found.results
    assert result.items.scores == {"win_rate": (1.0, 0.0, 0.25, 0.5, None)}
    assert result.items.failures == ("", "", "", "", UNJUDGED)
    assert result.task.metrics[0].chance == 0.5


def test_the_result_is_the_models_and_names_judge_and_reference(found):
    (result,) = found.results
    assert (result.model.name, result.provenance.scorer) == ("alpaca-7b", "alpaca_eval_gpt4")
    assert result.task.variant == "alpaca_eval_gpt4 against text_davinci_003"


def test_measures_are_those_of_the_models_reply(found):
    assert found.results[0].items.measures == {
        "refused": (1.0, 0.0, 0.0, 0.0, 0.0),
        "characters": (38.0, 2.0, 2.0, 2.0, 2.0),
        "reference_characters": tuple(float(len(one["output_1"])) for one in annotations()),
    }


def test_wins_over_the_reference_are_shown_at_equal_length_too(tmp_path):
    """Longer replies win here, and nothing else: at equal length a coin is as good."""
    random, rows = Random(4), []
    for number in range(200):
        longer = random.randint(-60, 140)
        won = random.random() < (0.9 if longer > 40 else 0.5 if longer > -40 else 0.1)
        texts = {"output_1": "a" * 100, "output_2": "b" * (100 + longer)}
        asked = {"instruction": f"question {number}", "preference": 2.0 if won else 1.0}
        rows.append({**annotations()[0], **texts, **asked})
    read = read_alpaca_eval(write_json(tmp_path / "annotations.json", rows))
    scores = {score.metric.name: score for score in make_board(read.results).scores}
    raw, controlled = scores["win_rate"], scores["win_rate_at_equal_length"]
    assert raw.lo > 0.5
    assert controlled.lo < 0.5 < controlled.hi
    assert (controlled.n, controlled.method) == (200, "logit_t")


def test_equal_length_that_does_not_happen_gives_no_number(found):
    scores = {score.metric.name: score for score in make_board(found.results).scores}
    controlled = scores["win_rate_at_equal_length"]
    assert (controlled.estimate, controlled.method) == (None, "not_identified")


def test_another_reference_is_another_task(tmp_path, found):
    others = [{**one, "output_1": "better"} for one in annotations()]
    other = read_alpaca_eval(write_json(tmp_path / "other.json", others))
    assert other.results[0].items.digests == found.results[0].items.digests
    assert other.results[0].task.digest != found.results[0].task.digest


def test_each_model_and_judge_of_a_folder_gives_a_result(tmp_path):
    for judge in ("claude", "gpt4"):
        for model in ("alpaca-7b", "other"):
            rows = [{**one, "annotator": judge, "generator_2": model} for one in annotations()]
            write_json(tmp_path / model / judge / "annotations.json", rows)
    assert len(read_alpaca_eval(tmp_path).results) == 4


def test_the_same_instruction_twice_is_two_items_in_one_cluster(tmp_path):
    rows = [{**annotations()[0], "preference": value} for value in (1, 2)]
    items = read_alpaca_eval(write_json(tmp_path / "annotations.json", rows)).results[0].items
    assert (len(set(items.ids)), len(set(items.clusters))) == (2, 1)


def test_everything_that_a_result_cannot_hold_is_named(found):
    assert set(found.lost) == {
        "dataset",
        "output_1 (the reference's reply; its length is kept)",
        "output_2 (the model's reply; its length is kept)",
        "price_per_example",
    }


def test_with_a_time_given_the_board_has_nothing_to_complain_about(tmp_path):
    path = write_json(tmp_path / "annotations.json", annotations())
    for result in import_results("alpaca_eval", path, started="2023-06-01").results:
        save_result(tmp_path / "results", result)
    assert faults(tmp_path / "results") == []
