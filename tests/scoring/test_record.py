"""A reply becomes a scored record or a failed one with its reason, never a silent zero."""

import math
from dataclasses import replace

import pytest

from bench.errors import SandboxError, TaskError
from bench.scoring.record import failed, to_record
from bench.scoring.scorers import find_scorers
from bench.types import Example, Extract, Reply
from tests.scoring.values import choice, generated, preferring

EXACT = find_scorers(["exact_match"])


def raising(error: Exception):
    def score(example: Example, reply: Reply) -> float:
        raise error

    return {"broken": score}


def test_a_scored_record_says_what_was_asked_answered_and_found():
    example = replace(generated("4", "four", extract=Extract("number")), cluster="c", variant="v")
    reply = Reply(text="2 + 2 = 4", tokens_out=5)
    made = to_record(example, reply, find_scorers(["numeric_match", "exact_match"]), 3, "p")
    assert made.status == "scored"
    assert list(made.scores.items()) == [("numeric_match", 1.0), ("exact_match", 1.0)]
    assert (made.prediction, made.gold, made.answers) == ("4", "4", ("4", "four"))
    assert (made.cluster, made.variant, made.sample, made.prompt_digest) == ("c", "v", 3, "p")
    assert (made.digest, made.reason, made.probabilities) == (example.digest, "", ())


def test_the_record_keeps_the_whole_reply_though_the_scorer_sees_the_extract():
    reply = Reply(text="so 2 + 2 = 4")
    made = to_record(generated("4", extract=Extract("number")), reply, EXACT)
    assert made.reply == reply
    assert made.scores == {"exact_match": 1.0}


def test_a_choice_record_holds_the_choice_and_its_probabilities():
    example = choice(("yes", "no"), right=(1,))
    made = to_record(example, preferring(-2.0, -1.0), find_scorers(["accuracy"]))
    assert (made.prediction, made.gold, made.scores) == ("no", "no", {"accuracy": 1.0})
    assert made.probabilities == pytest.approx((1 / (1 + math.e), math.e / (1 + math.e)))


def test_the_prediction_follows_the_normalisation_of_the_task():
    reply = preferring(-4.0, -6.0)
    for rule, chosen in (("none", "no"), ("char", "certainly")):
        made = to_record(choice(("no", "certainly"), normalise=rule), reply, {})
        assert made.prediction == chosen


@pytest.mark.parametrize("text", ["", "none at all", None])
def test_a_reply_that_cannot_be_parsed_predicts_nothing_and_scores_zero(text):
    made = to_record(generated("4", extract=Extract("number")), Reply(text=text), EXACT)
    assert (made.status, made.prediction, made.scores) == ("scored", None, {"exact_match": 0.0})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no such column"), "scoring: ValueError('no such column')"),
        (KeyError("x"), "scoring: KeyError('x')"),
        (MemoryError(), "scoring: MemoryError()"),
        (
            TaskError("row 3: check.tests: missing", "fill it"),
            "scoring: row 3: check.tests: missing",
        ),
    ],
)
def test_a_scorer_that_raises_makes_a_failed_record_with_the_reason(error, reason):
    made = to_record(generated("4"), Reply(text="4"), EXACT | raising(error))
    assert (made.status, made.scores, made.reason) == ("failed", {}, reason)
    assert made.prediction is None


@pytest.mark.parametrize("value", [1.01, -0.01, 55.0, math.nan, math.inf, None, "1"])
def test_a_score_outside_zero_to_one_makes_a_failed_record(value):
    made = to_record(generated("4"), Reply(text="4"), {"wild": lambda example, reply: value})
    assert (made.status, made.scores) == ("failed", {})
    assert made.reason.startswith("scoring: ")


def test_an_out_of_range_score_is_named_with_its_scorer():
    made = to_record(generated("4"), Reply(text="4"), {"wild": lambda example, reply: 55.0})
    assert "wild gave 55.0, outside [0, 1]" in made.reason


def test_a_reply_that_is_an_error_fails_without_being_scored():
    reply = Reply(error="over-long prompt", finish="error")
    made = to_record(generated("4"), reply, raising(AssertionError("scored")))
    assert (made.status, made.reason, made.scores) == ("failed", "over-long prompt", {})
    assert (made.gold, made.reply) == ("4", reply)


@pytest.mark.parametrize("reply", [preferring(math.nan, -1.0), preferring(-math.inf, -math.inf)])
def test_log_likelihoods_that_are_no_numbers_fail_instead_of_choosing_the_first(reply):
    made = to_record(choice(("a", "b")), reply, find_scorers(["accuracy"]))
    assert made.status == "failed"
    assert "no preference among the log-likelihoods" in made.reason


def test_a_failure_without_words_is_still_a_failure():
    assert failed(generated("4"), Reply(), "").status == "failed"
    assert to_record(generated("4"), Reply(error=""), EXACT).status == "failed"


def test_a_missing_sandbox_stops_the_task_instead_of_failing_its_rows():
    with pytest.raises(SandboxError):
        to_record(generated("4"), Reply(text="4"), raising(SandboxError("no sandbox", "")))


def test_an_example_without_answers_has_an_empty_gold():
    assert failed(generated(), Reply(), "template error").gold == ""
