"""Differences by the same judges: the error of both samples, and what it is without one of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.judged_difference import judged_difference
from bench.statistics.paired import paired_difference
from bench.statistics.winrate import win_rate

PROMPTS = [f"q{at // 5}" for at in range(100)]
JUDGES = [f"j{at % 5}" for at in range(100)]
HALF = [0.5] * 100
columns = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=100, max_size=100)


@given(columns)
def test_against_a_half_it_is_the_win_rate_less_a_half_with_its_error(scores):
    found = judged_difference(scores, HALF, PROMPTS, JUDGES)
    won = win_rate(scores, PROMPTS, JUDGES).win_rate
    assert found.estimate == pytest.approx(won.estimate - 0.5)
    if found.test == "t_clustered" and found.n_clusters == won.n_clusters and won.df is not None:
        assert found.se == pytest.approx(won.se)


@given(columns, columns)
def test_swapping_the_models_flips_the_sign(ours, theirs):
    found = judged_difference(ours, theirs, PROMPTS, JUDGES)
    other = judged_difference(theirs, ours, PROMPTS, JUDGES)
    assert other.estimate == pytest.approx(-found.estimate)
    assert (other.lo, other.hi) == pytest.approx((-found.hi, -found.lo))
    assert other.p_value == pytest.approx(found.p_value)
    assert other.p_better == pytest.approx(1 - found.p_better)


def test_judges_who_disagree_make_it_less_sure_than_prompts_say():
    scores = [1.0 if judge in ("j0", "j1", "j2") else 0.0 for judge in JUDGES]
    found = judged_difference(scores, HALF, PROMPTS, JUDGES)
    alone = paired_difference(scores, HALF, PROMPTS)
    assert alone.se == pytest.approx(0.0, abs=1e-12)
    by_judge = np.var(np.repeat([0.5, -0.5], [3, 2]), ddof=1) / 5
    by_judgment = np.var(np.asarray(scores) - 0.5, ddof=1) / 100
    assert found.se == pytest.approx(np.sqrt(by_judge - by_judgment))
    assert (found.df, found.n_clusters) == (4, 5)
    assert found.p_value > 0.5


def test_where_nothing_varies_the_fewer_tell_how_much_is_left_open():
    found = judged_difference([1.0] * 100, HALF, PROMPTS, JUDGES)
    assert (found.method, found.n_clusters) == ("equal", 5)


def test_lower_may_be_better():
    scores = np.random.default_rng(0).random(100).tolist()
    plain, turned = (
        judged_difference(scores, HALF, PROMPTS, JUDGES, lower_is_better=lower)
        for lower in (False, True)
    )
    assert turned.p_better == pytest.approx(1 - plain.p_better)
