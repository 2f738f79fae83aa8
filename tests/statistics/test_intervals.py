"""Intervals of a mean: reference values, other libraries, invariants, simulated coverage."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from bench.statistics.clusters import FEW_CLUSTERS
from bench.statistics.intervals import beta_credible, clopper_pearson, mean_interval, wilson
from bench.statistics.scale import UNBOUNDED
from tests.statistics.contingency import (
    LARGE_TRUTHFUL_AND_INFORMATIVE,
    XL_TRUTHFUL,
    clustered_rows,
)

levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
units = st.floats(0, 1, allow_subnormal=False)
graded = st.lists(units, min_size=1, max_size=40)
binary = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40)
names = st.sampled_from("abcdefgh")
clustered = st.lists(st.tuples(units | st.sampled_from([0.0, 1.0]), names), min_size=1, max_size=40)


def cr1_error(values: np.ndarray, clusters: list[str]) -> float:
    """Liang & Zeger's standard error of a mean, one cluster after another."""
    residuals = values - values.mean()
    groups = sorted(set(clusters))
    sums = [sum(e for e, c in zip(residuals, clusters, strict=True) if c == g) for g in groups]
    return math.sqrt(len(groups) / (len(groups) - 1) * sum(s * s for s in sums)) / len(values)


@pytest.mark.parametrize(
    ("successes", "n", "lo", "hi"),
    [
        (27, 30, 0.7438, 0.9654),
        (30, 30, 0.8865, 1.0),
        (0, 20, 0.0, 0.1611),
        (185, 805, 0.2021, 0.2601),
        (423, 774, 0.511, 0.581),
    ],
)
def test_wilson_has_the_reference_values(successes, n, lo, hi):
    found = wilson(successes, n)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=5e-4)
    assert found.estimate == successes / n
    assert found.method == "wilson"


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), levels)
def test_wilson_is_statsmodels(counts, level):
    found = wilson(*counts, level)
    expected = proportion_confint(*counts, alpha=1 - level, method="wilson")
    assert (found.lo, found.hi) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("interval", "successes", "n", "lo", "hi"),
    [
        (clopper_pearson, 27, 30, 0.7347, 0.9789),
        (beta_credible, 27, 30, 0.7425, 0.9637),
        (beta_credible, 30, 30, 0.8878, 0.9992),
    ],
)
def test_the_other_intervals_of_a_proportion_have_the_reference_values(
    interval, successes, n, lo, hi
):
    found = interval(successes, n)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=5e-5)
    assert (found.estimate, found.method) == (successes / n, interval.__name__)


def test_jeffreys_prior_gives_his_interval():
    found = beta_credible(27, 30, prior=(0.5, 0.5))
    assert (found.lo, found.hi) == pytest.approx((0.7566, 0.9710), abs=5e-5)
    expected = proportion_confint(27, 30, method="jeffreys")
    assert (found.lo, found.hi) == pytest.approx(expected)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), levels)
def test_clopper_and_pearsons_interval_is_statsmodels(counts, level):
    found = clopper_pearson(*counts, level)
    expected = proportion_confint(*counts, alpha=1 - level, method="beta")
    assert (found.lo, found.hi) == pytest.approx(expected, abs=1e-9)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_and_pearsons_interval_holds_wilsons_but_for_the_edges(counts):
    wide, narrow = clopper_pearson(*counts), wilson(*counts)
    assert wide.hi - wide.lo >= narrow.hi - narrow.lo - 0.02
    assert (wide.estimate, wide.se, wide.n_items) == (narrow.estimate, narrow.se, narrow.n_items)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, beta_credible])
