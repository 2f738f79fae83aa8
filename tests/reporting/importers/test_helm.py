"""HELM's run folders: splits, perturbations, trials."""

import pytest

from bench.reporting.importers.helm import read_helm
from bench.reporting.results.files import save_result
from tests.reporting.importers.helm_files import HELM_RUN, helm_run, write_helm
from tests.reporting.results.values import faults

TASK = "mmlu:subject=philosophy,method=multiple_choice_joint"


@pytest.fixture
def found(tmp_path):
    return read_helm(write_helm(tmp_path / "runs" / "v1" / HELM_RUN, helm_run()).parent)


def by_variant(found):
    return {result.task.variant: result for result in found.results}


def test_splits_and_perturbations_are_variants_of_the_task(found):
    assert {result.task.name for result in found.results} == {TASK}
    assert list(by_variant(found)) == ["", "typos", "valid"]


def test_with_one_split_alone_the_task_has_no_variant(tmp_path):
    files = helm_run()
    files["per_instance_stats.json"] = files["per_instance_stats.json"][3:]
    (result,) = read_helm(write_helm(tmp_path, files)).results
    assert (result.task.variant, result.items.ids) == ("", ("id2",))


def test_trials_are_samples_and_all_forms_of_an_instance_one_cluster(found):
    plain, typos = by_variant(found)[""].items, by_variant(found)["typos"].items
    assert (plain.ids, plain.samples) == (("id1", "id1"), (0, 1))
    assert set(plain.clusters) == set(typos.clusters) == {"id1"}
    assert plain.digests[0] == plain.digests[1] != typos.digests[0]


def test_the_metrics_of_the_run_come_first_then_those_known_to_be_shares(found):
    result = by_variant(found)[""]
    assert [metric.name for metric in result.task.metrics] == ["quasi_exact_match", "exact_match"]
    assert result.items.scores["exact_match"] == (1.0, 0.0)


def test_bookkeeping_becomes_measures(found):
    assert by_variant(found)["valid"].items.measures == {
        "refused": (0.0,),
        "cut_off": (0.0,),
        "characters": (2.0,),
        "tokens": (1.0,),
    }


def test_model_settings_and_time_come_from_run_spec_and_state(found):
    result = by_variant(found)[""]
    assert result.model.name == "org/one"
    assert result.settings["shots"] == 5
    assert result.provenance.started == "2025-11-05T15:02:02+00:00"


def test_without_its_state_an_item_is_known_by_scenario_and_number(tmp_path):
    files = helm_run()
    del files["scenario_state.json"]
    one = read_helm(write_helm(tmp_path / "one", files)).results[0]
    assert one.items.digests[0] == one.items.digests[1]
    assert one.provenance.started == ""
    files["run_spec.json"]["scenario_spec"]["args"]["subject"] = "law"
    other = read_helm(write_helm(tmp_path / "other", files)).results[0]
    assert one.items.digests != other.items.digests


def test_an_instance_without_a_number_of_a_metric_has_failed(tmp_path):
    files = helm_run()
    files["per_instance_stats.json"][1]["stats"].pop()
    result = by_variant(read_helm(write_helm(tmp_path, files)))[""]
    assert result.items.failures == ("", "no score of quasi_exact_match")
    assert result.items.scores["exact_match"] == (1.0, None)


def test_everything_that_a_result_cannot_hold_is_named(found):
    assert set(found.lost) == {
        "per_instance_stats.json: num_references",
        "run_spec.json: adapter_spec.input_prefix",
        "run_spec.json: groups",
        "run_spec.json: metric_specs.class_name",
        "scenario_state.json: prompts, replies and their tokens",
        "stats.json: all",
    }


def test_the_board_has_nothing_to_complain_about(tmp_path, found):
    for result in found.results:
        save_result(tmp_path / "results", result)
    assert faults(tmp_path / "results") == []
