"""Accuracy and calibration of pairs: by hand, and of a set that is calibrated by construction."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.intervals import mean_interval, wilson
from bench.training.objectives.reward_metrics import pair_metrics

probabilities = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


def of(odds, sources=None, groups=None):
    names = [str(place) for place in range(len(odds))]
    return pair_metrics(odds, sources or ["a"] * len(odds), groups or names)


def test_four_pairs_by_hand():
    found = of([0.9, 0.6, 0.5, 0.2], sources=["a", "b", "b", "a"])
    assert found["pairs"] == 4
    assert found["accuracy"] == (1 + 1 + 0.5 + 0) / 4
    assert found["accuracy/a"] == 0.5
    assert found["accuracy/b"] == 0.75
    # one pair in each bin: |1 - 0.9|, |1 - 0.6|, |0.5 - 0.5|, |0 - 0.8|
    assert found["ece"] == pytest.approx((0.1 + 0.4 + 0.0 + 0.8) / 4)
    assert found["brier"] == pytest.approx((0.01 + 0.16 + 0.25 + 0.64) / 4)
    assert found["nll"] == pytest.approx(-math.log(0.9 * 0.6 * 0.5 * 0.2) / 4)


def test_pairs_in_one_bin_are_compared_by_their_means():
    found = of([0.75, 0.72, 0.22])  # confidences 0.75, 0.72, 0.78; two of three right
    assert found["ece"] == pytest.approx(0.75 - 2 / 3)


@pytest.mark.parametrize("confidence", [0.55, 0.6, 0.75, 0.9])
def test_a_calibrated_model_has_no_calibration_error(confidence):
    right = round(100 * confidence)
    found = of([confidence] * right + [1 - confidence] * (100 - right))
    assert found["accuracy"] == pytest.approx(confidence)
    assert found["ece"] == pytest.approx(0.0, abs=1e-12)
    assert found["brier"] == pytest.approx(confidence * (1 - confidence))


def test_a_sure_and_wrong_model_is_as_far_off_as_can_be():
    found = of([0.0, 0.0])
    assert (found["accuracy"], found["ece"], found["brier"]) == (0.0, 1.0, 1.0)
    assert found["nll"] == pytest.approx(-math.log(1e-12))


def test_independent_pairs_have_wilsons_interval():
    found, expected = of([0.9] * 27 + [0.1] * 3), wilson(27, 30)
    assert (found["accuracy_lo"], found["accuracy_hi"]) == (expected.lo, expected.hi)


def test_pairs_of_one_prompt_count_as_what_they_are():
    odds, groups = [0.9] * 12 + [0.1] * 6, [str(place // 6) for place in range(18)]
    found = of(odds, groups=groups)
    expected = mean_interval([1.0] * 12 + [0.0] * 6, groups)
    assert expected.method == "wilson_clustered"
    assert (found["accuracy_lo"], found["accuracy_hi"]) == (expected.lo, expected.hi)
    assert found["accuracy_lo"] < of(odds)["accuracy_lo"]


def test_one_prompt_alone_has_no_interval():
    assert not {"accuracy_lo", "accuracy_hi"} & of([0.9, 0.8], groups=["x", "x"]).keys()


def test_no_pairs_have_no_accuracy():
    assert of([]) == {"pairs": 0.0}


@pytest.mark.parametrize("odd", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(odd):
    with pytest.raises(ValueError, match="outside"):
        of([odd])


@given(probabilities)
def test_the_order_of_pairs_means_nothing(odds):
    forwards, backwards = of(odds), of(odds[::-1])
    assert forwards == pytest.approx(backwards)


@given(probabilities)
def test_everything_stays_within_its_bounds(odds):
    found = of(odds)
    assert all(0.0 <= found[name] <= 1.0 for name in ("accuracy", "ece", "brier", "accuracy/a"))
    assert found["nll"] >= 0.0
