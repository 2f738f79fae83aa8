"""Paired differences: reference values, other libraries, symmetry."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.intervals import mean_interval
from bench.statistics.mcnemar import mcnemar_midp
from bench.statistics.newcombe import newcombe10
from bench.statistics.paired import FEW_ITEMS, paired_difference
from bench.statistics.scale import UNBOUNDED
from bench.statistics.wild import wild_cluster_p
from tests.statistics.contingency import (
    LARGE_TRUTHFUL_AND_INFORMATIVE,
    XL_TRUTHFUL,
    clustered_scores,
    table,
)

levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
# Steps that survive a change of scale: 1 + 4e-98 is 1.
units = st.floats(0, 1).map(lambda score: round(score, 9))
zero_or_one = st.sampled_from([0.0, 1.0])
names = st.sampled_from("abcdefgh")
rows = st.lists(st.tuples(units | zero_or_one, units | zero_or_one, names), min_size=2, max_size=40)
pairs = st.lists(st.tuples(zero_or_one, zero_or_one), min_size=2, max_size=60)


def unzipped(found):
    """Children's scores, parents' scores and clusters of `rows`."""
    return tuple([list(column) for column in zip(*found, strict=True)])


@pytest.mark.parametrize(
    ("counts", "estimate", "error", "lo", "hi", "p_better", "p_value"),
    [
        ((36, 14, 19, 31), -0.05, 0.05752, -0.1607, 0.0628, 0.19576, 0.39153),
        ((14, 10, 37, 39), -0.27, 0.06333, -0.3870, -0.1404, None, None),
    ],
)
def test_zeros_and_ones_have_the_reference_values(
    counts, estimate, error, lo, hi, p_better, p_value
):
    found = paired_difference(*table(*counts))
    assert (found.method, found.n_items, found.n_clusters) == ("newcombe10", 100, 100)
    assert (found.child_only, found.parent_only) == counts[1:3]
    assert found.estimate == pytest.approx(estimate)
    assert found.se == pytest.approx(error, abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=5e-5)
    if p_better is not None:
        assert found.p_better == pytest.approx(p_better, abs=5e-5)
        assert found.p_value == pytest.approx(p_value, abs=5e-5)
    assert (found.test, found.df, found.clustering) == ("mcnemar_midp", None, None)
    assert found.warnings == ()


def test_what_pairing_saves_has_the_reference_values():
    found = paired_difference(*table(36, 14, 19, 31))
    assert found.unpaired_se == pytest.approx(0.07089, abs=5e-5)
    assert found.correlation == pytest.approx(0.3417, abs=5e-5)
    assert found.variance_reduction == pytest.approx(1 - (0.05752 / 0.07089) ** 2, abs=5e-4)
    assert paired_difference(*table(14, 10, 37, 39)).estimate / 0.06333 == pytest.approx(
        -4.263, abs=5e-4
    )


def test_students_t_of_the_same_table_has_the_reference_values():
    child, parent = table(36, 14, 19, 31)
    found = paired_difference([0.999 * score for score in child], [0.999 * s for s in parent])
    assert found.method == "t"
    assert (found.lo, found.hi) == pytest.approx((-0.1641, 0.0641), abs=5e-4)


@pytest.mark.parametrize(
    ("counts", "difference", "error", "bounds", "p_better"),
    [
        (XL_TRUTHFUL, -0.07667, 0.04207, (-0.16015, 0.00681), 0.071 / 2),
        (LARGE_TRUTHFUL_AND_INFORMATIVE, 0.24, 0.03484, (0.1709, 0.3091), 1.0),
    ],
)
def test_clustered_differences_have_the_reference_values(
    counts, difference, error, bounds, p_better
):
    found = paired_difference(*clustered_scores(counts))
    assert (found.n_items, found.n_clusters, found.method) == (300, 100, "t_clustered")
    assert found.estimate == pytest.approx(difference, abs=5e-5)
    assert found.se == pytest.approx(error, abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx(bounds, abs=5e-4)
    assert found.p_better == pytest.approx(p_better, abs=5e-4)
    assert found.p_value == pytest.approx(2 * min(p_better, 1 - p_better), abs=1e-3)
    assert (found.test, found.df) == ("t_clustered", 99)
    assert found.clustering.se == found.se


@given(st.lists(st.tuples(*[st.floats(0.3, 0.7)] * 2, names), min_size=12, max_size=60), levels)
def test_the_t_interval_is_that_of_clustered_least_squares(found, level):
    child, parent, clusters = unzipped([(0.4, 0.5, "a"), (0.6, 0.4, "b"), *found])
    change = np.subtract(child, parent)
    groups = np.unique(clusters, return_inverse=True)[1]
    fitted = sm.OLS(change, np.ones(len(change))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    ours = paired_difference(child, parent, clusters, level)
    if ours.method == "t_clustered":
        half = stats.t.ppf((1 + level) / 2, len(set(clusters)) - 1) * fitted.bse[0]
        assert ours.se == pytest.approx(fitted.bse[0])
        assert (ours.lo, ours.hi) == pytest.approx((change.mean() - half, change.mean() + half))


@given(st.lists(st.tuples(*[st.floats(0.3, 0.7)] * 2), min_size=30, max_size=60))
def test_p_better_of_graded_scores_is_the_one_sided_paired_t_test(found):
    child, parent = map(list, zip((0.3, 0.7), (0.5, 0.4), *found, strict=True))
    oracle = stats.ttest_rel(child, parent, alternative="less")
    found = paired_difference(child, parent)
    assert found.p_better == pytest.approx(oracle.pvalue)
    assert found.p_value == pytest.approx(stats.ttest_rel(child, parent).pvalue)
    assert (found.test, found.child_only, found.parent_only) == ("t", None, None)
    assert found.correlation == pytest.approx(stats.pearsonr(child, parent).statistic)


@given(st.tuples(*[st.integers(0, 40)] * 4).filter(lambda counts: sum(counts) > 1), levels)
def test_newcombes_interval_holds_the_difference_inside_the_scale_and_leaves_doubt(counts, level):
    lo, hi = newcombe10(*counts, level)
    assert -1.0 <= lo <= (counts[1] - counts[2]) / sum(counts) <= hi <= 1.0
    assert hi - lo > 0.001


def test_p_better_of_zeros_and_ones_is_that_of_dirichlet_draws():
    random = np.random.default_rng(0)
    draws = random.dirichlet([11, 10, 4, 28], 200_000)
    expected = (draws[:, 1] > draws[:, 2]).mean()
    found = paired_difference(*table(10, 9, 3, 27))
    assert found.p_better == pytest.approx(expected, abs=5e-3)


@given(pairs | rows, levels)
def test_swapping_the_two_flips_the_sign(found, level):
    child, parent, *clusters = unzipped(found)
    there = paired_difference(child, parent, *clusters or [None], level)
    back = paired_difference(parent, child, *clusters or [None], level)
    assert (back.method, back.test, back.warnings) == (there.method, there.test, there.warnings)
    assert back.estimate == pytest.approx(-there.estimate)
    assert (back.child_only, back.parent_only) == (there.parent_only, there.child_only)
    if there.lo is not None:
        assert back.se == pytest.approx(there.se)
        assert (back.lo, back.hi) == pytest.approx((-there.hi, -there.lo), abs=1e-6)
        assert back.p_better == pytest.approx(1 - there.p_better, abs=1e-6)
        assert back.p_value == pytest.approx(there.p_value)
        assert back.unpaired_se == pytest.approx(there.unpaired_se)


@given(rows, st.randoms())
def test_the_order_of_items_and_the_names_of_clusters_do_not_matter(found, random):
    child, parent, clusters = unzipped(found)
    turned = unzipped(random.sample(found, len(found)))
    one = paired_difference(child, parent, clusters)
    two = paired_difference(turned[0], turned[1], [f"{name}!" for name in turned[2]])
    assert (one.method, one.n_clusters, one.warnings) == (two.method, two.n_clusters, two.warnings)
    assert two.estimate == pytest.approx(one.estimate)
    if one.lo is not None:
        assert (two.lo, two.hi) == pytest.approx((one.lo, one.hi), abs=1e-6)


@given(pairs | rows, levels)
def test_bounds_hold_the_estimate_inside_the_scale_and_are_never_one_point(found, level):
    child, parent, *clusters = unzipped(found)
    ours = paired_difference(child, parent, *clusters or [None], level)
    if ours.lo is not None:
        assert -1.0 <= ours.lo <= ours.estimate <= ours.hi <= 1.0
        assert ours.lo < ours.hi
        assert 0.0 <= ours.p_better <= 1.0


@pytest.mark.parametrize("change", [0.0, 0.25, -1.0])
@pytest.mark.parametrize("n", [2, 30, 1000])
def test_equal_differences_leave_the_doubt_that_their_number_does(change, n):
    child, parent = [max(change, 0.0)] * n, [max(-change, 0.0)] * n
    found = paired_difference(child, parent, [str(place) for place in range(n)])
    if found.method == "equal":
        unseen = stats.beta.ppf(0.975, 1, n)
        assert found.hi == pytest.approx((1 - unseen) * change + unseen)
        assert found.lo == pytest.approx((1 - unseen) * change - unseen)
    assert found.lo < change < found.hi or abs(change) == 1.0
    assert (found.p_better > 0.5) == (change > 0)


@given(pairs | rows, st.sampled_from([(0.5, 0.9), (0.9, 0.99)]))
def test_more_confidence_is_wider(found, levels):
    child, parent, *clusters = unzipped(found)
    narrow, wide = (
        paired_difference(child, parent, *clusters or [None], level) for level in levels
    )
    if narrow.lo is not None and narrow.method == wide.method:
        assert wide.lo <= narrow.lo + 1e-9
        assert wide.hi >= narrow.hi - 1e-9


@pytest.mark.parametrize("n", [2, 30, 300])
@pytest.mark.parametrize("binary", [True, False])
def test_identical_scores_differ_by_nothing(n, binary):
    scores = np.linspace(0, 1, n).round(0 if binary else 6).tolist()
    found = paired_difference(scores, scores)
    assert (found.estimate, found.se, found.p_better, found.p_value) == (0.0, 0.0, 0.5, 1.0)
    assert found.lo < 0 < found.hi
    assert found.hi == pytest.approx(-found.lo)


@given(pairs | rows, st.sampled_from([(0.0, 100.0), (1.0, 5.0)]), levels)
def test_other_scales_give_the_same_difference(found, bounds, level):
    child, parent, *clusters = unzipped(found)
    low, high = bounds
    moved = ([min(high, low + (high - low) * score) for score in side] for side in (child, parent))
    one = paired_difference(child, parent, *clusters or [None], level)
    two = paired_difference(*moved, *clusters or [None], level, bounds)
    assert two.estimate == pytest.approx((high - low) * one.estimate, abs=1e-9)
    assert (two.child_only, two.warnings) == (one.child_only, one.warnings)
    if one.lo is not None:
        assert low - high <= two.lo <= two.estimate <= two.hi <= high - low
        expected = ((high - low) * one.lo, (high - low) * one.hi)
        assert (two.lo, two.hi) == pytest.approx(expected, abs=1e-4)
        assert (two.p_value, two.p_better) == pytest.approx((one.p_value, one.p_better), abs=1e-6)


def test_scores_without_a_scale_get_students_t_or_no_interval():
    lengths = [120.0, 340.0, 95.0, 410.0], [100.0, 350.0, 60.0, 300.0]
    found = paired_difference(*lengths, bounds=UNBOUNDED)
    half = stats.t.ppf(0.975, 3) * stats.sem(np.subtract(*lengths))
    assert (found.hi - found.lo) / 2 == pytest.approx(half)
    assert found.p_value == pytest.approx(stats.ttest_rel(*lengths).pvalue)
    equal = paired_difference([5.0, 6.0, 9.0], [4.0, 5.0, 8.0], bounds=UNBOUNDED)
    assert (equal.lo, equal.hi, equal.method, equal.p_value) == (None, None, "none", 0.25)
    assert equal.warnings == ("equal differences on a scale without bounds: no interval",)


def test_differences_of_amounts_have_no_scale():
    lengths = [120.0, 340.0, 95.0, 0.0], [100.0, 350.0, 60.0, 300.0]
    found = paired_difference(*lengths, bounds=(0.0, math.inf))
    free = paired_difference(*lengths, bounds=UNBOUNDED)
    assert (found.method, found.lo, found.hi) == ("t", free.lo, free.hi)


@given(rows)
def test_where_lower_is_better_only_the_better_side_changes(found):
    child, parent, clusters = unzipped(found)
    higher = paired_difference(child, parent, clusters)
    lower = paired_difference(child, parent, clusters, lower_is_better=True)
    assert (lower.estimate, lower.lo, lower.hi, lower.p_value) == (
        higher.estimate, higher.lo, higher.hi, higher.p_value,
    )  # fmt: skip
    if higher.p_better is not None:
        assert lower.p_better == 1 - higher.p_better


def test_clusters_count_once_however_often_their_items_repeat():
    repeated = paired_difference([1.0] * 8 + [0.0] * 4, [0.5] * 12, list("aabbccddeeff"))
    alone = paired_difference([1.0] * 4 + [0.0] * 2, [0.5] * 6)
    assert (repeated.lo, repeated.hi) == pytest.approx((alone.lo, alone.hi))


def test_t_that_would_leave_the_scale_gives_way_to_wilson():
    found = paired_difference([1.0, 1.0, 0.9, 0.95], [0.0, 0.0, 0.3, 0.0])
    assert found.method == "wilson"
    assert -1.0 < found.lo < found.estimate < found.hi <= 1.0


def test_many_zeros_and_ones_get_students_t():
    found = paired_difference(*table(FEW_ITEMS, 20, 10, 0))
    assert found.method == "t"
    assert found.p_better == pytest.approx(
        stats.t.cdf(found.estimate / found.se, found.n_items - 1)
    )


def test_zeros_and_ones_get_mcnemars_test_however_many():
    assert paired_difference(*table(300, 21, 8, 4)).p_value == mcnemar_midp(21, 8)


@pytest.mark.parametrize(("groups", "test"), [(19, "wild_cluster"), (20, "t_clustered")])
def test_few_clusters_get_the_wild_bootstraps_p_value(groups, test):
    random = np.random.default_rng(0)
    child, parent = random.random(60), random.random(60)
    clusters = [str(place % groups) for place in range(60)]
    found = paired_difference(child.tolist(), parent.tolist(), clusters)
    assert (found.test, found.method) == (test, "t_clustered")
    t = stats.t.sf(abs(found.estimate) / found.se, groups - 1) * 2
    wild = wild_cluster_p(child - parent, clusters)
    assert found.p_value == pytest.approx(wild if groups < 20 else t)
    assert found.p_value == pytest.approx(t, abs=0.05)


def test_equal_differences_get_a_sign_test():
    found = paired_difference([0.5] * 6, [0.3] * 6)
    assert (found.test, found.p_value) == ("sign", 2 / 2**6)


def test_unpaired_errors_count_clusters_too():
    child, parent, clusters = clustered_scores(XL_TRUTHFUL)
    found = paired_difference(child, parent, clusters)
    ours, theirs = (mean_interval(side, clusters).se for side in (child, parent))
    assert found.unpaired_se == pytest.approx(math.hypot(ours, theirs))


@pytest.mark.parametrize(
    ("scores", "clusters"), [(([1.0], [0.0]), None), (([1.0, 0.5], [0.0, 0.0]), ["a", "a"])]
)
def test_one_independent_item_has_an_estimate_and_nothing_else(scores, clusters):
    found = paired_difference(*scores, clusters)
    assert found.estimate == np.subtract(*scores).mean()
    assert (found.se, found.lo, found.hi, found.p_better) == (None, None, None, None)
    assert (found.p_value, found.test, found.variance_reduction) == (None, "none", None)
    assert found.method == "none"
    assert found.warnings == ("fewer than two independent items: no interval",)


@pytest.mark.parametrize(
    ("child", "parent", "clusters", "said"),
    [
        ([], [], None, "0 and 0 scores"),
        ([1.0], [1.0, 0.0], None, "1 and 2 scores"),
        ([1.0, 0.0], [1.0, 0.0], ["a"], "2 values in 1 clusters"),
    ],
)
def test_scores_that_do_not_pair_are_an_error(child, parent, clusters, said):
    with pytest.raises(ValueError, match=said):
        paired_difference(child, parent, clusters)


@pytest.mark.parametrize(
    ("score", "bounds"), [(1.5, (0.0, 1.0)), (math.nan, UNBOUNDED), (0.5, (1.0, 5.0))]
)
def test_scores_off_the_scale_are_an_error(score, bounds):
    with pytest.raises(ValueError, match=f"the score {score} lies outside"):
        paired_difference([1.0, 1.0], [1.0, score], bounds=bounds)


def test_few_discordant_pairs_and_few_clusters_are_warned_of():
    few = paired_difference(*table(20, 5, 4, 20), [str(place % 19) for place in range(49)])
    assert few.warnings == (
        "too few discordant pairs (fewer than 10)",
        "only 19 clusters: the interval may be too narrow",
    )
    assert paired_difference(*table(20, 5, 5, 20)).warnings == ()


def test_few_differences_of_graded_scores_are_warned_of_where_others_are_equal():
    base = np.linspace(0.1, 0.4, 12)
    few = paired_difference([*base[:9] + 0.5, *base[9:]], base.tolist())
    assert few.warnings == ("too few discordant pairs (fewer than 10)",)
    assert paired_difference([*base[:10] + 0.5, *base[10:]], base.tolist()).warnings == ()
    all_differ = paired_difference([0.1, 0.6, 0.5], [0.2, 0.3, 0.1])
    assert all_differ.warnings == ()
