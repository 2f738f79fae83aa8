"""lm-eval's files: tasks, filters, measures, what is lost; and its recorded run on real tasks."""

import hashlib
import json
import math

import pytest

from bench.errors import RunError
from bench.reporting.importers.lm_eval import read_lm_eval
from bench.reporting.results.files import save_result
from tests.reporting.importers.lm_eval_files import (
    CHOOSE,
    STAMP,
    WRITE,
    lm_eval_results,
    lm_eval_samples,
    lm_eval_tasks,
    write_lm_eval,
)
from tests.reporting.importers.released import shared
from tests.reporting.importers.sources import write_json, write_lines
from tests.reporting.results.values import faults


@pytest.fixture
def found(tmp_path):
    return read_lm_eval(
        write_lm_eval(tmp_path, lm_eval_results(lm_eval_tasks()), lm_eval_samples())
    )


def by_task(found):
    return {(result.task.name, result.task.variant): result for result in found.results}


def test_a_task_with_several_filters_gives_a_result_for_each(found):
    assert list(by_task(found)) == [
        (CHOOSE, ""),
        (WRITE, "strict-match"),
        (WRITE, "flexible-extract"),
    ]


def test_a_metric_over_all_documents_is_an_aggregate_and_no_score(found):
    result = by_task(found)[CHOOSE, ""]
    assert result.items.scores == {"acc": (1.0, 0.0)}
    assert result.aggregates == {"mcc": 0.25}


def test_items_are_known_by_the_hash_of_the_document_not_by_its_place(found):
    items = by_task(found)[CHOOSE, ""].items
    assert items.ids == items.clusters == ("d0" + 14 * "0", "d1" + 14 * "0")
    assert items.digests == tuple(f"d{place}{14 * '0'}e{place}{14 * '0'}" for place in (0, 1))


def test_a_choice_has_its_probability_and_its_chance(found):
    result = by_task(found)[CHOOSE, ""]
    sure = 1 / (1 + math.exp(-1.0))
    assert result.items.measures["probability"] == pytest.approx((sure, sure))
    assert result.items.measures["correct"] == (1.0, 0.0)
    assert result.task.metrics[0].chance == 0.5


@pytest.mark.parametrize(
    ("values", "sure"), [(("-inf", "-2.0"), 1.0), (("nan", "-2.0"), None), (("-inf", "-inf"), None)]
)
def test_a_choice_is_as_sure_as_its_log_likelihoods_can_say(tmp_path, values, sure):
    samples = lm_eval_samples()
    samples[CHOOSE][0]["filtered_resps"] = [[value, "False"] for value in values]
    found = read_lm_eval(write_lm_eval(tmp_path, lm_eval_results(lm_eval_tasks()), samples))
    assert by_task(found)[CHOOSE, ""].items.measures["probability"][0] == sure


def test_a_text_has_its_length_whether_it_declines_and_whether_the_filter_found_anything(found):
    strict = by_task(found)[WRITE, "strict-match"].items.measures
    assert strict["parsed"] == (0.0, 0.0)
    assert strict["characters"] == (7.0, 27.0)
    assert strict["refused"] == (0.0, 1.0)
    assert by_task(found)[WRITE, "flexible-extract"].items.measures["parsed"] == (1.0, 1.0)


def test_model_settings_and_provenance_come_from_the_results(found):
    result = by_task(found)[WRITE, "strict-match"]
    assert (result.model.name, result.model.revision) == ("org/one", "82047f5e")
    assert result.model.parameters == 93069280
    assert result.settings == {
        "shots": 5,
        "seed": 1234,
        "chat": False,
        "system": "",
        "limit": 2,
        "dtype": "bfloat16",
        "backend": "hf",
        "temperature": 0.0,
        "max_tokens": 16,
        "stops": ["\n\n"],
    }
    assert result.provenance.tool == "lm-evaluation-harness 0.4.13"
    assert result.provenance.started == "2026-01-21T02:59:43+00:00"
    assert result.asked == 2


def test_everything_that_a_result_cannot_hold_is_named(found):
    assert set(found.lost) == {
        "results: config.model_args",
        "results: group sums (a mean over tasks)",
        "results: pretty_env_info",
        "results: standard errors (worked out anew from the items)",
        "samples: arguments",
        "samples: doc",
        "samples: doc_id",
        "samples: resps",
        "samples: sums_perplexity (bits_per_byte: no scores of single items)",
        "samples: target",
    }


