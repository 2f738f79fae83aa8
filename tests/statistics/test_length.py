"""Length-controlled win rates: statsmodels' fractional logit, refits, symmetry, planted truths."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.fractional_logit import fit_logits
from bench.statistics.length import (
    LengthJudgments,
    length_controlled,
    length_controlled_difference,
)
from bench.statistics.length_bootstrap import length_controlled_bootstrap
from tests.statistics.judged import panda

seeds = st.integers(0, 2**32 - 1)


def scene(random, n=300, quality=0.0, bias=1.5, longer=100.0, hard=None) -> LengthJudgments:
    """A judge with a bias for length: at equal length the model wins with log-odds `quality`."""
    lengths = random.normal(longer, 300, n)
    odds = quality + bias * np.tanh(lengths / lengths.std())
    odds = odds if hard is None else odds + hard
    preferences = 1 / (1 + np.exp(-odds - random.normal(0, 1, n)))
    preferences = np.where(random.random(n) < 0.5, preferences, preferences > 0.5)
    return LengthJudgments(preferences.tolist(), lengths.tolist())


def panda_pair(longer="llama-7b", baseline="bloom-7b") -> LengthJudgments:
    """People's judgments of one model against another, one item a pair of answers."""
    rows = panda()
    rows = rows[rows.cmp_key == f"{baseline}_{longer}"]
    votes = {"0": 0.5, "1": 0.0, "2": 1.0}
    people = [rows[f"annotator{at}"].astype(str).map(votes).to_numpy(float) for at in (1, 2, 3)]
    lengths = (rows.response2.str.len() - rows.response1.str.len()).to_numpy(float)
    return LengthJudgments(np.mean(people, axis=0).tolist(), lengths.tolist())


def of_statsmodels(judged, difficulty=None):
    """Estimate and delta-method error of statsmodels' GLM; without a difficulty only."""
    x = np.tanh(np.array(judged.length_differences) / np.std(judged.length_differences))
    columns = np.stack([np.ones(x.size), x], axis=1)
    groups = np.arange(x.size) if judged.prompts is None else judged.prompts
    groups = np.unique(groups, return_inverse=True)[1]
    model = sm.GLM(np.array(judged.preferences), columns, family=sm.families.Binomial())
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, tol=1e-12)
    rate = 1 / (1 + np.exp(-fitted.params[0]))
    # Its sandwich has (n - 1) / (n - 2) besides G / (G - 1).
    error = fitted.bse[0] * np.sqrt((x.size - 2) / (x.size - 1))
    return rate, rate * (1 - rate) * error


@settings(max_examples=20)
@given(seeds, st.booleans())
def test_the_estimate_and_its_error_are_those_of_statsmodels(seed, clustered):
    random = np.random.default_rng(seed)
    judged = scene(random)
    if clustered:
        judged = replace(judged, prompts=[str(at) for at in random.integers(0, 60, 300)])
    row = length_controlled(judged).controlled
    rate, error = of_statsmodels(judged)
    assert (row.estimate, row.se) == pytest.approx((rate, error), abs=1e-6)
    assert row.n_clusters == (len(set(judged.prompts)) if clustered else 300)


def test_pandalms_pair_is_that_of_statsmodels():
    judged = panda_pair()
    found = length_controlled(judged)
    rate, error = of_statsmodels(judged)
    assert (found.controlled.estimate, found.controlled.se) == pytest.approx((rate, error))
    assert found.raw.estimate == pytest.approx(np.mean(judged.preferences))


def test_fractional_logits_are_those_of_statsmodels_weighting_by_weighting():
    random = np.random.default_rng(1)
    design = np.stack([np.ones(80), random.normal(size=80), random.normal(size=80)])
    y, weights = random.random(80), random.integers(0, 4, (5, 80)).astype(float)
    found = fit_logits(design[None], y, weights)
    for coefficients, weight in zip(found, weights, strict=True):
        model = sm.GLM(y, design.T, family=sm.families.Binomial(), freq_weights=weight)
        assert coefficients == pytest.approx(model.fit(tol=1e-12).params, abs=1e-6)


def test_separated_weightings_have_no_coefficients_and_leave_the_others_alone():
    design = np.stack([np.ones(6), np.array([-3.0, -2, -1, 1, 2, 3])])[None]
    y = np.array([0.0, 0, 1, 0, 1, 1])
    weights = np.array([[1.0] * 6, [1.0, 1, 0, 0, 1, 1]])
    found = fit_logits(design, y, weights)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert fit_logits(design, y, weights[:1])[0] == pytest.approx(found[0])


