"""Covariances of means: other libraries, paired standard errors, what is refused."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.statistics.clusters import clustered_error
from bench.statistics.covariance import mean_covariance

scores = arrays(float, (3, 12), elements=st.floats(0, 1, allow_subnormal=False))
clusters = st.lists(st.sampled_from("abcdef"), min_size=12, max_size=12)


@given(scores)
def test_independent_items_have_the_covariance_of_numpy(values):
    found = mean_covariance(values)
    assert found.covariance == pytest.approx(np.cov(values) / 12, abs=1e-15)
    assert (found.n_items, found.n_clusters) == (12, 12)


@given(scores, clusters)
def test_clustered_items_have_the_covariance_of_stacked_least_squares(values, names):
    names = ["x", "y", *names[2:]]
    groups = np.unique(names, return_inverse=True)[1]
    design = np.kron(np.eye(3), np.ones((12, 1)))
    fitted = sm.OLS(values.ravel(), design).fit(
        cov_type="cluster", cov_kwds={"groups": np.tile(groups, 3), "use_correction": False}
    )
    count = len(set(names))
    expected = fitted.cov_params() * count / (count - 1)
    assert mean_covariance(values, names).covariance == pytest.approx(expected, abs=1e-12)


@given(scores, clusters)
def test_a_difference_of_two_means_has_its_paired_standard_error(values, names):
    names = ["x", "y", *names[2:]]
    spread = mean_covariance(values, names).covariance
    change = values[0] - values[1]
    expected = clustered_error(change - change.mean(), names)
    found = spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]
    assert found == pytest.approx(expected**2, abs=1e-15)


@pytest.mark.parametrize(
    ("values", "names", "told"),
    [
        ([[1.0, 0.0]], ["a"], "clusters of shape"),
        ([[1.0, np.nan]], None, "a score is missing"),
        ([[1.0]], None, "1 independent items"),
        ([[1.0, 0.0]], ["a", "a"], "1 independent items"),
    ],
)
def test_what_has_no_covariance_is_refused(values, names, told):
    with pytest.raises(ValueError, match=told):
        mean_covariance(values, names)
