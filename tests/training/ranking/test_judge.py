"""The judge: both orders, scores that are shares of wins, no score where nothing was compared."""

import json
import math

import pytest
import torch

from bench.models.fake import open_fake
from bench.training.ranking.judge import LETTERS, QUESTION, Judge
from tests.models import tiny
from tests.training.replying import entry, open_tiny, said

torch.set_num_threads(1)
SURE = 1 / (1 + math.exp(-9))  # what a fake's preference comes to


def scripted(folder, *rules):
    """A judge that says the letter of the first rule whose text stands in the question."""
    lines = [json.dumps({"contains": part, "reply": letter}) + "\n" for part, letter in rules]
    (folder / "script.jsonl").write_text("".join(lines), encoding="utf-8")
    return Judge(open_fake(f"fake:scripted={folder / 'script.jsonl'}", {}))


def preferring(folder, *texts):
    """A judge that prefers the earlier of `texts`, wherever it stands."""
    sides = [(f"[Reply {letter}]\n{text}\n", letter) for text in texts for letter in LETTERS]
    return scripted(folder, *sides)


def test_scores_are_mean_probabilities_of_beating_the_others(tmp_path):
    judge = preferring(tmp_path, "best", "good", "bad")
    (verdict,) = judge([entry("Say it.")], [said(" bad", " best", " good")])
    assert verdict.scores == pytest.approx((1 - SURE, SURE, 0.5))
    assert verdict.metrics["position_bias"] == pytest.approx(0.0)
    assert verdict.reason == ""


def test_a_judge_that_looks_at_the_place_alone_decides_nothing():
    (verdict,) = Judge(open_fake("fake:constant=A", {}))([entry("?")], [said("a", "b", "c")])
    assert verdict.scores == pytest.approx((0.5, 0.5, 0.5))
    assert verdict.metrics["position_bias"] == pytest.approx(2 * SURE - 1)


def test_a_judge_that_prefers_neither_letter_gives_no_scores():
    (verdict,) = Judge(open_fake("fake:empty", {}))([entry("?")], [said("a", "b")])
    assert verdict.scores == (None, None)
    assert verdict.metrics == {}
    assert verdict.reason == "a pair is too long for the judge, or it prefers neither"


def test_prompts_do_not_mix(tmp_path):
    judge = scripted(tmp_path, ("[Request]\nfirst", "A"), ("[Request]\nsecond", "B"))
    entries, replies = [entry("first"), entry("second"), entry("third")], said("x", "y")
    found = judge(entries, [replies, replies, []])
    assert [verdict.scores for verdict in found] == [(0.5, 0.5), (0.5, 0.5), ()]
    assert found[2].metrics == {}


@pytest.mark.parametrize("chat", [False, True])
def test_the_odds_are_those_of_the_two_letters_after_the_question(tmp_path, chat):
    model, _ = open_tiny(tmp_path, chat=chat)
    (verdict,) = Judge(model)([entry("Say it.")], [said("now", "then")])
    found = []
    for first, second in (("now", "then"), ("then", "now")):
        text = QUESTION.format(request="Say it.", first=first, second=second)
        prompt = f"<s>[user] {text}\n[assistant]" if chat else text
        space = "" if chat else " "
        ids = model.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        whole = [
            model.tokenizer(prompt + space + letter, add_special_tokens=False)["input_ids"]
            for letter in LETTERS
        ]
        a, b = (tiny.naive(model.model, ids, word[len(ids) :])[0] for word in whole)
        found.append(1 / (1 + math.exp(b - a)))
    score = (found[0] + 1 - found[1]) / 2
    assert verdict.scores == pytest.approx((score, 1 - score), abs=1e-4)
    assert verdict.metrics["position_bias"] == pytest.approx(abs(found[0] + found[1] - 1), abs=1e-4)


def test_a_reply_too_long_to_be_shown_has_no_score_and_the_others_have(tmp_path):
    model, _ = open_tiny(tmp_path)
    (verdict,) = Judge(model)([entry("Say it.")], [said("now", "x " * tiny.READS, "then")])
    assert [score is None for score in verdict.scores] == [False, True, False]
    assert verdict.scores[0] + verdict.scores[2] == pytest.approx(1.0)
    assert verdict.reason
