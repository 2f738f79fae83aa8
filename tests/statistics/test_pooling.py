"""Means over tasks: reference values, other libraries, what a third model on the board changes."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from bench.statistics.pooling import common_effect, macro, micro

# Change of F1 from SFT to PPO-ptx of InstructGPT on six tasks, and half their 95% intervals.
# statistics.md, S8.
CHANGES = (-1.52, -4.95, 12.37, 8.65, 9.96, 17.79)
ERRORS = tuple(half / 1.96 for half in (8.37, 7.31, 7.53, 7.32, 7.52, 8.10))

some = settings(max_examples=30)
tasks = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(0.01, 0.5), st.integers(1, 500)), min_size=2, max_size=8
)


def columns(rows):
    return tuple(list(column) for column in zip(*rows, strict=True))


def test_the_common_effect_has_the_reference_value():
    found = common_effect(CHANGES, ERRORS)
    assert found.estimate == pytest.approx(6.971, abs=5e-4)
    oracle = combine_effects(np.array(CHANGES), np.array(ERRORS) ** 2)
    assert found.estimate == pytest.approx(oracle.mean_effect_fe)
    assert found.se == pytest.approx(oracle.sd_eff_w_fe)


@some
@given(tasks)
def test_a_micro_mean_is_the_mean_over_all_items(rows):
    effects, errors, items = columns(rows)
    found = micro(effects, errors, items)
    everything = np.repeat(effects, items)
    assert found.estimate == pytest.approx(everything.mean())
    variance = sum((n * error) ** 2 for n, error in zip(items, errors, strict=True))
    assert found.se == pytest.approx(variance**0.5 / everything.size)
    assert found.hi - found.lo == pytest.approx(2 * stats.norm.ppf(0.975) * found.se)


@some
@given(tasks, st.sampled_from([0.8, 0.95]))
def test_a_macro_mean_of_fixed_tasks_is_as_sure_as_their_items_make_it(rows, level):
    effects, errors, _ = columns(rows)
    found = macro(effects, errors, level=level)
    assert found.estimate == pytest.approx(np.mean(effects))
    assert found.se == pytest.approx(np.sqrt(np.mean(np.square(errors)) / len(errors)))
    expected = stats.norm.interval(level, found.estimate, found.se)
    assert (found.lo, found.hi) == pytest.approx(expected)


@some
@given(tasks, st.sampled_from([0.8, 0.95]))
def test_a_macro_mean_of_sampled_tasks_is_as_sure_as_their_number_makes_it(rows, level):
    effects = [effect + 0.01 * place for place, (effect, _, _) in enumerate(rows)]
    assume(np.ptp(effects) > 1e-6)
    found = macro(effects, [error for _, error, _ in rows], tasks="sampled", level=level)
    expected = stats.t.interval(level, len(rows) - 1, np.mean(effects), stats.sem(effects))
    assert (found.lo, found.hi) == pytest.approx(expected, abs=1e-9)
    assert found.method == "macro_sampled"


def test_tasks_of_one_size_and_error_are_pooled_alike():
    effects, errors = [0.1, 0.4, -0.2], [0.05, 0.05, 0.05]
    found = [
        micro(effects, errors, [7, 7, 7]),
        macro(effects, errors),
        common_effect(effects, errors),
    ]
    assert [pooled.estimate for pooled in found] == pytest.approx([0.1] * 3)
    assert [pooled.se for pooled in found] == pytest.approx([0.05 / 3**0.5] * 3)


def win_rates(scores: np.ndarray) -> list[float]:
    """HELM's mean win rate of each of M models from `scores` [M, K], nothing being equal."""
    wins = (scores[:, None, :] > scores[None, :, :]).mean(axis=2)
    return (wins.sum(axis=1) / (len(scores) - 1)).round(4).tolist()


def test_a_third_model_changes_mean_win_rates_and_no_macro_mean():
    two = np.array([[0.70, 0.40], [0.60, 0.50]])
    three = np.vstack([two, [0.65, 0.30]])
    assert win_rates(two) == [0.5, 0.5]
    assert win_rates(three) == [0.75, 0.5, 0.25]
    alone, beside = ([macro(row, [0.02, 0.02]) for row in board] for board in (two, three))
    assert beside[:2] == alone
    assert alone[0].estimate == pytest.approx(alone[1].estimate)


@some
@given(tasks, st.integers(1, 8))
def test_tasks_without_estimate_are_left_out_and_counted(rows, missing):
    effects, errors, items = columns(rows)
    holes = [None] * missing
    for pool in (macro, common_effect):
        found, known = pool([*effects, *holes], [*errors, *holes]), pool(effects, errors)
        assert (found.estimate, found.se, found.n_tasks) == (known.estimate, known.se, len(rows))
        assert found.warnings == (f"tasks left out, without estimate or standard error: {missing}",)
    found = micro([*effects, *holes], [*errors, *holes], [*items, *[9] * missing])
    assert found.estimate == micro(effects, errors, items).estimate


@some
@given(tasks)
def test_the_other_direction_is_the_same_number_below_0(rows):
    effects, errors, items = columns(rows)
    opposite = [-effect for effect in effects]
    for found, flipped in (
        (micro(effects, errors, items), micro(opposite, errors, items)),
        (macro(effects, errors), macro(opposite, errors)),
        (macro(effects, errors, "sampled"), macro(opposite, errors, "sampled")),
    ):
        assert (flipped.estimate, flipped.lo, flipped.hi) == pytest.approx(
            (-found.estimate, -found.hi, -found.lo)
        )


def test_a_task_where_nothing_varies_does_not_outweigh_the_others():
    found = common_effect([0.5, 0.1, 0.0], [0.1, 0.2, 0.0])
    assert found.estimate == common_effect([0.5, 0.1, 0.0], [0.1, 0.2, 0.2]).estimate
    assert found.warnings == ("tasks where nothing varies, given the largest standard error: 1",)


@pytest.mark.parametrize(
    ("effects", "errors", "estimate", "told"),
    [
        ([], [], None, "no tasks"),
        ([None], [0.1], None, "no tasks"),
        ([0.0, 0.0], [0.0, 0.0], 0.0, "nothing varies in any task"),
    ],
)
@pytest.mark.parametrize("pool", [macro, common_effect])
def test_nothing_known_has_no_standard_error(pool, effects, errors, estimate, told):
    found = pool(effects, errors)
    assert (found.estimate, found.se, found.lo, found.method) == (estimate, None, None, "none")
    assert found.warnings[-1] == told


def test_one_task_says_nothing_of_others_like_it():
    found = macro([0.3], [0.1], "sampled")
    assert (found.estimate, found.se, found.warnings) == (0.3, None, ("one task",))
    assert macro([0.3], [0.1]).se == pytest.approx(0.1)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="zip"):
        macro([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="2 estimates of 1 numbers"):
        micro([0.1, 0.2], [0.1, 0.1], [5])
