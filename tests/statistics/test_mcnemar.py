"""McNemar's tests: reference values and other libraries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from bench.statistics.mcnemar import mcnemar_exact, mcnemar_midp

counts = st.tuples(st.integers(0, 60), st.integers(0, 60))


@pytest.mark.parametrize(
    ("wins", "losses", "exact", "midp"),
    [
        (14, 19, 0.48685, 0.39153),
        (10, 37, 9.849e-5, None),
        (21, 8, 0.024, None),
        (2, 32, 6.9e-8, None),
        (23, 4, 3.1e-4, None),
        (0, 0, 1.0, 1.0),
        (5, 5, 1.0, 1.0),
    ],
)
def test_reference_values(wins, losses, exact, midp):
    assert mcnemar_exact(wins, losses) == pytest.approx(exact, rel=0.02, abs=1e-9)
    if midp is not None:
        assert mcnemar_midp(wins, losses) == pytest.approx(midp, abs=5e-6)


@given(counts)
def test_the_exact_test_is_that_of_statsmodels(found):
    expected = mcnemar([[3, found[0]], [found[1], 5]], exact=True).pvalue
    assert mcnemar_exact(*found) == pytest.approx(expected)


@given(counts)
def test_the_mid_p_takes_half_of_what_was_seen_from_both_tails(found):
    n = sum(found)
    tails = stats.binom.cdf(min(found), n, 0.5) + stats.binom.sf(n - min(found) - 1, n, 0.5)
    expected = tails - stats.binom.pmf(min(found), n, 0.5)
    assert mcnemar_midp(*found) == pytest.approx(min(1.0, expected))
    assert mcnemar_midp(*found) <= mcnemar_exact(*found)


@given(counts)
def test_the_two_models_are_treated_alike(found):
    assert mcnemar_exact(*found) == mcnemar_exact(*reversed(found))
    assert mcnemar_midp(*found) == mcnemar_midp(*reversed(found))
