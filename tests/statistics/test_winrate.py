"""Win rates and slot bias: reference values, other libraries, symmetry, simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.intervals import mean_interval, wilson
from bench.statistics.winrate import slot_bias, win_rate

levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])
outcomes = st.sampled_from([0.0, 0.5, 1.0])
rows = st.lists(
    st.tuples(outcomes, st.sampled_from("pqrstuvw"), st.sampled_from("abcd")),
    min_size=2,
    max_size=40,
)


def unzipped(found):
    return tuple(list(column) for column in zip(*found, strict=True))


def test_first_slot_wins_have_the_reference_values():
    found = slot_bias([1.0] * 423 + [0.5] * 376 + [0.0] * 351)
    row = found.first_slot
    assert row.estimate == pytest.approx(0.547, abs=5e-4)
    assert (row.lo, row.hi) == pytest.approx((0.511, 0.581), abs=5e-4)
    assert found.p_value == pytest.approx(0.0107, abs=5e-5)
    assert (found.first_wins, found.second_wins, found.ties) == (423, 351, 376)
    assert (row.method, row.n_items, row.warnings) == ("wilson", 774, ())


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_exchanging_the_slots_turns_the_bias_around(first, ties, second):
    scores = np.array([1.0] * first + [0.5] * ties + [0.0] * second)
    if first + second == 0:
        with pytest.raises(ValueError, match=r"no (decisive )?judgments"):
            slot_bias(scores)
        return
    found, turned = slot_bias(scores), slot_bias(1 - scores)
    assert turned.p_value == pytest.approx(found.p_value)
    assert turned.first_slot.estimate == pytest.approx(1 - found.first_slot.estimate)
    assert turned.first_slot.lo == pytest.approx(1 - found.first_slot.hi)


def test_an_order_that_was_not_balanced_is_warned_of():
    balanced = [True, False] * 50
    assert slot_bias([1.0, 0.0] * 50, balanced).first_slot.warnings == ()
    assert slot_bias([1.0, 0.0] * 50, [True] * 90 + [False] * 10).first_slot.warnings == (
        "one model came first 90 of 100 times: the slot stands for the model",
    )
    with pytest.raises(ValueError, match="2 outcomes, but 1 orders"):
        slot_bias([1.0, 0.0], [True])


def test_the_parts_of_the_error_are_beside_the_win_rate():
    random = np.random.default_rng(1)
    prompts = random.integers(0, 60, 300)
    people = random.integers(0, 30, 300)
    odds = random.normal(size=60)[prompts] + random.normal(size=30)[people]
    won = (random.random(300) < 1 / (1 + np.exp(-odds))).astype(float)
    won[::7] = 0.5
    names = [f"p{at}" for at in prompts], [f"a{at}" for at in people]
    found = win_rate(won, *names)
    assert found.se_naive == pytest.approx(stats.sem(won))
    assert found.se_prompt == pytest.approx(mean_interval(won.tolist(), names[0]).se)
    assert found.se_annotator == pytest.approx(mean_interval(won.tolist(), names[1]).se)
    both = [f"{one} {other}" for one, other in zip(*names, strict=True)]
    cell = mean_interval(won.tolist(), both).se
    expected = found.se_prompt**2 + found.se_annotator**2 - cell**2
    assert found.win_rate.se == pytest.approx(math.sqrt(expected))
    row = found.win_rate
    assert (row.n_items, row.n_clusters, row.df, row.method) == (300, 30, 29, "logit_t")
    half = stats.t.ppf(0.975, 29) * row.se / (row.estimate * (1 - row.estimate))
    centre = math.log(row.estimate / (1 - row.estimate))
    bounds = [1 / (1 + math.exp(-(centre + side * half))) for side in (-1, 1)]
    assert [row.lo, row.hi] == pytest.approx(bounds)


def test_ties_are_half_a_win_or_left_out_or_counted():
    found = win_rate([1.0] * 58 + [0.5] * 14 + [0.0] * 28)
    assert found.win_rate.estimate == pytest.approx(0.65)
    assert found.decisive.estimate == pytest.approx(58 / 86)
    assert (found.decisive.n_items, found.ties.estimate) == (86, 0.14)
    assert win_rate([0.5, 0.5]).decisive is None


@given(rows, levels)
def test_exchanging_the_models_turns_the_win_rate_around(found, level):
    scores, prompts, people = unzipped(found)
    one = win_rate(scores, prompts, people, level)
    other = win_rate([1 - score for score in scores], prompts, people, level)
    pairs = [(one.win_rate, other.win_rate)]
    if one.decisive is not None:
        pairs.append((one.decisive, other.decisive))
    for row, turned in pairs:
        assert turned.estimate == pytest.approx(1 - row.estimate)
        if row.lo is not None:
            assert (turned.lo, turned.hi) == pytest.approx((1 - row.hi, 1 - row.lo), abs=1e-9)
    assert other.ties.estimate == one.ties.estimate


@given(rows, levels)
def test_bounds_never_leave_the_scale_and_hold_the_estimate(found, level):
    scores, prompts, people = unzipped(found)
    for row in (win_rate(scores, prompts, people, level).win_rate, win_rate(scores).ties):
        if row.lo is not None:
            assert 0.0 <= row.lo <= row.estimate <= row.hi <= 1.0
            assert row.hi > row.lo


@given(rows, st.randoms())
def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter(found, random):
    scores, prompts, people = unzipped(found)
    turned = random.sample(found, len(found))
    row = win_rate(scores, prompts, people).win_rate
    scores, prompts, people = unzipped(turned)
    again = win_rate(scores, [f"{name}!" for name in prompts], people).win_rate
    assert again.estimate == pytest.approx(row.estimate)
    assert again.method == row.method
    if row.lo is not None:
        assert (again.lo, again.hi) == pytest.approx((row.lo, row.hi), abs=1e-6)


def test_a_model_that_always_won_gets_wilsons_interval():
    row = win_rate([1.0] * 30).win_rate
    assert (row.lo, row.hi, row.method) == (wilson(30, 30).lo, 1.0, "wilson")
    by_three = win_rate([1.0] * 30, annotators=["a", "b", "c"] * 10).win_rate
    assert by_three.lo < 0.5


def test_one_prompt_has_no_interval():
    row = win_rate([1.0, 0.0, 1.0], ["p"] * 3).win_rate
    assert (row.estimate, row.se, row.lo, row.hi) == (pytest.approx(2 / 3), None, None, None)
    assert row.warnings == ("all judgments are of one prompt: no interval",)


@pytest.mark.parametrize(
    ("scores", "prompts", "told"),
    [
        ([], None, "no judgments"),
        ([1.2], None, "not in"),
        ([float("nan"), 1.0], None, "leave out what was not judged"),
        ([1.0, 0.0], ["p"], "2 outcomes, but not as many"),
    ],
)
def test_what_is_no_judgment_is_refused(scores, prompts, told):
    with pytest.raises(ValueError, match=told):
        win_rate(scores, prompts)


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 100, 400])
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_win_rates_are_covered_as_promised(n, rate):
    random, hits = np.random.default_rng(n), 0
    for _ in range(2000):
        decided = (random.random(n) < (rate - 0.05) / 0.9).astype(float)
        row = win_rate(np.where(random.random(n) < 0.1, 0.5, decided)).win_rate
        hits += row.lo <= rate <= row.hi
    assert 0.93 <= hits / 2000 <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("annotators", [10, 30])
def test_win_rates_of_prompts_and_annotators_are_covered_as_promised(annotators):
    random, hits, repeats = np.random.default_rng(annotators), 0, 1000
    for _ in range(repeats):
        prompts, people = random.integers(0, 100, 400), random.integers(0, annotators, 400)
        lean = random.normal(size=100)[prompts] + random.normal(size=annotators)[people]
        won = (lean + random.normal(size=400) > 0).astype(float)
        row = win_rate(won, [f"{at}" for at in prompts], [f"{at}" for at in people]).win_rate
        hits += row.lo <= 0.5 <= row.hi
    assert 0.92 <= hits / repeats <= 0.98
