"""Clustered covariances: against statsmodels, invariants, and what is warned of."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from bench.statistics.clusters import clustered_error
from bench.statistics.sandwich import clustered_covariance

seeds = st.integers(0, 2**32 - 1)


def data(random, n=80, prompts=20, annotators=8):
    """Influence [n, 1] on a mean, with effects of prompts and annotators, and the names of both."""
    prompt, annotator = random.integers(0, prompts, n), random.integers(0, annotators, n)
    y = random.normal(size=prompts)[prompt] + random.normal(size=annotators)[annotator]
    y += random.normal(size=n)
    return y, [f"p{at}" for at in prompt], [f"a{at}" for at in annotator]


def influence(y):
    return (y - y.mean())[:, None] / y.size


@settings(max_examples=30)
@given(seeds)
def test_two_ways_are_those_of_statsmodels(seed):
    y, prompts, annotators = data(np.random.default_rng(seed))
    fitted = sm.OLS(y, np.ones(y.size)).fit()
    codes = [np.unique(names, return_inverse=True)[1] for names in (prompts, annotators)]
    both, by_prompt, by_annotator = cov_cluster_2groups(fitted, *codes)
    found = clustered_covariance(influence(y), prompts, annotators)
    assert found.by_prompt == pytest.approx(by_prompt)
    assert found.by_annotator == pytest.approx(by_annotator)
    if both[0, 0] > 0:
        assert found.covariance == pytest.approx(both)
    assert found.n_clusters == 8


@given(seeds)
def test_one_way_is_the_clustered_error_of_a_mean(seed):
    y, prompts, _ = data(np.random.default_rng(seed))
    found = clustered_covariance(influence(y), prompts)
    assert found.covariance[0, 0] == pytest.approx(clustered_error(y - y.mean(), prompts) ** 2)
    assert found.by_annotator is None


@given(seeds)
def test_prompts_of_one_annotator_each_add_nothing_to_annotators(seed):
    y, prompts, _ = data(np.random.default_rng(seed))
    annotators = [f"a{int(name[1:]) % 5}" for name in prompts]
    found = clustered_covariance(influence(y), prompts, annotators)
    assert found.covariance == pytest.approx(found.by_annotator)


@given(seeds)
def test_prompts_and_annotators_can_change_places(seed):
    y, prompts, annotators = data(np.random.default_rng(seed))
    found = clustered_covariance(influence(y), prompts, annotators)
    turned = clustered_covariance(influence(y), annotators, prompts)
    assert turned.covariance == pytest.approx(found.covariance)
    assert turned.n_clusters == found.n_clusters


def test_a_difference_that_is_no_covariance_gives_way_to_the_sum():
    # Each prompt and each annotator has one judgment for and one against: both sums are 0.
    y = np.array([1.0, -1.0, -1.0, 1.0])
    found = clustered_covariance(influence(y), list("aabb"), list("xyxy"))
    assert found.covariance[0, 0] == 0.0
    assert "the two-way variance is negative: V_prompt + V_annotator instead" in found.warnings
    columns = np.random.default_rng(1).normal(size=(60, 6))
    columns -= columns.mean(axis=0)
    annotators = [str(at % 3) for at in range(60)]
    found = clustered_covariance(columns, [str(at // 2) for at in range(60)], annotators)
    assert np.linalg.eigvalsh(found.covariance).min() >= -1e-9
    assert found.covariance == pytest.approx(found.by_prompt + found.by_annotator)


@pytest.mark.parametrize(
    ("prompts", "annotators", "told"),
    [
        (30, None, ()),
        (12, None, ("only 12 prompts: the interval may be too narrow",)),
        (30, 1, ("one annotator: how much another would differ is not in the error",)),
        (30, 6, ("only 6 annotators: the interval may be too narrow",)),
        (30, 20, ()),
    ],
)
def test_few_clusters_are_warned_of(prompts, annotators, told):
    random = np.random.default_rng(5)
    names = [f"p{at % prompts}" for at in range(120)]
    people = None if annotators is None else [f"a{at % 59 % annotators}" for at in range(120)]
    assert clustered_covariance(influence(random.normal(size=120)), names, people).warnings == told


def test_an_annotator_who_gave_most_judgments_is_named():
    people = ["loud"] * 70 + [f"a{at}" for at in range(30)]
    y = np.random.default_rng(6).normal(size=100)
    found = clustered_covariance(influence(y), [str(at) for at in range(100)], people)
    assert found.warnings == ("annotator loud gave 70% of the judgments",)


def test_one_prompt_has_no_error():
    with pytest.raises(ValueError, match="one prompt"):
        clustered_covariance(influence(np.arange(3.0)), ["a", "a", "a"])
