"""The card of a model on the Hub: read back by the Hub's own client, and nobody's words lost."""

from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from bench.errors import RunError, UsageError
from bench.reporting.hub.card_score import CardScore, scores_of, told
from bench.reporting.hub.model_index import into_card, model_index
from bench.reporting.results.schema import Metric
from bench.statistics.intervals import wilson
from tests.reporting.results.values import BASE_MODEL, SFT_MODEL, result

SCORE = CardScore("topic", "accuracy", 0.49, 0.394, 0.587, 100)
THEIRS = """---
license: apache-2.0
base_model: org/theirs
model-index:
- name: small
  results:
  - task:
      type: text-generation
    dataset:
      name: MMLU
      type: cais/mmlu
    metrics:
    - type: accuracy
      value: 0.3
---
# My model

Nobody else wrote this.
"""


def results(*tasks):
    """Results of the child on `tasks`."""
    return [result(SFT_MODEL, task) for task in tasks]


def test_the_block_is_what_the_specification_says():
    data = model_index(results("topic"), [SCORE], "org/small")
    block = yaml.safe_load(data.to_yaml())
    assert block["base_model"] == "org/small"
    assert block["base_model_relation"] == "finetune"
    assert block["tags"] == ["instruct-bench", "sft"]
    (index,) = block["model-index"]
    (entry,) = index["results"]
    assert index["name"] == "demo/sft"
    assert entry["task"] == {"type": "text-classification", "name": "topic"}
    assert entry["dataset"]["type"] == "instruct-bench"
    assert entry["dataset"]["config"] == "topic"
    assert entry["dataset"]["args"] == {"version": 1, "digest": "rows-of-topic"}
    assert entry["metrics"] == [
        {
            "type": "accuracy",
            "value": 0.49,
            "name": "accuracy (n=100, 95% CI 0.394 to 0.587, 0-shot)",
            "args": {"n": 100, "lo": 0.394, "hi": 0.587, "level": 0.95},
        }
    ]


def test_the_block_survives_the_way_through_the_client():
    held = results("topic", "facts")
    data = model_index(held, scores_of(held), "org/small")
    again = ModelCardData(**yaml.safe_load(data.to_yaml()))
    assert again.eval_results == data.eval_results
    assert again.to_dict() == data.to_dict()
    assert len(again.eval_results) == 2


def test_without_a_base_model_on_the_hub_none_is_named():
    block = yaml.safe_load(model_index(results("topic"), [SCORE]).to_yaml())
    assert not {"base_model", "base_model_relation"} & block.keys()


@pytest.mark.parametrize("held", [[], [result(), result(SFT_MODEL)]])
def test_a_card_takes_one_model(held):
    with pytest.raises(UsageError, match=f"found {len(held)}"):
        model_index(held, [])


def test_a_base_model_that_is_no_id_is_an_error():
    with pytest.raises(UsageError, match="ORG/MODEL"):
        model_index(results("topic"), [SCORE], "./checkpoints/base")


def test_a_score_without_its_result_is_an_error():
    with pytest.raises(ValueError, match="no result of facts"):
        model_index(results("topic"), [replace(SCORE, task="facts")])


def test_rows_that_were_left_out_are_told():
    partial = replace(result(SFT_MODEL), settings={"shots": 5, "limit": 20})
    (entry,) = model_index([partial], [SCORE]).eval_results
    assert entry.metric_name.endswith("5-shot, first 20 rows only)")


def test_a_card_keeps_what_its_owner_wrote():
    data = model_index(results("topic"), [SCORE], "org/small")
    card = ModelCard(into_card(THEIRS, data))
    assert card.text == ModelCard(THEIRS).text
    assert (card.data.license, card.data.base_model) == ("apache-2.0", "org/theirs")
    assert card.data.model_name == "small"
    assert [entry.dataset_type for entry in card.data.eval_results] == [
        "cais/mmlu",
        "instruct-bench",
    ]


def test_earlier_scores_of_this_suite_are_replaced():
    first = into_card(THEIRS, model_index(results("topic"), [SCORE]))
    again = into_card(first, model_index(results("topic"), [replace(SCORE, estimate=0.6)]))
    values = [entry.metric_value for entry in ModelCard(again).data.eval_results]
    assert values == [0.3, 0.6]


def test_the_same_scores_again_give_the_same_card():
    data = model_index(results("topic"), [SCORE], "org/small")
    once = into_card(THEIRS, data)
    assert into_card(once, data) == once


@pytest.mark.parametrize("empty", ["", "\n"])
def test_a_model_without_a_card_gets_one(empty):
    card = ModelCard(into_card(empty, model_index(results("topic"), [SCORE], "org/small")))
    assert card.data.base_model == "org/small"
    assert card.text.startswith("# demo/sft")


@pytest.mark.parametrize(
    "broken", ["---\nmodel-index: 7\n---\n", "---\n[1]\n---\n", "---\na: [\n---\n"]
)
def test_a_card_that_cannot_be_read_is_an_error(broken):
    with pytest.raises(RunError, match=r"README\.md: its metadata cannot be read"):
        into_card(broken, model_index(results("topic"), [SCORE]))


def test_the_usual_scores_are_means_with_their_intervals():
    one = result(BASE_MODEL)
    right = int(sum(one.items.scores["accuracy"]))
    expected = wilson(right, 20)
    assert scores_of([one]) == [
        CardScore("topic", "accuracy", right / 20, expected.lo, expected.hi, 20)
    ]


def test_failed_items_and_other_wordings_are_no_part_of_the_usual_scores():
    one = result()
    items = replace(
        one.items, failures=("x",) + ("",) * 19, scores={"accuracy": (None,) + (1.0,) * 19}
    )
    variant = replace(one, task=replace(one.task, variant="question"))
    nothing = replace(items, scores={"accuracy": (None,) * 20})
    (score,) = scores_of([replace(one, items=items), variant, replace(one, items=nothing)])
    assert (score.estimate, score.n) == (1.0, 19)


def test_bounds_are_in_the_unit_of_the_metric():
    one = result()
    percent = Metric("accuracy", high=100.0)
    items = replace(one.items, scores={"accuracy": (0.0, 100.0) * 10})
    (score,) = scores_of([replace(one, task=replace(one.task, metrics=(percent,)), items=items)])
    assert score.estimate == 50.0
    assert (score.lo, score.hi) == pytest.approx((29.93, 70.07), abs=0.01)  # Wilson, 10 of 20


def test_a_number_without_an_interval_has_only_its_count():
    assert told(CardScore("topic", "accuracy", 1.0, None, None, 1)) == "n=1"
