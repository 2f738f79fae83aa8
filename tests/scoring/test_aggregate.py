"""Metrics over all records against scikit-learn, sacrebleu and the product form of pass@k."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sklearn.metrics import f1_score, matthews_corrcoef

from bench.errors import TaskError
from bench.scoring.aggregate import AGGREGATES, DIRECTIONS, NO_PREDICTION, find_aggregate, pass_at
from tests.scoring.values import record

LABELS = ("pos", "neg", "mixed")
pairs = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "other", None])),
    min_size=1,
    max_size=30,
)
WORDS = ["the", "cat", "sat", "on", "a", "mat", "."]
sentences = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
lightly = settings(max_examples=40, deadline=None)


def labelled(pairs):
    return [record(gold, said) for gold, said in pairs]


def samples(scores: list[float], id: str = "1"):
    return [record(id=id, score=score) for score in scores]


@lightly
@given(pairs)
def test_macro_f1_and_mcc_are_scikit_learns_over_the_gold_labels(pairs):
    gold = [gold for gold, _ in pairs]
    said = [NO_PREDICTION if said is None else said for _, said in pairs]
    macro = f1_score(gold, said, labels=sorted(set(gold)), average="macro", zero_division=0)
    assert find_aggregate("macro_f1")(labelled(pairs)) == pytest.approx(macro)
    correlation = find_aggregate("mcc")(labelled(pairs))
    expected = matthews_corrcoef(gold, said) if len({*gold, *said}) > 1 else 0.0
    assert correlation == pytest.approx(expected)
    assert -1.0 <= correlation <= 1.0


def test_macro_f1_by_hand_counts_a_missing_prediction_as_a_miss():
    # pos: precision 1/2, recall 1/2; neg: precision 1, recall 1/2.
    records = labelled([("pos", "pos"), ("pos", None), ("neg", "neg"), ("neg", "pos")])
    assert find_aggregate("macro_f1")(records) == pytest.approx((1 / 2 + 2 / 3) / 2)


@pytest.mark.parametrize("name", ["macro_f1", "mcc"])
def test_generated_labels_count_as_accuracy_counts_them(name):
    records = labelled([("pos", "Pos."), ("neg", '"NEG"'), ("mixed", "**mixed**")])
    assert find_aggregate(name)(records) == 1.0


def test_choices_that_differ_only_in_case_stay_apart():
    records = labelled([("a", "A"), ("A", "a")])
    assert find_aggregate("macro_f1")(records) == 0.0


@lightly
@given(st.lists(st.tuples(sentences, sentences, sentences), min_size=1, max_size=6))
def test_corpus_bleu_and_chrf_are_sacrebleus_over_all_references(rows):
    records = [record(one, said, answers=(one, two)) for said, one, two in rows]
    replies, ones, twos = (list(column) for column in zip(*rows, strict=True))
    expected = BLEU().corpus_score(replies, [ones, twos]).score / 100
    assert find_aggregate("corpus_bleu")(records) == pytest.approx(expected)
    expected = CHRF().corpus_score(replies, [ones, twos]).score / 100
    assert find_aggregate("corpus_chrf")(records) == pytest.approx(expected)


def test_items_with_fewer_references_repeat_their_last():
    rows = [record("a b c d", "a b c d", answers=("x", "a b c d")), record("e f g h", "e f g h")]
    assert find_aggregate("corpus_bleu")(rows) == pytest.approx(1.0)


def test_corpus_bleu_of_chinese_counts_characters():
    rows = [record("今天天气很好", "今天天气好"), record("我们去公园玩", "我们去公园")]
    assert find_aggregate("corpus_bleu")(rows) > 0.5


def test_a_missing_prediction_is_an_empty_text_to_bleu():
    assert find_aggregate("corpus_bleu")([record("a b c d", None)]) == 0.0


@pytest.mark.parametrize(
    ("n", "c", "k", "value"),
    [(10, 3, 5, 0.9167), (10, 3, 1, 0.3), (5, 0, 2, 0.0), (5, 5, 5, 1.0), (2, 1, 2, 1.0)],
)
def test_pass_at_k_has_the_reference_values(n, c, k, value):
    scores = [1.0] * c + [0.0] * (n - c)
    assert pass_at(k)(samples(scores)) == pytest.approx(value, abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.data())
def test_pass_at_k_equals_its_product_form(counts, data):
    n, c = counts
    k = data.draw(st.integers(1, n))
    product = 1 - math.prod(1 - k / i for i in range(n - c + 1, n + 1))
    found = pass_at(k)(samples([1.0] * c + [0.0] * (n - c)))
    assert found == pytest.approx(product if n - c >= k else 1.0)
    assert 0.0 <= found <= 1.0


def test_pass_at_k_is_the_mean_over_items():
    records = samples([1.0, 0.0], "1") + samples([0.0, 0.0], "2")
    assert find_aggregate("pass@1")(records) == pytest.approx(0.25)
    assert find_aggregate("pass@2")(records) == pytest.approx(0.5)


def test_pass_at_k_reads_the_first_scorer():
    records = [replace(r, scores={"unit_tests": 0.0, "other": 1.0}) for r in samples([1.0])]
    assert find_aggregate("pass@1")(records) == 0.0


def test_pass_at_k_with_too_few_samples_says_how_many_it_needs():
    with pytest.raises(TaskError, match="pass@3 needs 3 samples of each item, found 2") as raised:
        find_aggregate("pass@3")(samples([1.0, 1.0]))
    assert raised.value.remedy == "set generate.samples to at least 3"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("macro_F1", "did you mean macro_f1?"),
        ("corpus_blue", "did you mean corpus_bleu"),
        ("pass@", "did you mean pass@1?"),
        ("pass@0", "did you mean pass@1?"),
        ("pass@²", "did you mean pass@1?"),
        ("pass@-1", "did you mean pass@1?"),
    ],
)
def test_an_unknown_metric_names_the_nearest(name, remedy):
    with pytest.raises(TaskError, match="no metric is named") as raised:
        find_aggregate(name)
    assert raised.value.remedy.startswith(remedy)


def test_only_calibration_is_better_when_lower():
    assert {name for name in AGGREGATES if DIRECTIONS.get(name)} == {"ece", "brier", "nll"}
    assert all(way.lower_is_better and way.needs_probabilities for way in DIRECTIONS.values())
