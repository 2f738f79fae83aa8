"""Likelihoods with ties: probabilities of the papers, derivatives against small steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.tie_models import TIE_MODELS

models = st.sampled_from(["half", "davidson", "rao_kupper"])
odds = st.floats(-4, 4)
parameters = st.floats(0.1, 2)
OUTCOMES = np.array([1.0, 0.5, 0.0])
STEP = 1e-5


def values(model, eta, tie):
    """Log-probabilities of win, tie and loss."""
    return TIE_MODELS[model].derivatives(np.full(3, eta), tie, OUTCOMES).value


@given(st.sampled_from(["davidson", "rao_kupper"]), odds, parameters)
def test_win_tie_and_loss_are_all_that_can_happen(model, eta, tie):
    assert np.exp(values(model, eta, tie)).sum() == pytest.approx(1.0)


@given(odds, parameters)
def test_probabilities_are_those_of_the_papers(eta, tie):
    strong, weak, nu, tau = np.exp(eta), 1.0, np.exp(tie), np.exp(tie)
    total = strong + weak + nu * np.sqrt(strong * weak)
    davidson = np.array([strong, nu * np.sqrt(strong * weak), weak]) / total
    win, loss = strong / (strong + tau * weak), weak / (weak + tau * strong)
    tied = (tau**2 - 1) * strong * weak / ((strong + tau * weak) * (weak + tau * strong))
    assert np.exp(values("davidson", eta, tie)) == pytest.approx(davidson)
    assert np.exp(values("rao_kupper", eta, tie)) == pytest.approx([win, tied, loss])


@given(models, odds, parameters)
def test_derivatives_are_those_of_the_log_likelihood(model, eta, tie):
    derivatives = TIE_MODELS[model].derivatives
    point = np.full(3, eta)
    found = derivatives(point, tie, OUTCOMES)
    right, left = (derivatives(point + step, tie, OUTCOMES) for step in (STEP, -STEP))
    up, down = (derivatives(point, tie + step, OUTCOMES) for step in (STEP, -STEP))
    slope = 1 / (2 * STEP)
    assert found.eta == pytest.approx((right.value - left.value) * slope, abs=1e-6)
    assert found.tie == pytest.approx((up.value - down.value) * slope, abs=1e-6)
    assert found.eta_eta == pytest.approx((right.eta - left.eta) * slope, abs=1e-6)
    assert found.tie_tie == pytest.approx((up.tie - down.tie) * slope, rel=1e-4, abs=1e-6)
    assert found.eta_tie == pytest.approx((right.tie - left.tie) * slope, abs=1e-6)
    assert found.eta_tie == pytest.approx((up.eta - down.eta) * slope, abs=1e-6)


@given(models, odds, parameters)
def test_the_score_is_wins_and_half_the_ties(model, eta, tie):
    score = TIE_MODELS[model].score
    rate, by_eta, by_tie = score(eta, tie)
    if model != "half":
        win, tied, _ = np.exp(values(model, eta, tie))
        assert rate == pytest.approx(win + tied / 2)
    slope = 1 / (2 * STEP)
    by_steps = (score(eta + STEP, tie)[0] - score(eta - STEP, tie)[0]) * slope
    assert by_eta == pytest.approx(by_steps, abs=1e-6)
    by_steps = (score(eta, tie + STEP)[0] - score(eta, tie - STEP)[0]) * slope
    assert by_tie == pytest.approx(by_steps, abs=1e-6)


@given(st.sampled_from(["davidson", "rao_kupper"]), parameters)
def test_equals_tie_as_often_as_said(model, tie):
    found = TIE_MODELS[model].tie
    rate, by_tie = found.if_equal(tie)
    assert rate == pytest.approx(np.exp(values(model, 0.0, tie))[1])
    by_steps = (found.if_equal(tie + STEP)[0] - found.if_equal(tie - STEP)[0]) / (2 * STEP)
    assert by_tie == pytest.approx(by_steps, abs=1e-6)
