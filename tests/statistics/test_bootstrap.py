"""Bootstrap intervals of a mean: another library, invariants, simulated coverage, speed."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.bootstrap import FEW_UNITS, bootstrap_interval
from bench.statistics.intervals import mean_interval
from bench.statistics.scale import UNBOUNDED

units = st.floats(0, 1, allow_subnormal=False) | st.sampled_from([0.0, 1.0])
names = st.sampled_from([f"{letter}{digit}" for letter in "abcdefgh" for digit in range(9)])
rows = st.lists(st.tuples(units, names), min_size=2, max_size=120)


@pytest.mark.parametrize(("n", "skew"), [(60, (0.2, 1.8)), (200, (1, 9)), (500, (0.4, 0.6))])
def test_many_items_get_scipys_bca_interval(n, skew):
    values = np.random.default_rng(n).beta(*skew, n)
    oracle = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1)
    found = bootstrap_interval(values.tolist())
    assert found.method == "bootstrap_bca"
    bounds = tuple(oracle.confidence_interval)
    assert (found.lo, found.hi) == pytest.approx(bounds, abs=0.08 * found.se)


def test_few_items_get_wider_percentiles_than_plain_draws_and_as_wide_as_t():
    values = np.random.default_rng(0).beta(2, 3, 15)
    plain = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1)
    found = bootstrap_interval(values.tolist())
    assert found.method == "bootstrap_smoothed"
    width = plain.confidence_interval.high - plain.confidence_interval.low
    # Scott's bandwidth adds 1.06^2 n^(-2/5) to the variance, which plain draws have (n - 1) / n of.
    expected = np.sqrt((14 / 15 + 1.06**2 * 15**-0.4) / (14 / 15))
    assert (found.hi - found.lo) / width == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("groups", [12, 80])
def test_clusters_are_drawn_whole(groups):
    means = np.random.default_rng(groups).beta(1, 3, groups)
    rows = np.repeat(means, 4).tolist()
    clusters = np.repeat(np.arange(groups), 4).astype(str).tolist()
    whole = bootstrap_interval(rows, clusters, seed=1)
    assert (whole.n_items, whole.n_clusters) == (4 * groups, groups)
    alone = bootstrap_interval(means.tolist(), seed=1)
    assert (whole.lo, whole.hi) == pytest.approx((alone.lo, alone.hi), abs=1e-6)
    assert whole.hi - whole.lo > 1.5 * np.diff(_bounds(bootstrap_interval(rows)))[0]


def test_clusters_of_different_sizes_vary_as_cr1_says():
    random = np.random.default_rng(5)
    sizes = random.integers(1, 12, 120)
    rows = (random.beta(1, 2, 120).repeat(sizes) + random.random(sizes.sum())) / 2
    clusters = np.repeat(np.arange(120), sizes).astype(str).tolist()
    found = bootstrap_interval(rows.tolist(), clusters)
    expected = mean_interval(rows.tolist(), clusters)
    assert (found.lo, found.hi) == pytest.approx((expected.lo, expected.hi), abs=0.2 * found.se)


@settings(max_examples=40)
@given(rows, st.randoms())
def test_the_order_of_rows_and_the_names_of_clusters_change_nothing(found, random):
    turned = random.sample(found, len(found))
    one = bootstrap_interval([v for v, _ in found], [name for _, name in found], draws=500)
    two = bootstrap_interval([v for v, _ in turned], [f"{n}!" for _, n in turned], draws=500)
    assert (two.lo, two.hi) == pytest.approx((one.lo, one.hi), abs=1e-9)
    assert (two.method, two.seed, two.warnings) == (one.method, one.seed, one.warnings)


@settings(max_examples=40)
@given(st.lists(units, min_size=2, max_size=120), st.sampled_from([(0.5, 0.9), (0.9, 0.999)]))
def test_bounds_stay_inside_the_scale_and_more_confidence_is_wider(values, levels):
    narrow, wide = (bootstrap_interval(values, level=level, draws=500) for level in levels)
    assert 0.0 <= wide.lo <= narrow.lo + 1e-12
    assert narrow.lo <= narrow.estimate <= narrow.hi
    assert narrow.hi - 1e-12 <= wide.hi <= 1.0


def test_plain_draws_never_leave_the_range_of_the_scores():
    values = [0.2] * FEW_UNITS + [0.9]
    found = bootstrap_interval(values, level=0.9999)
    assert found.method == "bootstrap_bca"
    assert 0.2 <= found.lo < found.estimate < found.hi <= 0.9


@pytest.mark.parametrize("values", [[0.4] * 30, [1.0] * 80, [0.5]])
def test_nothing_varying_leaves_what_the_mean_interval_leaves(values):
    assert bootstrap_interval(values) == mean_interval(values)


@pytest.mark.parametrize("n", [20, 80])
def test_other_scales_give_the_same_interval(n):
    values = np.random.default_rng(n).beta(1, 3, n)
    found = bootstrap_interval(values.tolist())
    percent = bootstrap_interval((100 * values).tolist(), bounds=(0.0, 100.0))
    assert (percent.lo, percent.hi) == pytest.approx((100 * found.lo, 100 * found.hi))
    free = bootstrap_interval((values - 7).tolist(), bounds=UNBOUNDED)
    assert (free.lo + 7, free.hi + 7) == pytest.approx(_bounds(found), abs=0.4 * found.se)


@pytest.mark.parametrize("n", [12, 80])
def test_amounts_never_fall_below_nothing(n):
    values = np.random.default_rng(n).lognormal(3, 1.5, n).tolist()
    found = bootstrap_interval(values, level=0.999, bounds=(0.0, math.inf))
    assert 0.0 < found.lo < found.estimate < found.hi
    mirrored = bootstrap_interval(
        [-value for value in values], level=0.999, seed=found.seed, bounds=(-math.inf, 0.0)
    )
    assert (mirrored.lo, mirrored.hi) == pytest.approx((-found.hi, -found.lo), abs=0.5 * found.se)


def test_draws_follow_from_the_data_or_from_a_given_seed():
    values = np.random.default_rng(0).random(100).tolist()
    assert bootstrap_interval(values) == bootstrap_interval(values)
    given_seed = bootstrap_interval(values, seed=7)
    assert given_seed.seed == 7
    assert _bounds(given_seed) != _bounds(bootstrap_interval(values))


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 100, 400])
@pytest.mark.parametrize("kind", ["f1", "bathtub", "skewed"])
def test_graded_scores_are_covered_as_promised(n, kind):
    random, hits = np.random.default_rng(n), 0
    truth = {"f1": 0.375, "bathtub": 0.4, "skewed": 0.2}[kind]
    for _ in range(1500):
        if kind == "f1":  # half are 0, a quarter 1, a quarter between
            part, between = random.integers(0, 4, n), random.random(n)
            values = np.where(part < 2, 0.0, np.where(part == 2, 1.0, between))
        else:
            values = random.beta(*((0.4, 0.6) if kind == "bathtub" else (0.6, 2.4)), n)
        found = bootstrap_interval(values.tolist(), draws=1000)
        hits += found.lo <= truth <= found.hi
    assert 0.93 <= hits / 1500 <= 1.0


@pytest.mark.slow
def test_thirty_tasks_of_a_thousand_items_take_less_than_a_second_of_one_core():
    random = np.random.default_rng(0)
    tasks = [random.beta(0.4, 0.6, 1000).tolist() for _ in range(30)]
    seconds = []
    for _ in range(3):
        start = time.process_time()
        for scores in tasks:
            bootstrap_interval(scores)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1.0


def _bounds(found):
    return found.lo, found.hi
