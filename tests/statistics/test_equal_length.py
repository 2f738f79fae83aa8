"""The difference at equal length, against statsmodels and against made data."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.equal_length import at_equal_length

RNG = np.random.default_rng(5)


def made(gain: float, by_length: float, n: int = 400):
    lengths = RNG.normal(40, 100, n)
    scores = gain + by_length * np.tanh(lengths / lengths.std()) + RNG.normal(0, 0.3, n)
    return scores.tolist(), lengths.tolist(), [str(place // 2) for place in range(n)]


def test_it_is_least_squares_with_a_clustered_error():
    scores, lengths, clusters = made(0.1, 0.4)
    found = at_equal_length(scores, lengths, clusters)
    design = sm.add_constant(np.tanh(np.array(lengths) / np.std(lengths)))
    groups = np.array(clusters).astype(int)
    fit = sm.OLS(scores, design).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, use_t=True
    )
    g = len(set(clusters))
    assert found.estimate == pytest.approx(fit.params[0], rel=1e-9)
    assert found.se == pytest.approx(fit.bse[0] * np.sqrt(g / (g - 1)), rel=1e-9)
    assert found.n_clusters == g


def test_a_gain_that_is_all_length_is_gone_and_one_that_is_not_stays():
    all_length = at_equal_length(*made(0.0, 0.4))
    no_length = at_equal_length(*made(0.2, 0.0))
    assert all_length.lo < 0 < all_length.hi
    assert no_length.lo > 0.1


@pytest.mark.parametrize(
    "lengths", [[5.0] * 100, [0.0] * 100, [0.0] * 9 + [3.0] * 91], ids=["longer", "equal", "few"]
)
def test_nothing_is_said_where_equal_length_does_not_happen(lengths):
    assert at_equal_length([0.5] * 50 + [0.0] * 50, lengths) is None


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-50, 50)), min_size=30, max_size=60))
def test_swapping_the_models_turns_the_sign(rows):
    scores, lengths = [float(one) for one, _ in rows], [float(other) for _, other in rows]
    there = at_equal_length(scores, lengths)
    back = at_equal_length([-one for one in scores], [-one for one in lengths])
    assert (there is None) == (back is None)
    if there and back:
        assert there.estimate == pytest.approx(-back.estimate, abs=1e-9)
        assert there.se == pytest.approx(back.se, abs=1e-9)
