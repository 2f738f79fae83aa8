"""Adjusted p-values: reference values, another library, what a missing one does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bench.statistics.multiplicity import benjamini_hochberg, holm

P_VALUES = (0.001, 0.011, 0.02, 0.039, 0.2, 0.6)
ADJUSTED = {
    holm: (0.006, 0.055, 0.08, 0.117, 0.4, 0.6),
    benjamini_hochberg: (0.006, 0.033, 0.04, 0.0585, 0.24, 0.6),
}
ORACLE = {holm: "holm", benjamini_hochberg: "fdr_bh"}
both = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
lists = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@both
def test_adjusted_p_values_have_the_reference_values(adjust):
    assert adjust(P_VALUES) == pytest.approx(ADJUSTED[adjust], abs=5e-5)


@both
@pytest.mark.parametrize("count", [1, 8, 60])
def test_adjusted_p_values_are_those_of_statsmodels(adjust, count):
    p = np.random.default_rng(count).beta(0.3, 1, count).round(2)  # many ties, some 0
    expected = multipletests(p, method=ORACLE[adjust])[1]
    assert adjust(p) == pytest.approx(expected, abs=1e-12)


@both
@settings(max_examples=30)
@given(pairs=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=20))
def test_missing_p_values_stay_missing_and_are_not_counted(adjust, pairs):
    p = [value if known else None for value, known in pairs]
    found = adjust(p)
    assert [value is None for value in found] == [value is None for value in p]
    kept = [value for value in p if value is not None]
    assert [value for value in found if value is not None] == adjust(kept)


@both
@settings(max_examples=30)
@given(p=lists, random=st.randoms())
def test_the_order_of_p_values_does_not_matter(adjust, p, random):
    order = random.sample(range(len(p)), len(p))
    found = adjust([p[at] for at in order])
    assert found == pytest.approx([adjust(p)[at] for at in order], abs=1e-15)


@both
@settings(max_examples=30)
@given(p=lists)
def test_adjusting_never_makes_a_p_value_smaller(adjust, p):
    assert all(raw <= adjusted <= 1 for raw, adjusted in zip(p, adjust(p), strict=True))


@both
@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(adjust, wrong):
    with pytest.raises(ValueError, match="outside"):
        adjust([0.5, wrong])
