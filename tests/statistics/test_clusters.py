"""Clustered items: reference values, other libraries, invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.clusters import cluster_totals, clustering
from tests.statistics.contingency import LARGE_TRUTHFUL_AND_INFORMATIVE, XL_TRUTHFUL, clustered_rows

names = st.sampled_from("abcdefgh")
rows = st.lists(st.tuples(st.floats(0, 1, allow_subnormal=False), names), min_size=2, max_size=40)


@pytest.mark.parametrize(
    ("counts", "naive", "error", "effect", "correlation"),
    [
        (XL_TRUTHFUL, 0.03458, 0.04207, 1.48, 0.239),
        (LARGE_TRUTHFUL_AND_INFORMATIVE, 0.03037, 0.03484, None, None),
    ],
)
def test_clustering_has_the_reference_values(counts, naive, error, effect, correlation):
    values, clusters = clustered_rows(counts)
    found = clustering(np.array(values), clusters)
    assert found.n_clusters == 100
    assert (found.naive_se, found.se) == pytest.approx((naive, error), abs=5e-5)
    if effect is not None:
        assert found.design_effect == pytest.approx(effect, abs=1e-3)
        assert found.icc == pytest.approx(correlation, abs=5e-4)


def test_the_error_is_that_of_errorbars():
    oracle = pytest.importorskip("errorbars.stats", reason="errorbars is not installed")
    values, clusters = clustered_rows(XL_TRUTHFUL)
    expected = oracle.cluster_robust_se(np.array(values), np.array(clusters))
    assert clustering(np.array(values), clusters).se == pytest.approx(expected)


@given(st.integers(2, 8), st.integers(2, 5), st.integers(0, 99))
def test_the_intraclass_correlation_comes_from_scipys_analysis_of_variance(groups, size, seed):
    values = np.random.default_rng(seed).random((groups, size))
    ratio = stats.f_oneway(*values).statistic
    found = clustering(values.ravel(), [f"{place // size}" for place in range(groups * size)])
    assert found.icc == pytest.approx((ratio - 1) / (ratio + size - 1))


@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (1, 2, 5, 4)])
def test_clusters_of_copies_are_wholly_correlated(sizes):
    values = np.repeat([0.1, 0.9, 0.4, 0.6], sizes)
    found = clustering(values, np.repeat(list("abcd"), sizes).tolist())
    assert found.icc == pytest.approx(1.0)
    assert found.design_effect > 2


def test_clusters_of_one_change_nothing():
    values = np.array([0.0, 1.0, 0.5, 0.25])
    found = clustering(values, list("abcd"))
    assert found.se == pytest.approx(stats.sem(values))
    assert found.design_effect == pytest.approx(1.0)
    assert found.icc is None


def test_equal_values_have_no_design_effect():
    found = clustering(np.ones(6), list("aabbcc"))
    assert (found.se, found.naive_se, found.design_effect, found.icc) == (0.0, 0.0, None, None)


def test_one_cluster_is_an_error():
    with pytest.raises(ValueError, match="1 clusters: two or more"):
        clustering(np.array([0.0, 1.0]), ["a", "a"])


@given(rows, st.randoms())
def test_totals_are_those_of_the_clusters_whatever_the_order(found, random):
    turned = random.sample(found, len(found))
    sums, sizes = cluster_totals(np.array([v for v, _ in found]), [name for _, name in found])
    again = cluster_totals(np.array([v for v, _ in turned]), [f"{name}!" for _, name in turned])
    assert sums.tolist() == again[0].tolist()
    assert sizes.tolist() == again[1].tolist()
    assert (sums.sum(), sizes.sum()) == pytest.approx((sum(v for v, _ in found), len(found)))
    assert len(sums) == len({name for _, name in found})