def test_a_gain_of_length_alone_is_gone_at_equal_length():
    judged = scene(np.random.default_rng(2), n=2000, quality=0.0, bias=2.0, longer=300.0)
    found = length_controlled(judged)
    assert found.raw.estimate > 0.7
    assert found.controlled.lo < 0.5 < found.controlled.hi


def test_what_length_does_not_explain_stays():
    judged = scene(np.random.default_rng(3), n=2000, quality=1.0, bias=0.0, longer=300.0)
    found = length_controlled(judged)
    assert found.controlled.estimate == pytest.approx(found.raw.estimate, abs=0.03)
    assert found.controlled.se > found.raw.se


@settings(max_examples=25)
@given(seeds)
def test_exchanging_the_models_turns_the_estimate_around(seed):
    judged = scene(np.random.default_rng(seed), quality=0.5)
    turned = LengthJudgments(
        [1 - one for one in judged.preferences], [-one for one in judged.length_differences]
    )
    row, other = (length_controlled(each).controlled for each in (judged, turned))
    assert other.estimate == pytest.approx(1 - row.estimate, abs=1e-7)
    assert other.se == pytest.approx(row.se, abs=1e-7)
    assert (other.lo, other.hi) == pytest.approx((1 - row.hi, 1 - row.lo), abs=1e-7)


@settings(max_examples=25)
@given(seeds, st.floats(0.01, 100))
def test_the_order_of_items_and_the_unit_of_length_do_not_matter(seed, unit):
    random = np.random.default_rng(seed)
    judged = scene(random)
    order = random.permutation(300)
    turned = LengthJudgments(
        [judged.preferences[at] for at in order],
        [judged.length_differences[at] * unit for at in order],
    )
    row, again = (length_controlled(each).controlled for each in (judged, turned))
    assert (again.estimate, again.se) == pytest.approx((row.estimate, row.se), abs=1e-7)


def test_a_difficulty_is_averaged_over_the_items_and_explains_noise():
    random = np.random.default_rng(4)
    hard = random.normal(0, 2, 1500)
    judged = scene(random, n=1500, quality=0.3, hard=hard)
    plain, adjusted = (
        length_controlled(each).controlled for each in (judged, replace(judged, difficulty=hard))
    )
    expected = np.mean(1 / (1 + np.exp(-0.3 - hard)))
    assert adjusted.estimate == pytest.approx(expected, abs=0.05)
    assert adjusted.se < plain.se
    refitted = length_controlled_bootstrap(replace(judged, difficulty=hard), resamples=400)
    assert refitted.se == pytest.approx(adjusted.se, rel=0.1)


@pytest.mark.parametrize(
    ("longer", "told"),
    [
        (lambda at: at - 20, "only 20 of 200 answers are as short as the baseline's or shorter"),
        (lambda at: -at + 5, "only 6 of 200 answers are as long as the baseline's or longer"),
        (lambda at: at + 1, "only 0 of 200 answers are as short as the baseline's or shorter"),
    ],
)
def test_without_answers_of_both_lengths_it_is_not_identified(longer, told):
    judged = LengthJudgments([at % 3 / 2 for at in range(200)], [longer(at) for at in range(200)])
    found = length_controlled(judged)
    if told.startswith("only 20"):
        assert found.controlled.estimate is not None  # a tenth is enough
        return
    row = found.controlled
    assert (row.estimate, row.se, row.lo, row.hi) == (None, None, None, None)
    assert (row.method, row.warnings) == ("not_identified", (told,))
    assert found.raw.estimate == pytest.approx(0.5, abs=0.01)
    assert found.influence is None


def test_few_items_of_one_side_are_not_enough():
    lengths = [-1.0] * 9 + [1.0] * 11
    judged = LengthJudgments([0.0, 1.0] * 10, lengths)
    assert length_controlled(judged).controlled.method == "not_identified"
    judged = LengthJudgments([0.0, 1.0] * 11, [*lengths, -1.0, 1.0])
    assert length_controlled(judged).controlled.method == "logit_t"


@pytest.mark.parametrize("always", [True, False])
def test_wins_that_length_separates_are_not_identified(always):
    lengths = np.linspace(-100, 100, 100)
    judged = LengthJudgments([1.0] * 100 if always else (lengths > 0).tolist(), lengths.tolist())
    row = length_controlled(judged).controlled
    assert (row.estimate, row.method) == (None, "not_identified")
    assert row.warnings == ("wins and losses are separated: no finite fit",)
    assert length_controlled_bootstrap(judged) == row


