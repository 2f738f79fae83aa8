"""Sensitivity to prompts: reference values, when a difference is fragile, a second test."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.mcnemar import mcnemar_exact
from bench.statistics.paired import paired_difference
from bench.statistics.variants import sensitivity
from tests.statistics.instructgpt import TRUTHFUL_PROMPTS, questions, truthful


def large_model(informative: bool):
    """Variants, questions, scores of PPO-ptx and of SFT at 175B, on all prompts."""
    names, items, ours, theirs = [], [], [], []
    for prompt in TRUTHFUL_PROMPTS:
        items += questions("sft-175b", prompt)
        ours += truthful("ppo-ptx-175b", prompt, informative)
        theirs += truthful("sft-175b", prompt, informative)
        names += [prompt] * (len(items) - len(names))
    return names, items, ours, theirs


@pytest.mark.parametrize(
    ("informative", "changes", "counts", "pooled", "error"),
    [
        (False, (0.13, -0.30, 0.19), ((21, 8), (2, 32), (23, 4)), 0.0067, 0.0325),
        (True, (0.33, 0.10, 0.29), ((36, 3), (19, 9), (31, 2)), 0.24, 0.03484),
    ],
)
def test_truthfulness_has_the_reference_values(informative, changes, counts, pooled, error):
    found = sensitivity(*large_model(informative))
    variants = {variant.name: variant.difference for variant in found.variants}
    for prompt, change, count in zip(TRUTHFUL_PROMPTS, changes, counts, strict=True):
        assert variants[prompt].estimate == pytest.approx(change)
        assert (variants[prompt].child_only, variants[prompt].parent_only) == count
    assert (found.lo, found.hi) == pytest.approx((min(changes), max(changes)))
    assert (found.pooled.n_items, found.pooled.n_clusters) == (300, 100)
    assert (found.pooled.estimate, found.pooled.se) == pytest.approx((pooled, error), abs=5e-5)
    assert found.fragile


def test_truthfulness_alone_turns_around_with_the_prompt():
    found = sensitivity(*large_model(informative=False))
    assert found.reason == "rises under QA prompt, QA + instruction; falls under instruction prompt"
    exact = [mcnemar_exact(*count) for count in ((21, 8), (2, 32), (23, 4))]
    assert exact == pytest.approx((0.024, 6.9e-8, 3.1e-4), rel=0.01)
    assert found.p_same < 1e-9


def rows(**changes: list[int]):
    """Rows of items on which child minus parent is -1, 0 or 1, by variant."""
    names = list(chain(*([name] * len(values) for name, values in changes.items())))
    items = list(chain(*(map(str, range(len(values))) for values in changes.values())))
    everything = list(chain(*changes.values()))
    child = [float(change > 0) for change in everything]
    return names, items, child, [float(change < 0) for change in everything]


def pattern(rises: int, falls: int, items: int = 100) -> list[int]:
    """As many rises and falls, spread over the items."""
    return np.random.default_rng(rises * items + falls).permutation(
        [1] * rises + [-1] * falls + [0] * (items - rises - falls)
    ).tolist()  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ((30, 5), (5, 30), "rises under a; falls under b"),
        ((40, 2), (12, 10), "rises under a; undecided under b"),
        ((2, 40), (10, 12), "falls under a; undecided under b"),
        ((30, 5), (28, 6), ""),  # both rise
        ((10, 11), (11, 10), ""),  # neither does anything
        ((22, 8), (20, 10), ""),  # one is significant, yet they do not differ
    ],
)
def test_a_difference_is_fragile_where_its_prompts_disagree(first, second, reason):
    found = sensitivity(*rows(a=pattern(*first), b=pattern(*second)))
    assert (found.reason, found.fragile) == (reason, bool(reason))


def test_significance_at_the_edge_is_no_fragility():
    found = sensitivity(*rows(a=pattern(22, 8), b=pattern(20, 10)))
    assert [variant.p_adjusted <= 0.05 for variant in found.variants] == [True, False]
    assert found.p_same > 0.3


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])), min_size=5, max_size=40
    )
)
def test_two_variants_differ_as_by_a_paired_t_test(pairs):
    first, second = [list(column) for column in zip(*pairs, strict=True)]
    found, apart = sensitivity(*rows(a=first, b=second)).p_same, np.subtract(first, second)
    if np.ptp(apart):
        assert found == pytest.approx(stats.ttest_1samp(apart, 0).pvalue)
    else:
        assert found == pytest.approx(2.0 ** (1 - len(pairs)) if apart.any() else 1.0)


def test_three_variants_differ_as_by_hotellings_test():
    random = np.random.default_rng(8)
    changes = random.integers(-1, 2, (3, 60)) * (random.random((3, 60)) < [[0.9], [0.5], [0.3]])
    changes[0] = np.maximum(changes[0], 0)
    contrasts = np.array([changes[0] - changes[1], changes[0] - changes[2]])
    mean, spread = contrasts.mean(axis=1), np.cov(contrasts) / 60
    t2 = mean @ np.linalg.solve(spread, mean)
    expected = stats.f.sf(t2 * 58 / (2 * 59), 2, 58)
    a, b, c = changes.tolist()
    assert sensitivity(*rows(a=a, b=b, c=c)).p_same == pytest.approx(expected)


def test_each_variant_alone_is_a_paired_difference_and_all_are_pooled_by_item():
    names, items, child, parent = rows(a=pattern(30, 5), b=pattern(10, 20))
    found = sensitivity(names, items, child, parent)
    assert found.variants[0].difference == paired_difference(child[:100], parent[:100], items[:100])
    assert found.pooled == paired_difference(child, parent, items)
    assert found.variants[0].p_adjusted >= found.variants[0].difference.p_value


@settings(max_examples=20)
@given(st.randoms())
def test_the_order_of_rows_does_not_matter(random):
    columns = rows(a=pattern(30, 5), b=pattern(10, 20), c=pattern(9, 9, 70))
    order = random.sample(range(270), 270)
    found = sensitivity(*columns)
    turned = sensitivity(*([column[at] for at in order] for column in columns))
    assert (turned.lo, turned.hi, turned.fragile) == (found.lo, found.hi, found.fragile)
    assert turned.p_same == pytest.approx(found.p_same)


def test_scores_where_lower_is_better_flip_no_sign_of_the_estimate():
    columns = rows(a=pattern(30, 5), b=pattern(5, 30))
    found, lower = sensitivity(*columns), sensitivity(*columns, lower_is_better=True)
    assert (lower.lo, lower.hi, lower.reason) == (found.lo, found.hi, found.reason)


def test_one_variant_is_not_fragile():
    found = sensitivity(*rows(a=pattern(30, 5)))
    assert (found.p_same, found.fragile, found.lo) == (1.0, False, 0.25)


def test_too_few_items_do_not_tell_whether_variants_differ():
    found = sensitivity(*rows(a=[1, 0], b=[0, 1], c=[-1, 1]))
    assert (found.p_same, found.fragile) == (None, False)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 rows, 1 items"):
        sensitivity(["a", "a"], ["x"], [0.0, 1.0], [0.0, 1.0])


@pytest.mark.slow
def test_variants_that_are_alike_are_seldom_called_fragile():
    random, fragile = np.random.default_rng(3), 0
    for _ in range(400):
        chances = random.beta(2, 2, 80)
        changes = random.binomial(1, chances, (3, 80)) - random.binomial(1, chances, (3, 80))
        a, b, c = changes.tolist()
        fragile += sensitivity(*rows(a=a, b=b, c=c)).fragile
    assert fragile / 400 <= 0.06
