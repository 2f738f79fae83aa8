"""OpenAI's released samples: names, scores and measures, on samples made up here."""

import json
from dataclasses import asdict

import pytest

from bench.errors import RunError
from bench.reporting.importers.instructgpt import read_instructgpt
from bench.reporting.results.audit import audit
from bench.reporting.results.files import save_result
from bench.reporting.results.schema import Link
from tests.reporting.importers.sources import squad_rows, truth_rows, write_csv


@pytest.fixture
def found(tmp_path):
    write_csv(tmp_path / "squadv2.csv", squad_rows())
    write_csv(tmp_path / "truthful_qa.csv", truth_rows())
    return read_instructgpt(tmp_path)


def one(found, model, task, variant):
    """The one Result of a model on a task in a wording."""
    (result,) = [
        result
        for result in found.results
        if (result.model.name, result.task.name, result.task.variant) == (model, task, variant)
    ]
    return result


def test_a_model_has_its_stage_size_and_parent(found):
    models = {result.model.name: result.model for result in found.results}
    assert list(models) == ["gpt-1.3b", "sft-1.3b", "ppo-1.3b", "ppo-ptx-1.3b"]
    assert [model.stage for model in models.values()] == ["base", "sft", "ppo", "ppo_ptx"]
    assert models["gpt-1.3b"].parents == ()
    assert models["ppo-ptx-1.3b"].parents == (Link("policy", "sft-1.3b", "released"),)
    assert (models["ppo-1.3b"].size, models["ppo-1.3b"].parameters) == ("1.3B", 1_300_000_000)


def test_squad_is_scored_on_the_first_line_and_the_best_reference(found):
    base = one(found, "gpt-1.3b", "squadv2", "zeroshot").items
    tuned = one(found, "sft-1.3b", "squadv2", "zeroshot").items
    assert base.scores == {"squad_f1": (1.0, 1.0), "squad_em": (1.0, 1.0)}
    assert tuned.scores == {"squad_f1": (1.0, 0.0), "squad_em": (1.0, 0.0)}


def test_a_reply_that_the_prompt_teaches_for_no_answer_counts_as_declining(found):
    assert one(found, "gpt-1.3b", "squadv2", "fewshot").items.measures["refused"] == (0.0, 1.0)
    assert one(found, "sft-1.3b", "truthful_qa", "qa").items.measures["refused"] == (1.0, 1.0)
    assert one(found, "gpt-1.3b", "truthful_qa", "qa").items.measures["refused"] == (0.0, 0.0)


def test_a_reply_is_true_and_informative_where_both_judges_are_surer_than_half(found):
    assert one(found, "gpt-1.3b", "truthful_qa", "qa").items.scores == {
        "truthful": (1.0, 1.0),
        "truthful_informative": (1.0, 1.0),
    }
    assert one(found, "sft-1.3b", "truthful_qa", "qa").items.scores["truthful_informative"] == (
        0.0,
        0.0,
    )


def test_an_item_is_the_same_for_all_models_and_one_cluster_in_all_wordings(found):
    items = [result.items for result in found.results if result.task.name == "truthful_qa"]
    assert {one.ids for one in items} == {("0", "1")}
    assert len({one.digests for one in items}) == 1
    assert len({one.clusters for one in items}) == 1


def test_wordings_are_told_apart_by_the_digest_of_their_prompts(found):
    variants = [one(found, "gpt-1.3b", "squadv2", name).task for name in ("zeroshot", "fewshot")]
    assert variants[0].digest == variants[1].digest
    assert variants[0].prompts_digest != variants[1].prompts_digest


def test_no_text_of_the_samples_is_in_a_result_and_lost_says_so(found):
    told = json.dumps([asdict(result) for result in found.results])
    assert not [text for text in ("the cat", "Who?", "What if", "no comment.") if text in told]
    assert found.lost == (
        "squadv2.csv: context, ref_text, sample (texts without a licence)",
        "truthful_qa.csv: adversarial (whether the question was written against GPT-3)",
        "truthful_qa.csv: question, answer (texts without a licence)",
        "truthful_qa.csv: true, info (the judges' probabilities; kept is whether they exceed 0.5)",
    )


def test_toxicity_is_better_when_lower_and_summaries_are_scored_against_the_reference(tmp_path):
    plain = {"model_type": "gpt-6b", "context": "Once", "sample": "the cat sat"}
    toxic = {**plain, "prompt_type": "biased prompt", "toxicity": "0.25"}
    path = write_csv(tmp_path / "real_toxicity.csv", [toxic])
    (result,) = read_instructgpt(path).results
    assert (result.task.variant, result.items.scores) == ("biased", {"toxicity": (0.25,)})
    assert result.task.metrics[0].lower_is_better
    path = write_csv(tmp_path / "tldr.csv", [{**plain, "ref_text": "the cat sat down"}])
    (result,) = read_instructgpt(path).results
    assert result.items.scores["rouge_1"] == (pytest.approx(6 / 7),)
    assert result.items.scores["rouge_2"] == (pytest.approx(4 / 5),)


def test_the_board_has_nothing_to_complain_about(tmp_path, found):
    for result in found.results:
        save_result(tmp_path / "results", result)
    assert [one for one in audit([tmp_path / "results"]) if one.severity == "error"] == []


def test_models_that_were_asked_other_items_are_refused(tmp_path):
    rows = squad_rows()
    rows[-1] = {**rows[-1], "context": "Q: another\n\nA:"}
    path = write_csv(tmp_path / "squadv2.csv", rows)
    with pytest.raises(RunError, match=r"ppo-ptx-xl fewshot: item 1 is not the one that gpt-xl"):
        read_instructgpt(path)
