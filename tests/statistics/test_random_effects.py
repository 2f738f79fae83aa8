"""The random-effects mean: reference values, other libraries, brute force, simulated coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from bench.statistics.random_effects import TAU_SCALE, normal_normal, random_effects

# Change of F1 from SFT to PPO-ptx of InstructGPT on six tasks, and half their 95% intervals.
# statistics.md, S8.
CHANGES = (-1.52, -4.95, 12.37, 8.65, 9.96, 17.79)
ERRORS = tuple(half / 1.96 for half in (8.37, 7.31, 7.53, 7.32, 7.52, 8.10))

some = settings(max_examples=30)
many = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.02, 0.5)), min_size=5, max_size=12)
few = st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(0.02, 0.3)), min_size=1, max_size=4)


def columns(rows):
    return tuple(list(column) for column in zip(*rows, strict=True))


def test_six_tasks_have_the_reference_values():
    found = random_effects(CHANGES, ERRORS)
    assert (found.method, found.n_tasks) == ("dersimonian_laird", 6)
    assert found.estimate == pytest.approx(7.039, abs=5e-4)
    assert found.se == pytest.approx(3.488, abs=5e-4)
    assert (found.q, found.tau2) == pytest.approx((23.81, 57.59), abs=5e-3)
    assert found.i2 == pytest.approx(0.790, abs=5e-4)
    assert found.shrunken == pytest.approx((0.54, -2.62, 11.28, 8.34, 9.37, 15.33), abs=5e-3)


@some
@given(many)
def test_many_tasks_are_pooled_as_by_statsmodels(rows):
    effects, errors = columns(rows)
    found = random_effects(effects, errors)
    with np.errstate(all="ignore"):  # its tau2 may fall below 0
        oracle = combine_effects(np.array(effects), np.square(errors), method_re="chi2", use_t=True)
    assert found.q == pytest.approx(oracle.q, abs=1e-9)
    assert found.tau2 == pytest.approx(max(0.0, oracle.tau2), abs=1e-9)
    if oracle.tau2 > 0:
        expected = (oracle.mean_effect_re, oracle.sd_eff_w_re)
        assert (found.estimate, found.se) == pytest.approx(expected)
        assert found.i2 == pytest.approx(oracle.i2)
        assert (found.lo, found.hi) == pytest.approx(oracle.conf_int()[1])


def posterior(effects, errors, scale, function):
    """The mean of `function` (mean, tau) by a fine sum over a plain grid of both."""
    tau = (np.arange(400)[:, None] + 0.5) / 400 * 8 * scale
    mean = np.linspace(-3, 3, 1201)
    log_density = stats.halfnorm.logpdf(tau, scale=scale) + 0 * mean
    for effect, error in zip(effects, errors, strict=True):
        log_density += stats.norm.logpdf(effect, mean, np.hypot(tau, error))
    density = np.exp(log_density - log_density.max())
    return float((density * function(mean, tau)).sum() / density.sum())


@pytest.mark.parametrize(
    ("effects", "errors", "scale"),
    [
        ((0.05, 0.12, -0.03), (0.04, 0.03, 0.05), 0.1),
        ((0.3, -0.2), (0.05, 0.08), 0.1),
        ((0.1, 0.1, 0.1, 0.1), (0.02, 0.04, 0.06, 0.08), 0.2),
    ],
)
def test_few_tasks_have_the_posterior_of_brute_force(effects, errors, scale):
    found = normal_normal(np.array(effects), np.array(errors), 0.9, scale)
    mean = posterior(effects, errors, scale, lambda mu, tau: mu)
    assert found.estimate == pytest.approx(mean, abs=2e-4)
    square = posterior(effects, errors, scale, lambda mu, tau: (mu - mean) ** 2)
    assert found.se == pytest.approx(square**0.5, abs=2e-4)
    assert found.tau2 == pytest.approx(
        posterior(effects, errors, scale, lambda mu, tau: tau**2), abs=2e-4
    )
    for bound, share in ((found.lo, 0.05), (found.hi, 0.95)):
        below = posterior(effects, errors, scale, lambda mu, tau, at=bound: mu < at)
        assert below == pytest.approx(share, abs=5e-3)
    first = posterior(
        effects,
        errors,
        scale,
        lambda mu, tau: (effects[0] * tau**2 + mu * errors[0] ** 2) / (tau**2 + errors[0] ** 2),
    )
    assert found.shrunken[0] == pytest.approx(first, abs=2e-4)


@some
@given(few)
def test_a_few_tasks_are_said_not_to_tell_how_much_tasks_differ(rows):
    found = random_effects(*columns(rows))
    assert found.method == "normal_normal"
    assert "do not tell how much tasks differ" in found.warnings[0]
    assert found.new_lo <= found.lo <= found.estimate <= found.hi <= found.new_hi


def test_effects_far_apart_for_the_prior_are_warned_of():
    told = random_effects([12.4, 8.7, -5.0], [2.0, 2.0, 2.0]).warnings
    assert told[1].endswith("is its scale in units of the estimates?")
    assert len(random_effects([12.4, 8.7, -5.0], [2.0, 2.0, 2.0], tau_scale=10).warnings) == 1


@some
@given(st.one_of(many, few), st.floats(0.1, 10))
def test_units_do_not_matter(rows, unit):
    effects, errors = columns(rows)
    scaled = [unit * effect for effect in effects], [unit * error for error in errors]
    found, other = random_effects(effects, errors), random_effects(*scaled, tau_scale=0.1 * unit)
    assert other.estimate == pytest.approx(unit * found.estimate, abs=1e-6)
    assert (other.lo, other.hi) == pytest.approx((unit * found.lo, unit * found.hi), abs=1e-6)
    assert other.tau2 == pytest.approx(unit**2 * found.tau2, abs=1e-6)


@some
@given(st.one_of(many, few), st.randoms())
def test_the_order_of_tasks_does_not_matter(rows, random):
    order = random.sample(range(len(rows)), len(rows))
    found = random_effects(*columns(rows))
    turned = random_effects(*columns([rows[at] for at in order]))
    assert (turned.lo, turned.hi) == pytest.approx((found.lo, found.hi), abs=1e-9)
    assert turned.shrunken == pytest.approx([found.shrunken[at] for at in order], abs=1e-9)


@some
@given(st.one_of(many, few))
def test_the_other_direction_is_the_same_number_below_0(rows):
    effects, errors = columns(rows)
    found, flipped = (random_effects(np.multiply(sign, effects), errors) for sign in (1, -1))
    assert flipped.estimate == pytest.approx(-found.estimate, abs=1e-9)
    assert (flipped.lo, flipped.hi) == pytest.approx((-found.hi, -found.lo), abs=1e-9)
    assert (flipped.new_lo, flipped.new_hi) == pytest.approx(
        (-found.new_hi, -found.new_lo), abs=1e-9
    )


@some
@given(st.one_of(many, few))
def test_tasks_are_drawn_towards_the_mean_and_not_past_it(rows):
    effects, errors = columns(rows)
    found = random_effects(effects, errors)
    for effect, shrunken in zip(effects, found.shrunken, strict=True):
        low, high = sorted((effect, found.estimate))
        if found.method == "dersimonian_laird":
            assert low - 1e-9 <= shrunken <= high + 1e-9


def test_a_missing_task_keeps_its_place():
    found = random_effects([None, *CHANGES], [0.1, *ERRORS])
    assert found.shrunken[0] is None
    assert found.shrunken[1:] == random_effects(CHANGES, ERRORS).shrunken
    assert found.warnings == ("tasks left out, without estimate or standard error: 1",)


def test_tasks_that_agree_have_no_variance_between_them():
    found = random_effects([0.1] * 6, [0.05] * 6)
    assert (found.tau2, found.i2) == (0.0, 0.0)
    assert found.shrunken == pytest.approx([0.1] * 6)
    assert found.se == pytest.approx(0.05 / 6**0.5)


@pytest.mark.parametrize(
    ("effects", "told"), [([], "no tasks"), ([0.0] * 7, "nothing varies in any task")]
)
def test_nothing_known_has_no_standard_error(effects, told):
    found = random_effects(effects, [0.0] * len(effects))
    assert (found.se, found.lo, found.tau2, found.method) == (None, None, None, "none")
    assert found.warnings[-1] == told


def coverage(count: int, tau: float | None, repeats: int = 1000) -> tuple[float, float]:
    """How often the mean and a new task are covered; tau is drawn from the prior where None."""
    random, hits = np.random.default_rng(count), np.zeros(2)
    for _ in range(repeats):
        errors = random.uniform(0.02, 0.08, count)
        apart = abs(random.normal(0, TAU_SCALE)) if tau is None else tau
        found = random_effects(random.normal(0.1, np.hypot(apart, errors)), errors)
        new = random.normal(0.1, apart)
        hits += found.lo <= 0.1 <= found.hi, found.new_lo <= new <= found.new_hi
    return hits[0] / repeats, hits[1] / repeats


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_tasks_are_covered_as_promised_where_tau_is_as_the_prior_says(count):
    assert coverage(count, None) == pytest.approx((0.95, 0.95), abs=0.025)


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("count", [6, 20])
def test_many_tasks_are_covered_as_promised(count, tau):
    mean, new = coverage(count, tau)
    assert mean >= 0.93
    assert new >= 0.87
