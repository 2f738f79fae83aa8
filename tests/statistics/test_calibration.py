"""The change of the calibration error: the textbook's formula, symmetries, coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.calibration import ece_change

ITEM = st.tuples(st.floats(0.01, 1), st.booleans(), st.floats(0.01, 1), st.booleans())


def textbook(confidence, right):
    """Guo et al. 2017, eq. 3, bin by bin."""
    total = 0.0
    for low in range(10):
        held = [
            (sure, hit)
            for sure, hit in zip(confidence, right, strict=True)
            if np.ceil(sure * 10) - 1 == low
        ]
        if held:
            gap = np.mean([hit for _, hit in held]) - np.mean([sure for sure, _ in held])
            total += len(held) / len(confidence) * abs(gap)
    return total


def columns(rows):
    return [[float(row[place]) for row in rows] for place in range(4)]


@given(st.lists(ITEM, min_size=2, max_size=40), st.randoms())
def test_both_errors_are_the_textbooks_and_the_order_does_not_matter(rows, random):
    sure, right, before, was = columns(rows)
    found = ece_change(sure, right, before, was)
    assert found.child == pytest.approx(textbook(sure, right))
    assert found.parent == pytest.approx(textbook(before, was))
    shuffled = rows.copy()
    random.shuffle(shuffled)
    again = ece_change(*columns(shuffled))
    assert (again.lo, again.hi) == pytest.approx((found.lo, found.hi), abs=1e-9)


@given(st.lists(ITEM, min_size=2, max_size=40))
def test_a_model_against_itself_has_not_changed(rows):
    sure, right, *_ = columns(rows)
    found = ece_change(sure, right, sure, right)
    assert (found.estimate, found.lo, found.hi) == pytest.approx((0, 0, 0), abs=1e-12)


def made(random, n, sharpness):
    """Replies right as often as `truth` says, of a model whose confidence is sharper than that."""
    truth = random.uniform(0.5, 1, n)
    return np.clip(truth**sharpness, 0.01, 1), (random.random(n) < truth).astype(float)


@pytest.mark.slow
def test_bounds_hold_the_true_change():
    """Of 120 pairs of the same models; nominally 95 %, see the module."""
    random = np.random.default_rng(3)
    truth = textbook(*made(random, 40_000, 0.3)) - textbook(*made(random, 40_000, 1.0))
    held = 0
    for _ in range(120):
        found = ece_change(*made(random, 300, 0.3), *made(random, 300, 1.0))
        held += found.lo <= truth <= found.hi
    assert held >= 105


def test_columns_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match="not alike"):
        ece_change([0.5], [1.0], [0.5, 0.5], [1.0, 0.0])
