"""PPI++: reference values, the authors' library, invariants, simulated coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.prediction_powered import prediction_powered
from bench.statistics.winrate import win_rate

LABELS = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1]
JUDGED = [1, 1, 1, 1, 0, 1, 1, 0, 1, 0]
OTHERS = [1] * 750 + [0] * 250
seeds = st.integers(0, 2**32 - 1)


def scene(random, n=60, others=600, right=0.8, rate=0.6):
    """Labels of people, a judge that is right so often, and what it says of the other items."""
    truth = random.random(n + others) < rate
    judged = np.where(random.random(n + others) < right, truth, ~truth).astype(float)
    return truth[:n].astype(float), judged[:n], judged[n:]


@pytest.mark.parametrize(
    ("power", "estimate", "error"), [(0.0, 0.7, 0.15275), (1.0, 0.75, 0.14970)]
)
def test_fixed_powers_have_the_reference_values(power, estimate, error):
    found = prediction_powered(LABELS, JUDGED, OTHERS, power)
    assert found.estimate.estimate == pytest.approx(estimate, abs=5e-6)
    assert found.estimate.se == pytest.approx(error, abs=5e-6)
    assert found.human.se == pytest.approx(0.15275, abs=5e-6)


def test_the_best_power_is_that_of_ppi_python():
    # ppi-python 0.2.3 gives lambda 0.57952 and 0.72898.
    found = prediction_powered(LABELS, JUDGED, OTHERS)
    assert found.power == pytest.approx(0.57952, abs=1e-3)
    assert found.estimate.estimate == pytest.approx(0.72898, abs=1e-4)
    assert found.estimate.se < 0.14970
    assert found.efficiency == pytest.approx((found.human.se / found.estimate.se) ** 2)


@pytest.mark.parametrize("power", [0.3, 1.0, None])
def test_estimates_are_those_of_ppi_python(power):
    ppi = pytest.importorskip("ppi_py")
    labels, judged, others = scene(np.random.default_rng(1))
    found = prediction_powered(labels, judged, others, power).estimate
    expected = float(np.squeeze(ppi.ppi_mean_pointestimate(labels, judged, others, lam=power)))
    assert found.estimate == pytest.approx(expected, abs=1e-4)
    lo, hi = ppi.ppi_mean_ci(labels, judged, others, alpha=0.05, lam=power)
    error = float(np.squeeze(hi - lo)) / (2 * 1.959964)
    assert found.se == pytest.approx(error * np.sqrt(60 / 59), abs=1e-3)


@given(seeds, st.sampled_from([None, 0.0, 0.5, 1.0]))
def test_exchanging_the_models_turns_the_estimate_around(seed, power):
    columns = scene(np.random.default_rng(seed))
    found = prediction_powered(*columns, power).estimate
    turned = prediction_powered(*(1 - column for column in columns), power).estimate
    assert turned.estimate == pytest.approx(1 - found.estimate)
    assert turned.se == pytest.approx(found.se)
    assert (turned.lo, turned.hi) == pytest.approx((1 - found.hi, 1 - found.lo))


@given(seeds)
def test_the_order_of_items_does_not_matter(seed):
    random = np.random.default_rng(seed)
    labels, judged, others = scene(random)
    order = random.permutation(labels.size)
    found = prediction_powered(labels, judged, others).estimate
    again = prediction_powered(labels[order], judged[order], others[::-1]).estimate
    assert (again.estimate, again.se) == pytest.approx((found.estimate, found.se))


def test_no_power_is_people_alone():
    found = prediction_powered(LABELS, JUDGED, OTHERS, power=0.0)
    assert found.estimate == found.human == win_rate(LABELS).win_rate
    assert (found.power, found.efficiency) == (0.0, 1.0)


@pytest.mark.parametrize("judged", [[1 - label for label in LABELS], [1] * 10])
def test_a_judge_that_tells_nothing_is_not_asked(judged):
    found = prediction_powered(LABELS, judged, [1] * 50)
    assert found.power == 0.0
    told = ("with the judge no rate, error or gain: people alone",)
    assert found.estimate.warnings == told
    assert found.estimate.estimate == 0.7


def test_an_estimate_that_is_no_rate_becomes_that_of_people():
    labels, judged = [1.0] * 9 + [0.0], [0.0] * 9 + [1.0]
    found = prediction_powered(labels, judged, [1.0] * 50 + [0.0] * 10, power=1.0)
    assert found.estimate.estimate == pytest.approx(0.9)
    assert found.power == 0.0


@pytest.mark.parametrize(
    ("errors", "others", "told"),
    [
        (15, 570, ()),
        (46, 520, ("the judge's correlation with people, 0.08, is too low to help",)),
        (1, 600, ("the judge differs from people on 1 labels: the error may be too small",)),
        (15, 50, ("the judge gives labelled items 0.570 and others 0.050: were they drawn",)),
    ],
)
def test_what_breaks_the_promise_is_told(errors, others, told):
    """Of 100 labels 60 are 1; the judge's errors are spread over both kinds."""
    labels, judged = np.array([1.0] * 60 + [0.0] * 40), np.array([1.0] * 60 + [0.0] * 40)
    wrong = np.linspace(0, 99, errors).astype(int)
    judged[wrong] = 1 - judged[wrong]
    found = prediction_powered(labels, judged, [1.0] * others + [0.0] * (1000 - others))
    assert len(found.estimate.warnings) == len(told)
    for warning, start in zip(found.estimate.warnings, told, strict=True):
        assert warning.startswith(start)


@pytest.mark.parametrize(
    ("labels", "judged", "others"),
    [([1, 0], [1], [1, 0]), ([1], [1], [1, 0]), ([1, 0], [1, 0], [1]), ([1, 2], [1, 0], [1, 0])],
)
def test_columns_that_do_not_fit_are_refused(labels, judged, others):
    with pytest.raises(ValueError, match="expected"):
        prediction_powered(labels, judged, others)


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100, 400])
def test_rates_are_covered_as_promised_and_known_better_than_by_people_alone(n):
    random, hits, gain = np.random.default_rng(n), 0, []
    for _ in range(2000):
        found = prediction_powered(*scene(random, n=n, others=2000))
        hits += found.estimate.lo <= 0.6 <= found.estimate.hi
        gain.append(found.efficiency)
    assert 0.93 <= hits / 2000 <= 0.98
    assert np.median(gain) > 1.2