def test_of_equal_lengths_the_estimate_is_the_win_rate():
    found = length_controlled(LengthJudgments([1.0] * 30 + [0.5] * 5 + [0.0] * 15, [0.0] * 50))
    assert found.controlled.estimate == pytest.approx(found.raw.estimate)
    assert (found.controlled.se, found.controlled.lo) == pytest.approx((found.raw.se, found.raw.lo))


@settings(max_examples=20)
@given(seeds)
def test_the_difference_of_two_models_is_paired_and_changes_its_sign(seed):
    random = np.random.default_rng(seed)
    hard = random.normal(0, 2, 300)
    child = scene(random, quality=0.5, hard=hard)
    parent = scene(random, quality=0.0, hard=hard)
    found = length_controlled_difference(child, parent)
    turned = length_controlled_difference(parent, child)
    one, other = (length_controlled(each).controlled for each in (child, parent))
    assert found.estimate == pytest.approx(one.estimate - other.estimate)
    assert turned.estimate == pytest.approx(-found.estimate)
    assert (turned.lo, turned.hi) == pytest.approx((-found.hi, -found.lo))
    assert found.se < np.hypot(one.se, other.se)
    assert -1 <= found.lo < found.estimate < found.hi <= 1


def test_a_difference_needs_the_same_items_and_two_estimates():
    random = np.random.default_rng(6)
    judged = scene(random)
    with pytest.raises(ValueError, match="different items"):
        length_controlled_difference(judged, scene(random, n=200))
    far = scene(random, longer=2000.0)
    for pair in ((judged, far), (far, judged)):
        row = length_controlled_difference(*pair)
        assert (row.estimate, row.method) == (None, "not_identified")
        assert "as short as the baseline's" in row.warnings[0]
    assert length_controlled_difference(judged, judged).se is None


@pytest.mark.parametrize("paired", [False, True])
def test_refits_agree_with_the_sandwich_and_depend_on_no_order(paired):
    random = np.random.default_rng(7)
    child, parent = scene(random, quality=0.5), scene(random)
    against = parent if paired else None
    row = (
        length_controlled_difference(child, parent)
        if paired
        else length_controlled(child).controlled
    )
    found = length_controlled_bootstrap(child, against)
    assert found.estimate == row.estimate
    assert found.se == pytest.approx(row.se, rel=0.1)
    assert (found.lo, found.hi) == pytest.approx((row.lo, row.hi), abs=0.01)
    assert (found.method, found.n_items, found.df) == ("bootstrap", 300, None)
    order = random.permutation(300)
    sides = [
        LengthJudgments(
            [each.preferences[at] for at in order], [each.length_differences[at] for at in order]
        )
        for each in (child, parent)
    ]
    again = length_controlled_bootstrap(sides[0], sides[1] if paired else None)
    assert again.seed == found.seed
    assert (again.lo, again.hi) == pytest.approx((found.lo, found.hi), abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"length_differences": [1.0]}, "not as many lengths"),
        ({"difficulty": [1.0]}, "not as many lengths"),
        ({"preferences": [2.0, 1.0]}, "not in"),
        ({"length_differences": [float("nan"), 1.0]}, "a length or a difficulty is missing"),
        ({"preferences": [], "length_differences": []}, "0 preferences"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changed, told):
    with pytest.raises(ValueError, match=told):
        length_controlled(replace(LengthJudgments([1.0, 0.0], [1.0, -1.0]), **changed))


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100, 400])
def test_win_rates_at_equal_length_are_covered_as_promised(n):
    random, hits, refitted, repeats = np.random.default_rng(n), 0, 0, 0
    truth = 1 / (1 + np.exp(-0.5))
    while repeats < 1000:
        lengths = random.normal(100, 300, n)
        chance = 1 / (1 + np.exp(-0.5 - 1.5 * np.tanh(lengths / 300)))
        judged = LengthJudgments((random.random(n) < chance).astype(float), lengths)
        row = length_controlled(judged).controlled
        if row.estimate is None:  # too few answers of one side, for fifty items now and then
            continue
        repeats += 1
        hits += row.lo <= truth <= row.hi
        row = length_controlled_bootstrap(judged, resamples=200)
        refitted += row.lo <= truth <= row.hi
    assert 0.93 <= hits / repeats <= 0.98
    assert 0.91 <= refitted / repeats <= 0.98
