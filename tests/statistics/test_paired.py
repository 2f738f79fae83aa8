"""Paired differences: reference values, other libraries, symmetry, simulated coverage."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.paired import FEW_ITEMS, newcombe10, paired_difference

levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
units = st.floats(0, 1, allow_subnormal=False)
zero_or_one = st.sampled_from([0.0, 1.0])
names = st.sampled_from("abcdefgh")
rows = st.lists(st.tuples(units | zero_or_one, units | zero_or_one, names), min_size=2, max_size=40)
pairs = st.lists(st.tuples(zero_or_one, zero_or_one), min_size=2, max_size=60)

# Paired differences of InstructGPT's TruthfulQA samples, ppo-ptx minus sft, as (differences of
# the three prompts of one question): number of questions. statistics.md, S4.
XL_TRUTHFUL = {
    (0, 0, 0): 35, (-1, 0, 0): 21, (-1, -1, 0): 12, (0, 0, 1): 9, (-1, 0, 1): 7,
    (0, 1, 1): 7, (1, 1, 1): 3, (-1, -1, -1): 3, (-1, -1, 1): 2, (-1, 1, 1): 1,
}  # fmt: skip
LARGE_TRUTHFUL_AND_INFORMATIVE = {
    (0, 0, 0): 35, (0, 0, 1): 30, (0, 1, 1): 18, (-1, 0, 0): 7, (1, 1, 1): 5,
    (-1, 0, 1): 2, (-1, -1, 0): 1, (-1, 1, 1): 1, (-1, -1, 1): 1,
}  # fmt: skip


def table(both: int, child_only: int, parent_only: int, neither: int):
    """Scores of child and parent with these counts."""
    child = [1.0] * (both + child_only) + [0.0] * (parent_only + neither)
    parent = [1.0] * both + [0.0] * child_only + [1.0] * parent_only + [0.0] * neither
    return child, parent


def unzipped(found):
    """Children's scores, parents' scores and clusters of `rows`."""
    return tuple([list(column) for column in zip(*found, strict=True)])


@pytest.mark.parametrize(
    ("counts", "estimate", "error", "lo", "hi", "p_better"),
    [
        ((36, 14, 19, 31), -0.05, 0.05752, -0.1607, 0.0628, 0.19576),
        ((14, 10, 37, 39), -0.27, 0.06333, -0.3870, -0.1404, None),
    ],
)
def test_zeros_and_ones_have_the_reference_values(counts, estimate, error, lo, hi, p_better):
    found = paired_difference(*table(*counts))
    assert (found.method, found.n_items, found.n_clusters) == ("newcombe10", 100, 100)
    assert found.estimate == pytest.approx(estimate)
    assert found.se == pytest.approx(error, abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=5e-5)
    if p_better is not None:
        assert found.p_better == pytest.approx(p_better, abs=5e-5)
    assert found.warnings == ()


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
    told = [(d, f"{key}{copy}") for key, n in counts.items() for copy in range(n) for d in key]
    child, parent = [float(d > 0) for d, _ in told], [float(d < 0) for d, _ in told]
    found = paired_difference(child, parent, [cluster for _, cluster in told])
    assert (found.n_items, found.n_clusters, found.method) == (300, 100, "t_clustered")
    assert found.estimate == pytest.approx(difference, abs=5e-5)
    assert found.se == pytest.approx(error, abs=5e-5)
    assert (found.lo, found.hi) == pytest.approx(bounds, abs=5e-4)
    assert found.p_better == pytest.approx(p_better, abs=5e-4)


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
    assert paired_difference(child, parent).p_better == pytest.approx(oracle.pvalue)


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
    assert (back.method, back.warnings) == (there.method, there.warnings)
    assert back.estimate == pytest.approx(-there.estimate)
    if there.lo is not None:
        assert back.se == pytest.approx(there.se)
        assert (back.lo, back.hi) == pytest.approx((-there.hi, -there.lo), abs=1e-6)
        assert back.p_better == pytest.approx(1 - there.p_better, abs=1e-6)


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


@pytest.mark.parametrize(
    ("scores", "clusters"), [(([1.0], [0.0]), None), (([1.0, 0.5], [0.0, 0.0]), ["a", "a"])]
)
def test_one_independent_item_has_an_estimate_and_nothing_else(scores, clusters):
    found = paired_difference(*scores, clusters)
    assert found.estimate == np.subtract(*scores).mean()
    assert (found.se, found.lo, found.hi, found.p_better) == (None, None, None, None)
    assert found.method == "none"
    assert found.warnings == ("fewer than two independent items: no interval",)


@pytest.mark.parametrize(
    ("child", "parent", "clusters"),
    [([], [], None), ([1.0], [1.0, 0.0], None), ([1.0, 0.0], [1.0, 0.0], ["a"])],
)
def test_scores_that_do_not_pair_are_an_error(child, parent, clusters):
    with pytest.raises(ValueError, match=f"{len(child)} and {len(parent)} scores"):
        paired_difference(child, parent, clusters)


def test_few_discordant_pairs_and_few_clusters_are_warned_of():
    few = paired_difference(*table(20, 5, 4, 20), [str(place % 19) for place in range(49)])
    assert few.warnings == (
        "too few discordant pairs (fewer than 10)",
        "only 19 clusters: the interval may be too narrow",
    )
    assert paired_difference(*table(20, 5, 5, 20)).warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "odds"),
    [
        (20, (0.90, 0.06, 0.02, 0.02)),
        (50, (0.75, 0.15, 0.05, 0.05)),
        (100, (0.85, 0.06, 0.04, 0.05)),
        (400, (0.60, 0.15, 0.10, 0.15)),
    ],
)
def test_differences_of_zeros_and_ones_are_covered_as_promised(n, odds):
    random, hits = np.random.default_rng(n), 0
    for counts in random.multinomial(n, odds, 2000):
        found = paired_difference(*table(*counts.tolist()))
        hits += found.lo <= odds[1] - odds[2] <= found.hi
    assert 0.93 <= hits / 2000 <= 1.0
    assert math.isfinite(found.p_better)
