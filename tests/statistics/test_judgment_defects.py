"""Boards of judgments with one planted defect each: the reader is told, or is not misled."""

import numpy as np

from bench.statistics.judgments import Judgments
from bench.statistics.length import LengthJudgments, length_controlled
from bench.statistics.preference import preference, theta_difference
from bench.statistics.winrate import slot_bias, win_rate

NAMES = ["sft", "ppo", "ptx"]


def board(random, theta, n=600, slot=0.0, first_share=0.5):
    """Random pairs of three models judged once each; model 2 comes first with `first_share`."""
    one = random.integers(0, 3, n)
    other = (one + random.integers(1, 3, n)) % 3
    turn = (other == 2) & (random.random(n) < 2 * first_share - 1)
    one, other = np.where(turn, other, one), np.where(turn, one, other)
    odds = np.asarray(theta)[one] - np.asarray(theta)[other] + slot
    won = (random.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return one, other, won


def test_too_few_votes_leave_the_models_apart_by_chance_only():
    first, second, won = board(np.random.default_rng(1), [0.0, 0.3, 0.4], n=24)
    found = preference(Judgments(NAMES, first, second, won))
    row = theta_difference(found, "ptx", "ppo")
    assert row.lo < 0 < row.hi
    assert any("judgments of" in warning for warning in found.warnings)


def test_a_slot_bias_is_found_and_its_covariate_takes_it_out_of_the_ratings():
    """The third model, equal to the others, is shown first nearly always."""
    first, second, won = board(
        np.random.default_rng(2), [0.0] * 3, 3000, slot=0.8, first_share=0.95
    )
    assert slot_bias(won).p_value < 1e-6
    biased = preference(Judgments(NAMES, first, second, won))
    assert theta_difference(biased, "ptx", "sft").lo > 0.3
    controlled = preference(
        Judgments(NAMES, first, second, won, covariates={"slot": [1.0] * won.size})
    )
    row = theta_difference(controlled, "ptx", "sft")
    assert abs(row.estimate) < 3 * row.se
    slot = controlled.covariates["slot"]
    assert abs(slot.estimate - 0.8) < 3 * slot.se


def test_judgments_copied_to_many_rows_prove_nothing():
    """A clustered null: fifty coin flips, each told twenty times."""
    random, found = np.random.default_rng(3), {"naive": 0, "clustered": 0}
    for _ in range(200):
        won = random.integers(0, 2, 50).repeat(20).astype(float)
        naive = win_rate(won).win_rate
        clustered = win_rate(won, [str(at // 20) for at in range(1000)]).win_rate
        found["naive"] += not naive.lo <= 0.5 <= naive.hi
        found["clustered"] += not clustered.lo <= 0.5 <= clustered.hi
    assert found["naive"] > 100
    assert found["clustered"] <= 0.08 * 200


def test_a_loud_annotator_is_named_and_widens_the_interval():
    random = np.random.default_rng(4)
    quiet = random.integers(0, 2, 120).astype(float)
    won = np.concatenate([quiet, np.ones(180)])
    people = [f"a{at % 12}" for at in range(120)] + ["loud"] * 180
    prompts = [str(at) for at in range(300)]
    alone, found = win_rate(won, prompts).win_rate, win_rate(won, prompts, people).win_rate
    assert alone.lo > 0.5
    assert found.lo < 0.5
    assert "annotator loud gave 60% of the judgments" in found.warnings


def test_a_gain_that_is_all_length_is_gone_at_equal_length():
    random = np.random.default_rng(5)
    lengths = random.normal(250, 300, 800)
    won = random.random(800) < 1 / (1 + np.exp(-2 * np.tanh(lengths / lengths.std())))
    found = length_controlled(LengthJudgments(won.astype(float), lengths))
    assert found.raw.lo > 0.6
    assert found.controlled.lo < 0.5 < found.controlled.hi