@pytest.mark.parametrize(("successes", "n"), [(1, 0), (0, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_refused(interval, successes, n):
    with pytest.raises(ValueError, match=f"{successes} successes of {n}"):
        interval(successes, n)


@given(binary, levels)
def test_zeros_and_ones_get_wilsons_interval(values, level):
    expected = wilson(int(sum(values)), len(values), level)
    assert mean_interval(values, level=level) == expected


@given(st.lists(st.floats(0.3, 0.7), min_size=10, max_size=60), levels)
def test_graded_scores_get_students_t(values, level):
    if np.ptp(values) < 1e-6:
        values = [0.3, 0.7, *values]
    found = mean_interval(values, level=level)
    error = stats.sem(values)
    expected = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=error)
    assert found.method == "t"
    assert (found.lo, found.hi) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("counts", "difference", "error", "bounds"),
    [
        (XL_TRUTHFUL, -0.07667, 0.04207, (-0.16015, 0.00681)),
        (LARGE_TRUTHFUL_AND_INFORMATIVE, 0.24, 0.03484, (0.1709, 0.3091)),
    ],
)
def test_clustered_errors_have_the_reference_values(counts, difference, error, bounds):
    values, clusters = clustered_rows(counts)
    found = mean_interval(values, clusters, bounds=(-1.0, 1.0))
    assert (found.n_items, found.n_clusters, found.method) == (300, 100, "t_clustered")
    assert (found.estimate, found.se) == pytest.approx((difference, error), abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx(bounds, abs=5e-4)
    assert found.df == 99


@given(st.lists(st.tuples(st.floats(0.4, 0.6), names), min_size=12, max_size=60), levels)
def test_clustered_errors_are_cr1_and_those_of_clustered_least_squares(rows, level):
    rows = [(0.4, "a"), (0.5, "b"), (0.6, "c"), *rows]
    values, clusters = np.array([value for value, _ in rows]), [name for _, name in rows]
    groups = np.unique(clusters, return_inverse=True)[1]
    fitted = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    error = cr1_error(values, clusters)
    assert fitted.bse[0] == pytest.approx(error)
    found = mean_interval(values.tolist(), clusters, level)
    if found.method == "t_clustered":
        half = stats.t.ppf((1 + level) / 2, len(set(clusters)) - 1) * error
        assert (found.lo, found.hi) == pytest.approx((values.mean() - half, values.mean() + half))


def test_every_item_its_own_cluster_is_no_clustering():
    values = [0.1, 0.4, 0.5, 0.9, 0.3, 0.6]
    assert mean_interval(values, list("abcdef")) == mean_interval(values)
    assert mean_interval([1.0, 0.0, 1.0], list("abc")).method == "wilson"


def test_clustered_proportions_get_wilsons_interval_at_the_effective_sample_size():
    values = np.array([1.0, 1.0, 0.0, 0.0] * 15 + [1.0, 0.0] * 10)
    clusters = [str(place // 2) for place in range(80)]
    found = mean_interval(values.tolist(), clusters)
    ratio = stats.t.ppf(0.975, 79) / stats.t.ppf(0.975, 39)
    effective = 0.25 / cr1_error(values, clusters) ** 2 * ratio**2
    expected = proportion_confint(0.5 * effective, effective, method="wilson")
    assert 40 < effective < 80
    assert found.method == "wilson_clustered"
    assert (found.lo, found.hi) == pytest.approx(expected)


def test_clusters_that_balance_each_other_count_no_more_than_their_rows():
    values = [1.0, 0.0] * 29 + [1.0, 1.0]
    found = mean_interval(values, [str(place // 2) for place in range(60)])
    alone = wilson(31, 60)
    assert found.hi - found.lo >= alone.hi - alone.lo


def test_rows_that_repeat_their_cluster_count_once():
    values = [1.0] * 9 + [0.0] * 3
    clusters = [str(place // 3) for place in range(12)]
    repeated = mean_interval(values, clusters)
    independent = mean_interval([1.0, 1.0, 1.0, 0.0])
    assert repeated.hi - repeated.lo >= independent.hi - independent.lo


@given(st.one_of(graded, binary), levels)
def test_bounds_never_leave_the_scale_and_hold_the_estimate(values, level):
    found = mean_interval(values, level=level)
    if found.lo is not None:
        assert 0.0 <= found.lo <= found.estimate <= found.hi <= 1.0


@given(clustered, levels)
def test_bounds_of_clustered_rows_never_leave_the_scale_and_hold_the_estimate(rows, level):
    values, clusters = [value for value, _ in rows], [name for _, name in rows]
    found = mean_interval(values, clusters, level)
    if found.lo is not None:
        assert 0.0 <= found.lo <= found.estimate <= found.hi <= 1.0


@given(units, st.integers(2, 50))
def test_equal_values_still_leave_doubt(value, n):
    found = mean_interval([value] * n)
    assert found.hi - found.lo > 0.02


@pytest.mark.parametrize("pair", [(0.0, 1.0), (0.1, 0.7)])
def test_clusters_of_equal_means_still_leave_doubt(pair):
    found = mean_interval([*pair] * 10, [str(place // 2) for place in range(20)])
    assert found.hi - found.lo > 0.4


@pytest.mark.parametrize(
    ("values", "clusters"), [([0.5], None), ([0.2, 0.8], ["a", "a"]), ([1.0, 0.0], ["a", "a"])]
)
def test_one_independent_item_has_no_interval(values, clusters):
    found = mean_interval(values, clusters)
    assert (found.lo, found.hi, found.method) == (None, None, "none")
    assert found.estimate == np.mean(values)
    assert found.warnings == ("one independent item: no interval",)


def test_no_values_are_an_error():
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


@pytest.mark.parametrize(
    ("score", "bounds", "message"),
    [
        (1.5, (0.0, 1.0), "outside"),
        (math.nan, (0.0, 100.0), "outside"),
        (0.5, (1.0, 0.0), "outside"),
    ],
)
def test_scores_off_the_scale_are_an_error(score, bounds, message):
    with pytest.raises(ValueError, match=message):
        mean_interval([0.5, score], bounds=bounds)


def test_values_without_their_clusters_are_an_error():
    with pytest.raises(ValueError, match="2 values in 1 clusters"):
        mean_interval([0.5, 0.5], ["a"])


@given(clustered, st.sampled_from([(0.0, 100.0), (-1.0, 1.0), (1.0, 5.0)]), levels)
def test_other_scales_give_the_same_interval(rows, bounds, level):
    values, clusters = [value for value, _ in rows], [name for _, name in rows]
    low, high = bounds
    found = mean_interval(values, clusters, level)
    scaled = [min(high, low + (high - low) * value) for value in values]
    moved = mean_interval(scaled, clusters, level, bounds)
    assert (moved.method, moved.warnings) == (found.method, found.warnings)
    assert (moved.n_items, moved.n_clusters, moved.df) == (len(rows), found.n_clusters, found.df)
    if found.lo is not None:
        assert low <= moved.lo <= moved.estimate <= moved.hi <= high
        expected = (low + (high - low) * bound for bound in (found.lo, found.hi))
        assert (moved.lo, moved.hi) == pytest.approx(tuple(expected), abs=1e-5)
    if found.se is not None:
        assert moved.se == pytest.approx((high - low) * found.se, abs=1e-9)


def test_scores_without_a_scale_get_students_t_or_nothing():
    values = [120.0, -3.0, 44.5, 1e4]
    found = mean_interval(values, bounds=UNBOUNDED)
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (found.lo, found.hi) == pytest.approx(expected)
    equal = mean_interval([7.0] * 5, bounds=UNBOUNDED)
    assert (equal.lo, equal.hi, equal.method) == (None, None, "none")
    assert equal.warnings == ("equal values on a scale without bounds: no interval",)


@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=2, max_size=20), levels)
def test_amounts_never_fall_below_nothing(values, level):
    found = mean_interval(values, level=level, bounds=(0.0, math.inf))
    mirrored = mean_interval([-value for value in values], level=level, bounds=(-math.inf, 0.0))
    assert mirrored.method == found.method
    if found.lo is not None:
        assert 0.0 <= found.lo <= found.estimate <= found.hi
        assert (mirrored.lo, mirrored.hi) == pytest.approx((-found.hi, -found.lo))
        half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
        expected = "log_t" if half > found.estimate * (1 + 1e-9) else found.method
        assert found.method == expected


def test_amounts_near_nothing_get_t_on_their_logarithm():
    values = [0.0, 0.0, 3.0, 40.0]
    found = mean_interval(values, bounds=(0.0, math.inf))
    half = stats.t.ppf(0.975, 3) * stats.sem(values) / np.mean(values)
    expected = np.mean(values) * np.exp([-half, half])
    assert (found.lo, found.hi) == pytest.approx(tuple(expected))
    assert (found.method, found.df) == ("log_t", 3)


def test_few_clusters_are_warned_of():
    few = [str(place % (FEW_CLUSTERS - 1)) for place in range(60)]
    enough = [str(place % FEW_CLUSTERS) for place in range(60)]
    values = [float(place % 2) for place in range(60)]
    assert mean_interval(values, few).warnings == (
        "only 19 clusters: the interval may be too narrow",
    )
    assert mean_interval(values, enough).warnings == ()


@given(clustered, st.randoms())
def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter(rows, random):
    turned = random.sample(rows, len(rows))
    found = mean_interval([value for value, _ in rows], [name for _, name in rows])
    again = mean_interval([value for value, _ in turned], [f"{name}!" for _, name in turned])
    assert again.method == found.method
    assert again.estimate == pytest.approx(found.estimate)
    if found.lo is not None:
        assert (again.lo, again.hi) == pytest.approx((found.lo, found.hi), abs=1e-6)


@given(graded, st.sampled_from([(0.5, 0.9), (0.9, 0.99)]))
def test_more_confidence_is_wider(values, pair):
    narrow, wide = (mean_interval(values, level=level) for level in pair)
    if narrow.lo is not None:
        assert wide.hi - wide.lo >= narrow.hi - narrow.lo - 1e-12 or wide.method != narrow.method


def coverage(draw, truth: float, repeats: int = 2000) -> float:
    hits = 0
    for _ in range(repeats):
        found = mean_interval(*draw())
        hits += found.lo <= truth <= found.hi
    return hits / repeats


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 100, 400])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_proportions_are_covered_as_promised(n, p):
    random = np.random.default_rng(n)
    found = coverage(lambda: (random.binomial(1, p, n).astype(float).tolist(),), p)
    assert 0.93 <= found <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 100, 400])
def test_graded_scores_are_covered_as_promised(n):
    random = np.random.default_rng(n)

    def f1_scores() -> tuple[list[float]]:
        """Half are 0, a quarter 1, a quarter between."""
        kind, between = random.integers(0, 4, n), random.random(n)
        return (np.where(kind < 2, 0.0, np.where(kind == 2, 1.0, between)).tolist(),)

    assert 0.93 <= coverage(f1_scores, 0.25 + 0.125) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("groups", [10, 20, 100])
@pytest.mark.parametrize("p", [0.5, 0.8])
def test_clustered_proportions_are_covered_as_promised(groups, p):
    random, within = np.random.default_rng(groups), 6
    clusters = [str(place // within) for place in range(groups * within)]

    def correlated() -> tuple[list[float], list[str]]:
        """Intraclass correlation 0.3."""
        rates = random.beta(p * 7 / 3, (1 - p) * 7 / 3, groups)
        return random.binomial(1, rates.repeat(within)).astype(float).tolist(), clusters

    assert 0.92 <= coverage(correlated, p) <= 1.0
