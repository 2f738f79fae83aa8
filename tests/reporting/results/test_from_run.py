"""Runs as results: every record is an item, measures are known where they mean something."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from bench.reporting.results.diversity import diversity
from bench.reporting.results.from_run import results_of
from bench.types import Reply
from tests.reporting.values import descended, records, run, task


def generated(text: str, record, finish="stop", prediction="x"):
    reply = Reply(text=text, tokens_out=len(text.split()), finish=finish)
    return replace(record, reply=reply, prediction=prediction)


def test_every_record_is_an_item_and_a_failed_one_has_no_score():
    (found,) = results_of(run(task("facts", rows=3)), records("facts", 1.0, None, 0.0))
    assert found.items.scores == {"accuracy": (1.0, None, 0.0)}
    assert found.items.failures == ("", "broken", "")
    assert found.asked == 3


def test_an_item_without_a_cluster_is_its_own():
    (found,) = results_of(run(task("facts", rows=2)), records("facts", 1.0, 0.0))
    assert found.items.clusters == ("0", "1")


def test_generated_replies_are_measured_and_chosen_ones_are_not():
    first, second = records("facts", 1.0, 0.0)
    texts = [
        generated("I'm sorry, but I can't help with that.", first, prediction=None),
        generated("four words are here", second, finish="length"),
    ]
    (found,) = results_of(run(task("facts", rows=2)), texts)
    measures = found.items.measures
    assert measures["refused"] == (1.0, 0.0)
    assert measures["cut_off"] == (0.0, 1.0)
    assert measures["parsed"] == (0.0, 1.0)
    assert measures["tokens"] == (8.0, 4.0)
    assert "probability" not in measures
    (chosen,) = results_of(run(task("facts", rows=2)), records("facts", 1.0, 0.0))
    assert chosen.items.measures == {}


def test_calibration_asks_whether_the_most_probable_choice_is_right_not_the_headline():
    (right, wrong) = records("facts", 0.0, 1.0)
    rows = [replace(right, probabilities=(0.7, 0.3)), replace(wrong, probabilities=(0.2, 0.8))]
    (found,) = results_of(run(task("facts", rows=2)), rows)
    assert found.items.measures["probability"] == (0.7, 0.8)
    assert found.items.measures["correct"] == (1.0, 0.0)
    assert found.items.measures["brier"] == pytest.approx((0.18, 1.28))
    assert found.items.measures["nll"] == pytest.approx((0.3567, 1.6094), abs=1e-4)


def test_descent_is_carried_over():
    child = descended("w1", "w0", "sft")
    (found,) = results_of(replace(child, tasks=(task("facts", rows=1),)), records("facts", 1.0))
    assert (found.model.revision, found.model.stage) == ("w1", "sft")
    assert [(link.role, link.revision) for link in found.model.parents] == [("policy", "w0")]


def test_varied_replies_are_told_from_one_that_is_repeated():
    same = diversity(["the cat sat on the mat"] * 4)
    varied = diversity(["the cat sat", "a dog ran home", "birds fly", "no words in common"])
    assert same["distinct_2"] < varied["distinct_2"]
    assert same["self_bleu"] > 0.99 > 0.2 > varied["self_bleu"]


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=2, max_size=8))
def test_self_bleu_is_the_mean_of_sacrebleus_sentence_bleu(texts):
    metric = BLEU(tokenize="none", effective_order=True)
    joined = [" ".join(text) for text in texts]
    expected = [
        metric.sentence_score(text, [*joined[:at], *joined[at + 1 :]]).score / 100
        for at, text in enumerate(joined)
    ]
    found = diversity(joined)["self_bleu"]
    assert found == pytest.approx(sum(expected) / len(expected), abs=1e-9)


def test_chinese_replies_are_compared_by_character():
    assert diversity(["今天天气很好" * 4, "明天可能会下雨" * 4])["distinct_1"] < 0.5


def test_one_reply_has_no_diversity():
    assert diversity(["alone", None]) == {}
