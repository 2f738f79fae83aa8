"""ECE, Brier and NLL against values by hand and a second implementation in numpy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scoring.calibration import brier, ece, nll
from tests.scoring.values import record

CHOICES = ("a", "b", "c")
weights = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3)
cases = st.lists(st.tuples(weights, st.integers(0, 2)), min_size=1, max_size=30)


def asked(*pairs: tuple[tuple[float, ...], str]):
    """Records of a choice task, from (probabilities, right choice)."""
    return [record(gold, None, CHOICES[: len(odds)], odds) for odds, gold in pairs]


def matrices(cases):
    odds = np.array([weights for weights, _ in cases])
    return odds / odds.sum(axis=1, keepdims=True), np.array([right for _, right in cases])


def records_of(cases):
    odds, right = matrices(cases)
    return asked(*((tuple(row), CHOICES[place]) for row, place in zip(odds, right, strict=True)))


def test_ece_weighs_the_gap_of_each_bin_by_its_share():
    # Bin (.5, .6]: confidence .6, accuracy 1/2; bin (.8, .9]: confidence .9, accuracy 1.
    records = asked(((0.6, 0.4), "a"), ((0.6, 0.4), "b"), ((0.1, 0.9), "b"), ((0.9, 0.1), "a"))
    assert ece(records) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)


def test_a_bin_holds_its_upper_edge_and_not_its_lower():
    apart = asked(((0.6, 0.4), "a"), ((0.65, 0.35), "b"))
    assert ece(apart) == pytest.approx(0.5 * 0.4 + 0.5 * 0.65)
    together = asked(((0.65, 0.35), "a"), ((0.7, 0.3), "b"))
    assert ece(together) == pytest.approx(0.675 - 0.5)


def test_a_model_that_is_right_as_often_as_it_says_has_no_calibration_error():
    assert ece(asked(*[((0.75, 0.25), "a")] * 3, ((0.75, 0.25), "b"))) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("odds", "right", "value"),
    [
        ((1.0, 0.0), "a", 0.0),
        ((1.0, 0.0), "b", 2.0),
        ((0.5, 0.5), "a", 0.5),
        ((0.7, 0.2, 0.1), "b", 0.49 + 0.64 + 0.01),
    ],
)
def test_brier_sums_the_squares_over_the_choices(odds, right, value):
    assert brier(asked((odds, right))) == pytest.approx(value)


def test_nll_is_the_mean_surprise_in_nats_and_stays_finite():
    assert nll(asked(((0.5, 0.5), "a"), ((0.25, 0.75), "a"))) == pytest.approx(math.log(8) / 2)
    assert nll(asked(((1.0, 0.0), "b"))) == pytest.approx(-math.log(1e-12))


def test_several_right_choices_share_the_truth():
    both = record("a", None, CHOICES, (0.5, 0.25, 0.25), answers=("a", "b"))
    assert nll([both]) == pytest.approx(-math.log(0.75))
    assert brier([both]) == pytest.approx(0.25**2 + 0.25**2)
    assert ece([both]) == pytest.approx(0.5)


@given(cases)
def test_brier_and_nll_agree_with_numpy(cases):
    odds, right = matrices(cases)
    truth = np.eye(3)[right]
    assert brier(records_of(cases)) == pytest.approx(((odds - truth) ** 2).sum(axis=1).mean())
    surprise = -np.log(odds[np.arange(len(right)), right])
    assert nll(records_of(cases)) == pytest.approx(surprise.mean())


@given(cases)
def test_ece_agrees_with_numpy(cases):
    odds, right = matrices(cases)
    confidence, hits = odds.max(axis=1), odds.argmax(axis=1) == right
    bins = np.digitize(confidence, np.arange(11) / 10, right=True)
    gaps = [abs(hits[bins == b].sum() - confidence[bins == b].sum()) for b in range(1, 11)]
    total = sum(gaps) / len(right)
    assert ece(records_of(cases)) == pytest.approx(total)


@given(cases)
def test_calibration_does_not_depend_on_the_order_of_records(cases):
    for metric in (ece, brier, nll):
        turned = metric(records_of(cases[::-1]))
        assert metric(records_of(cases)) == pytest.approx(turned)
        assert turned >= 0.0
