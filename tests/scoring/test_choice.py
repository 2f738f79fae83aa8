"""Which choice is preferred, under each normalisation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scoring.choice import (
    accuracy,
    accuracy_byte,
    accuracy_char,
    accuracy_none,
    accuracy_pmi,
    accuracy_token,
    comparable,
    predicted,
    probabilities,
)
from bench.types import Reply
from tests.scoring.values import choice, generated, preferring

RULES = ("none", "char", "byte", "token", "pmi")

CHOICES = ("no", "certainly", "也许会")
REPLY = preferring(-4.0, -9.0, -6.6, tokens=(1, 4, 2), alone=(-3.5, -8.0, -6.5))
# By hand: log-likelihood / 1, / (2, 9, 3) characters, / (2, 9, 9) bytes, / tokens, - alone.
VALUES = {
    "none": (-4.0, -9.0, -6.6),
    "char": (-2.0, -1.0, -2.2),
    "byte": (-2.0, -1.0, -6.6 / 9),
    "token": (-4.0, -2.25, -3.3),
    "pmi": (-0.5, -1.0, -0.1),
}
ACCURACIES = {
    "none": accuracy_none,
    "char": accuracy_char,
    "byte": accuracy_byte,
    "token": accuracy_token,
    "pmi": accuracy_pmi,
}
logprobs = st.floats(-50, 0)
rows = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), logprobs, st.integers(1, 9), logprobs),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("rule", RULES)
def test_values_under_each_normalisation_are_those_worked_out_by_hand(rule):
    assert comparable(choice(CHOICES), REPLY, rule) == pytest.approx(VALUES[rule])


@pytest.mark.parametrize(
    ("rule", "place"), [("none", 0), ("char", 1), ("byte", 2), ("token", 1), ("pmi", 2)]
)
def test_each_normalisation_prefers_its_own_choice(rule, place):
    assert predicted(choice(CHOICES), REPLY, rule) == place
    for right in range(3):
        example = choice(CHOICES, right=(right,), normalise=rule)
        assert ACCURACIES[rule](example, REPLY) == float(right == place)
        assert accuracy(example, REPLY) == float(right == place)


def test_any_of_several_right_choices_counts():
    assert accuracy(choice(CHOICES, right=(1, 2), normalise="pmi"), REPLY) == 1.0


def test_equal_choices_go_to_the_first():
    assert predicted(choice(("a", "b")), preferring(-1.0, -1.0), "none") == 0


@given(rows, st.sampled_from(RULES), st.randoms())
def test_permuting_the_choices_permutes_the_prediction(rows, rule, random):
    order = random.sample(range(len(rows)), len(rows))

    def ask(rows):
        texts, given, tokens, alone = zip(*rows, strict=True)
        example, reply = choice(texts), preferring(*given, tokens=tokens, alone=alone)
        return predicted(example, reply, rule), comparable(example, reply, rule)

    (place, values), (moved, _) = ask(rows), ask([rows[old] for old in order])
    assert values[order[moved]] == values[place]


def test_a_reply_without_log_likelihoods_predicts_nothing_and_scores_zero():
    for score in ACCURACIES.values():
        assert score(choice(CHOICES), Reply(finish="scored")) == 0.0
    assert predicted(choice(CHOICES), Reply(), "pmi") is None
    assert probabilities(Reply()) == ()


@pytest.mark.parametrize(
    "broken", [(math.nan, -1.0), (-1.0, math.nan), (-math.inf, -math.inf), (math.nan, math.nan)]
)
def test_log_likelihoods_that_are_no_numbers_are_an_error_and_not_a_choice(broken):
    with pytest.raises(ValueError, match="no preference"):
        predicted(choice(("a", "b")), preferring(*broken), "none")


def test_an_impossible_choice_is_never_preferred():
    assert predicted(choice(("a", "b")), preferring(-math.inf, -80.0), "none") == 1


@given(st.lists(st.floats(-2000, 0), min_size=1, max_size=8))
def test_probabilities_are_the_softmax_whatever_the_scale(values):
    found = probabilities(preferring(*values))
    assert sum(found) == pytest.approx(1.0)
    assert found[values.index(max(values))] == max(found)
    shifted = probabilities(preferring(*(value - 300 for value in values)))
    assert found == pytest.approx(shifted)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("Positive", 1.0),
        (" positive. ", 1.0),
        ('"Positive"', 1.0),
        ("**positive**.", 1.0),
        ("positive。", 1.0),
        ("very positive", 0.0),
        ("negative", 0.0),
        ("...", 0.0),
        ("", 0.0),
    ],
)
def test_generated_labels_are_compared_without_case_and_marks(said, right):
    assert accuracy(generated("positive"), Reply(text=said)) == right


@pytest.mark.parametrize("answer", ["U.S.", "'quoted'", "*"])
def test_a_generated_label_with_marks_of_its_own_equals_itself(answer):
    wanted = 0.0 if answer == "*" else 1.0  # nothing is left of it to compare
    assert accuracy(generated(answer), Reply(text=answer)) == wanted