def test_the_board_has_nothing_to_complain_about_but_the_limit(tmp_path, found):
    for result in found.results:
        save_result(tmp_path / "results", result)
    assert {one.rule for one in faults(tmp_path / "results")} == {"limited"}


def test_of_two_runs_of_a_task_the_later_is_taken_and_the_other_named(tmp_path):
    write_lm_eval(tmp_path, lm_eval_results(lm_eval_tasks()), lm_eval_samples())
    tasks, samples = lm_eval_tasks(), lm_eval_samples()
    tasks[CHOOSE]["results"]["acc,none"] = 1.0
    samples[CHOOSE][1]["acc"] = 1.0
    later = STAMP.replace("01-21", "01-22")
    write_json(tmp_path / f"results_{later}.json", lm_eval_results({CHOOSE: tasks[CHOOSE]}))
    write_lines(tmp_path / f"samples_{CHOOSE}_{later}.jsonl", samples[CHOOSE])
    found = read_lm_eval(tmp_path)
    assert by_task(found)[CHOOSE, ""].items.scores["acc"] == (1.0, 1.0)
    place = f"org-one~800a87da/82047f5e/{CHOOSE}~5-shot.json"
    assert f"{place}: an earlier run of 2026-01-21T02:59:43+00:00" in found.lost


def test_a_task_whose_samples_are_missing_or_empty_is_named_and_the_others_read(tmp_path):
    samples = lm_eval_samples() | {WRITE: []}
    del samples["sums_perplexity"]
    found = read_lm_eval(write_lm_eval(tmp_path, lm_eval_results(lm_eval_tasks()), samples))
    assert list(by_task(found)) == [(CHOOSE, "")]
    assert f"results: {WRITE} (samples_{WRITE}_{STAMP}.jsonl holds no lines)" in found.lost
    file = f"samples_sums_perplexity_{STAMP}.jsonl"
    assert f"results: sums_perplexity (no {file}: scores without items)" in found.lost


def test_samples_whose_mean_is_not_the_stated_one_are_refused(tmp_path):
    samples = lm_eval_samples()
    samples[CHOOSE][1]["acc"] = 1.0
    folder = write_lm_eval(tmp_path, lm_eval_results(lm_eval_tasks()), samples)
    with pytest.raises(RunError, match=r"the mean of acc is 1\.000000, the results state 0\.5"):
        read_lm_eval(folder)


@pytest.mark.parametrize(
    ("file", "acc", "acc_norm"),
    [("arc0", 0.49, 0.43), ("arc3", 0.55, 0.61667), ("piqa0", 0.65, 0.69), ("mmlu5", 0.425, None)],
)
def test_the_recorded_run_has_the_accuracies_that_lm_eval_printed(tmp_path, file, acc, acc_norm):
    samples = recorded(file)
    metrics = {name: sum(one[name] for one in samples) / len(samples) for name in METRICS[file]}
    task = {
        "config": {
            "output_type": "multiple_choice",
            "metric_list": [{"metric": name} for name in metrics],
        },
        "results": {f"{name},none": value for name, value in metrics.items()},
        "higher": dict.fromkeys(metrics, True),
    }
    results = lm_eval_results({file: task})
    results["n-samples"][file] = {"original": len(samples), "effective": len(samples)}
    (result,) = read_lm_eval(write_lm_eval(tmp_path, results, {file: samples})).results
    means = {name: sum(column) / len(samples) for name, column in result.items.scores.items()}
    assert means["acc"] == pytest.approx(acc, abs=5e-5)
    assert means.get("acc_norm") == (acc_norm and pytest.approx(acc_norm, abs=5e-5))
    assert result.items.measures["correct"] == result.items.scores["acc"]
    assert len(set(result.items.digests)) == result.asked == len(samples)


METRICS = dict.fromkeys(("arc0", "arc3", "piqa0"), ("acc", "acc_norm")) | {"mmlu5": ("acc",)}


def recorded(file):
    """The recorded lines under the names that samples_*.jsonl has, with its hashes."""
    text = (shared("reference") / "lm-eval-run" / f"{file}.jsonl").read_text()
    return [
        {
            **{key: one[key] for key in ("doc_id", "filter", "resps", "target", *METRICS[file])},
            "filtered_resps": one["filtered"],
            "metrics": list(METRICS[file]),
            "doc_hash": hashed([one["prompt"], one["continuations"]]),
            "prompt_hash": hashed(one["prompt"]),
            "target_hash": hashed(one["target"]),
        }
        for one in map(json.loads, text.splitlines())
    ]


def hashed(value):
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
