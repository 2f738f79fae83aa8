"""Sign flips and signed ranks: other libraries, enumerations, invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.mcnemar import mcnemar_exact
from bench.statistics.permutation import ENUMERATED, sign_flip, wilcoxon

differences = st.lists(
    st.sampled_from([-1.0, 0.0, 1.0]) | st.floats(-1, 1, allow_subnormal=False), min_size=1
)


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=10))
def test_few_differences_are_enumerated_as_scipy_does(steps):
    def total(x, axis):
        return np.sum(x, axis=axis)

    oracle = stats.permutation_test(
        (np.array(steps),), total, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    ours = sign_flip([step / 7 for step in steps])
    assert ours.method == "exact"
    assert ours.p_value == pytest.approx(min(1.0, oracle.pvalue), abs=1e-9)


@pytest.mark.parametrize(("wins", "losses", "method"), [(12, 4, "exact"), (30, 15, "monte_carlo")])
def test_zeros_and_ones_give_mcnemars_exact_test(wins, losses, method):
    found = sign_flip([1.0] * wins + [-1.0] * losses + [0.0] * 100)
    assert found.method == method
    assert found.p_value == pytest.approx(mcnemar_exact(wins, losses), abs=5e-3)
    assert (found.n_items, found.n_clusters) == (wins + losses + 100, wins + losses + 100)


def test_many_graded_differences_come_close_to_the_t_test():
    drawn = np.random.default_rng(0).normal(0.15, 1, 300)
    expected = stats.ttest_1samp(drawn, 0).pvalue
    assert sign_flip(drawn.tolist()).p_value == pytest.approx(expected, abs=5e-3)


def test_clusters_change_sign_as_a_whole():
    found = sign_flip([0.5, 0.25, 0.1, -0.2, 1.0, 1.0], list("aabbcc"))
    assert (found.n_items, found.n_clusters) == (6, 3)
    assert found.p_value == sign_flip([0.75, -0.1, 2.0]).p_value


@given(differences, st.randoms())
def test_signs_and_order_do_not_matter(found, random):
    turned = [-value for value in random.sample(found, len(found))]
    assert sign_flip(turned, draws=500) == sign_flip(found, draws=500)
    assert 0.0 < sign_flip(found, draws=500).p_value <= 1.0


@pytest.mark.parametrize("n", [1, ENUMERATED, ENUMERATED + 1, 400])
def test_no_difference_at_all_has_a_p_value_of_1(n):
    assert sign_flip([0.0] * n).p_value == 1.0
    assert wilcoxon([0.0] * n) == 1.0


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError, match="no differences"):
        sign_flip([])


def test_ranks_are_those_of_scipy_and_ignore_rounding():
    steps = [0.1, 0.2, -0.1, 0.3, 0.4, -0.2, 0.5, 0.3]
    rounded = [0.9 - 0.8, 0.2, 0.7 - 0.8, 0.1 + 0.2, 0.4, -0.2, 0.5, 0.3]
    assert wilcoxon(steps) == stats.wilcoxon(steps).pvalue
    assert wilcoxon(rounded) == wilcoxon(steps)
    assert wilcoxon([*steps, 0.0, 0.0]) == wilcoxon(steps)
