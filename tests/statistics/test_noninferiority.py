"""Non-inferiority: verdicts, other libraries, the likelihood itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from bench.statistics.noninferiority import noninferiority, tango_score
from bench.statistics.paired import paired_difference
from tests.statistics.contingency import table

counts = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda found: sum(found) > 1)
margins = st.sampled_from([0.01, 0.05, 0.2])


@pytest.mark.parametrize(
    ("counts", "margin", "expected"),
    [
        ((900, 20, 22, 58), 0.03, "no tax"),
        ((900, 20, 22, 58), 0.01, "undetermined"),
        ((800, 10, 60, 130), 0.02, "tax"),
        ((800, 10, 60, 130), 0.10, "no tax"),
        ((80, 12, 4, 4), 0.02, "no tax"),
        ((8, 1, 1, 0), 0.02, "undetermined"),
    ],
)
def test_no_tax_needs_the_whole_interval_above_the_margin(counts, margin, expected):
    child, parent = table(*counts)
    found = noninferiority(paired_difference(child, parent), margin)
    assert found.verdict == expected
    inverted = paired_difference(
        [1 - score for score in child], [1 - score for score in parent], lower_is_better=True
    )
    mirrored = noninferiority(inverted, margin)
    assert mirrored.verdict == expected
    assert mirrored.p_value == pytest.approx(found.p_value)


def test_the_p_value_of_graded_scores_is_a_shifted_paired_t_test():
    random = np.random.default_rng(0)
    parent = random.random(50) * 0.5 + 0.3
    child = parent - 0.02 + random.normal(0, 0.05, 50)
    found = noninferiority(paired_difference(child.tolist(), parent.tolist()), 0.03)
    oracle = stats.ttest_rel(child + 0.03, parent, alternative="greater")
    assert found.p_value == pytest.approx(oracle.pvalue)


@given(counts, st.floats(-0.8, 0.8))
def test_tangos_variance_is_that_of_the_likeliest_shares(counts, difference):
    both, wins, losses, neither = counts
    n = sum(counts)
    if abs(wins - losses - n * difference) < 1e-6:
        return

    def unlikelihood(lost: float) -> float:
        seen = (wins, losses, both + neither)
        shares = (lost + difference, lost, 1 - 2 * lost - difference)
        return -sum(k * np.log(max(p, 1e-300)) for k, p in zip(seen, shares, strict=True) if k)

    limits = (max(0.0, -difference), (1 - difference) / 2)
    fitted = optimize.minimize_scalar(
        unlikelihood, bounds=limits, method="bounded", options={"xatol": 1e-9}
    )
    variance = n * (2 * fitted.x + difference * (1 - difference))
    expected = (wins - losses - n * difference) / np.sqrt(variance)
    assert tango_score(wins, losses, n, difference) == pytest.approx(expected, rel=1e-3)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40))
def test_without_a_margin_tangos_score_is_mcnemars(wins, losses, rest):
    expected = (wins - losses) / np.sqrt(wins + losses)
    assert tango_score(wins, losses, wins + losses + rest, 0.0) == pytest.approx(expected)


@given(counts, margins)
def test_a_wider_margin_makes_a_tax_less_likely(counts, margin):
    one = paired_difference(*table(*counts))
    narrow, wide = noninferiority(one, margin), noninferiority(one, 2 * margin)
    assert 0.0 <= wide.p_value <= narrow.p_value <= 1.0
    order = ("tax", "undetermined", "no tax")
    assert order.index(wide.verdict) >= order.index(narrow.verdict)


@pytest.mark.parametrize(("n", "verdict"), [(20, "undetermined"), (400, "no tax")])
def test_identical_scores_show_no_tax_only_where_there_are_enough(n, verdict):
    scores = np.random.default_rng(0).random(n).tolist()
    found = noninferiority(paired_difference(scores, scores), 0.02)
    assert found.verdict == verdict
    assert found.p_value == pytest.approx((1 - 0.02) ** n)


def test_a_margin_as_wide_as_the_scale_cannot_be_missed():
    found = noninferiority(paired_difference([0.0, 0.0, 1.0], [1.0, 1.0, 1.0]), 1.0)
    assert found.p_value == 0.0


def test_margins_are_in_units_of_the_score():
    child, parent = table(80, 3, 7, 10)
    percent = paired_difference(
        [100 * score for score in child], [100 * score for score in parent], bounds=(0.0, 100.0)
    )
    expected = noninferiority(paired_difference(child, parent), 0.05)
    found = noninferiority(percent, 5.0)
    assert (found.verdict, found.p_value) == (expected.verdict, pytest.approx(expected.p_value))


def test_one_item_says_nothing():
    found = noninferiority(paired_difference([1.0], [1.0]), 0.1)
    assert (found.verdict, found.p_value) == ("undetermined", None)


@pytest.mark.parametrize("margin", [0.0, -0.1])
def test_a_margin_is_above_zero(margin):
    with pytest.raises(ValueError, match=f"a margin of {margin}"):
        noninferiority(paired_difference([1.0, 0.0], [0.0, 0.0]), margin)


@pytest.mark.parametrize("clusters", [None, [str(at // 2) for at in range(20)]])
def test_a_child_that_lost_everything_has_a_tax_for_sure(clusters):
    difference = paired_difference([0.0] * 20, [1.0] * 20, clusters)
    found = noninferiority(difference, 0.05)
    assert found.verdict == "tax"
    assert found.p_value == pytest.approx(1.0, abs=1e-4)
