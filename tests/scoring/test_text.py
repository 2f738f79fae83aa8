"""Text scorers against the definitions and libraries they follow."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from bench.scoring.text import (
    bleu,
    chrf,
    contains,
    exact_match,
    numeric_match,
    rouge_1,
    rouge_2,
    rouge_l,
    squad_em,
    squad_f1,
    squad_words,
    zh_em,
    zh_f1,
)
from bench.types import Reply
from tests.scoring.values import generated

SCORERS = (
    exact_match,
    contains,
    squad_em,
    squad_f1,
    zh_em,
    zh_f1,
    numeric_match,
    rouge_1,
    rouge_2,
    rouge_l,
    bleu,
    chrf,
)
ROUGES = {"rouge1": rouge_1, "rouge2": rouge_2, "rougeL": rouge_l}
WORDS = [
    "the",
    "a",
    "An",
    "cat",
    "cats",
    "dog,",
    "Dog.",
    "ran",
    "running",
    "(fast)",
    "o'clock",
    "the-end",
    "3.5",
    "x_y",
    "naïve",
    "café",
]
sentences = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
texts = sentences | st.text(max_size=30)
lightly = settings(max_examples=60, deadline=None)


def official_words(text: str) -> list[str]:
    """The SQuAD 1.1 evaluation script's normalisation, said differently."""
    kept = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", kept, flags=re.UNICODE).split()


def official_f1(found: list[str], gold: list[str]) -> float:
    same = sum((Counter(found) & Counter(gold)).values())
    if not found or not gold:
        return float(found == gold)
    if not same:
        return 0.0
    precision, recall = same / len(found), same / len(gold)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("reply", "gold", "f1"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1.0),
        ("in the Eiffel Tower", "Eiffel Tower", 0.8),
        ("Eiffel", "the Eiffel Tower", 2 / 3),
        ("a b b", "b b c", 2 * 2 / 5),
        ("Louvre", "Eiffel Tower", 0.0),
        ("U.S.A.", "USA", 1.0),
        ("the", "The", 1.0),
        ("the", "cat", 0.0),
        ("+", "+", 1.0),
    ],
)
def test_squad_f1_of_hand_made_pairs(reply, gold, f1):
    assert squad_f1(generated(gold), Reply(text=reply)) == pytest.approx(f1)
    assert squad_em(generated(gold), Reply(text=reply)) == float(f1 == 1.0)


@given(texts, texts)
def test_squad_scores_are_the_evaluation_scripts_on_replies_that_say_something(reply, gold):
    found, wanted = official_words(reply), official_words(gold)
    said = bool(reply.strip())
    assert squad_words(reply) == found
    assert squad_em(generated(gold), Reply(text=reply)) == float(said and found == wanted)
    expected = official_f1(found, wanted) if said else 0.0
    assert squad_f1(generated(gold), Reply(text=reply)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reply", "gold", "f1"),
    [
        ("北京。", "北京", 1.0),
        ("“北京”", "「北京」", 1.0),
        ("在北京", "北京", 0.8),
        ("京北", "北京", 1.0),
        ("上海", "北京", 0.0),
        ("1949 年", "1949年", 1.0),
        ("GPT模型", "gpt 模型", 1.0),
    ],
)
def test_chinese_f1_compares_characters_without_punctuation(reply, gold, f1):
    assert zh_f1(generated(gold), Reply(text=reply)) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("reply", "matches"), [("北京。", 1.0), ("北 京", 1.0), ("京北", 0.0), ("在北京", 0.0)]
)
def test_chinese_exact_match_keeps_the_order(reply, matches):
    assert zh_em(generated("北京"), Reply(text=reply)) == matches


@lightly
@given(texts, texts, st.sampled_from(sorted(ROUGES)))
def test_rouge_is_the_best_f_measure_of_rouge_score(reply, gold, name):
    other = "the cat ran"
    best = RougeScorer([name], use_stemmer=True).score_multi([gold, other], reply.strip())
    assert ROUGES[name](generated(gold, other), Reply(text=reply)) == pytest.approx(
        best[name].fmeasure
    )


@lightly
@given(texts, texts.filter(str.strip))
def test_sentence_bleu_and_chrf_are_sacrebleus(reply, gold):
    example, said = generated(gold), Reply(text=reply)
    expected = BLEU(effective_order=True).sentence_score(reply.strip(), [gold]).score
    if not any("\u4e00" <= letter <= "\u9fff" for letter in gold):
        assert bleu(example, said) == pytest.approx(expected / 100)
    expected = CHRF().sentence_score(reply.strip(), [gold]).score
    assert chrf(example, said) == pytest.approx(expected / 100)


def test_chinese_bleu_counts_characters():
    whole = BLEU(effective_order=True, tokenize="zh").sentence_score("今天天气好", ["今天天气很好"])
    found = bleu(generated("今天天气很好"), Reply(text="今天天气好"))
    assert found == pytest.approx(whole.score / 100)
    assert found > 0.4


@pytest.mark.parametrize(
    ("reply", "gold", "matches"),
    [
        ("12", "12.0", 1.0),
        ("$1,250.00", "1250", 1.0),
        ("-$5", "-5", 1.0),
        ("$-5", "-5", 1.0),
        ("−5", "-5", 1.0),
        ("5 €", "5", 1.0),
        ("12.", "12", 1.0),
        ("42%", "42", 1.0),
        ("1e3", "1000", 1.0),
        ("0.3333333", "0.33333333", 1.0),
        ("1,00,000", "100000", 1.0),
        ("1,5", "15", 0.0),
        ("0.333", "0.3333", 0.0),
        ("5", "-5", 0.0),
        ("1250", "1251", 0.0),
        ("nan", "nan", 0.0),
        ("twelve", "12", 0.0),
        ("12", "twelve", 0.0),
        ("12 apples", "12", 0.0),
    ],
)
def test_numeric_match_compares_numbers_however_written(reply, gold, matches):
    assert numeric_match(generated(gold), Reply(text=reply)) == matches


def test_exact_match_is_of_the_whole_text_in_its_case():
    example = generated("Paris", "paris, France")
    assert exact_match(example, Reply(text=" Paris\n")) == 1.0
    assert exact_match(example, Reply(text="paris")) == 0.0
    assert contains(example, Reply(text="It is PARIS.")) == 1.0


@pytest.mark.parametrize("scorer", SCORERS)
def test_identical_answers_score_one(scorer):
    for answer in ("12", "1,024") if scorer is numeric_match else ("The cat.", "the end of it"):
        assert scorer(generated("other", answer), Reply(text=answer)) == pytest.approx(1.0)


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("blank", ["", " \n", None])
@pytest.mark.parametrize("gold", ["12", "the", "。", " "])
def test_empty_replies_score_zero_whatever_the_gold(scorer, blank, gold):
    assert scorer(generated(gold), Reply(text=blank)) == 0.0


@lightly
@given(
    texts,
    st.lists(texts, min_size=1, max_size=3),
    texts,
    # BLEU pools the n-grams of all references and takes the length of the closest.
    st.sampled_from([scorer for scorer in SCORERS if scorer is not bleu]),
)
def test_one_more_accepted_answer_never_lowers_a_score(reply, answers, another, scorer):
    few = scorer(generated(*answers), Reply(text=reply))
    assert scorer(generated(*answers, another), Reply(text=reply)) >= few


@lightly
@given(texts, texts, st.sampled_from(SCORERS))
def test_scores_lie_between_zero_and_one(reply, gold, scorer):
    assert 0.0 <= scorer(generated(gold), Reply(text=reply)) <= 1.0
