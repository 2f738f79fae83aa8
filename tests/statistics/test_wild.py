"""The wild cluster bootstrap: an enumeration written out, invariants, simulated level."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.clusters import clustered_error
from bench.statistics.wild import wild_cluster_p

names = st.sampled_from("abcdefg")
values = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]) | st.floats(-1, 1, allow_subnormal=False)
rows = st.lists(st.tuples(values, names), min_size=2, max_size=25).filter(
    lambda found: len({name for _, name in found}) > 1
)


def enumerated(values: np.ndarray, clusters: list[str]) -> float:
    """The share of all 2^G patterns whose |t| reaches that of the values."""
    groups = sorted(set(clusters))
    place = np.array([groups.index(name) for name in clusters])

    def size_of_t(changed: np.ndarray) -> float:
        error = clustered_error(changed - changed.mean(), clusters)
        return abs(changed.mean()) / error if error > 1e-15 else np.inf

    seen = size_of_t(values)
    patterns = [np.array(signs)[place] for signs in product((1, -1), repeat=len(groups))]
    return float(np.mean([size_of_t(values * signs) >= seen * (1 - 1e-9) for signs in patterns]))


@pytest.mark.parametrize("seed", range(8))
def test_a_few_clusters_are_enumerated(seed):
    random = np.random.default_rng(seed)
    clusters = ["a", "b", "c", "d", "e", "f", *random.choice(list("abcdef"), 20).tolist()]
    drawn = random.normal(0.3, 1, 26)
    assert wild_cluster_p(drawn, clusters) == pytest.approx(enumerated(drawn, clusters))


@given(found=rows, random=st.randoms())
def test_signs_order_and_names_do_not_matter(found, random):
    turned = random.sample(found, len(found))
    there = wild_cluster_p(np.array([v for v, _ in found]), [name for _, name in found])
    back = wild_cluster_p(np.array([-v for v, _ in turned]), [f"{n}!" for _, n in turned])
    assert there == back
    assert 0.0 < there <= 1.0


@pytest.mark.parametrize("groups", [1, 21])
def test_other_numbers_of_clusters_are_an_error(groups):
    with pytest.raises(ValueError, match=f"{groups} clusters: the wild bootstrap is for 2 to 20"):
        wild_cluster_p(np.ones(groups), [str(place) for place in range(groups)])


def test_no_difference_has_a_p_value_of_1():
    assert wild_cluster_p(np.zeros(4), list("aabb")) == 1.0
    assert wild_cluster_p(np.array([1.0, -1.0, 0.5, -0.5]), list("aabb")) == 1.0


def test_five_clusters_cannot_reach_five_percent():
    assert wild_cluster_p(np.array([1.0, 1.1, 0.9, 1.2, 0.8]), list("abcde")) == 2 / 2**5


@pytest.mark.slow
@pytest.mark.parametrize("groups", [6, 10, 19])
def test_the_level_is_kept_where_clusters_are_few(groups):
    random, hits = np.random.default_rng(groups), 0
    for _ in range(500):
        sizes = random.integers(1, 8, groups)
        clusters = np.repeat(np.arange(groups), sizes).astype(str).tolist()
        drawn = random.normal(0, 1, groups).repeat(sizes) + random.normal(0, 1, sizes.sum())
        hits += wild_cluster_p(drawn, clusters) <= 0.05
    assert hits / 500 <= 0.07
