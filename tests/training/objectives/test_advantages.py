"""Rewards, returns and advantages: values by hand, invariants against slow plain definitions."""

import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.training.objectives import advantages

torch.set_num_threads(1)
POISON = (math.nan, math.inf, -math.inf, 1e30)
few = settings(max_examples=40)  # enough for small grids, and quick
shapes = st.tuples(st.integers(1, 5), st.integers(1, 6))
groups = st.tuples(st.integers(1, 4), st.integers(2, 6))
seeds = st.integers(0, 2**16)
shares = st.floats(0, 1)


def grid(shape, seed, count=1):
    """`count` random fp64 [B, T] tensors, and a mask of replies with at least one token each."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, shape[1] + 1, (shape[0], 1), generator=generator)
    drawn = [torch.randn(shape, generator=generator).double() for _ in range(count)]
    return *drawn, torch.arange(shape[1]) < lengths


def double_sum(rewards, values, discount, lam):
    """GAE of one reply as its definition reads, position by position."""
    length = len(rewards)
    following = [*values[1:], 0.0]
    delta = [rewards[t] + discount * following[t] - values[t] for t in range(length)]
    return [
        sum((discount * lam) ** (later - t) * delta[later] for later in range(t, length))
        for t in range(length)
    ]


def outputs(shape, seed, pad=None):
    """Everything made of a grid; with `pad`, that value stands wherever there is no token."""
    *drawn, mask = grid(shape, seed, 2)
    if pad is not None:
        drawn = [values.masked_fill(~mask, pad) for values in drawn]
    first, second = drawn
    scores_B = torch.linspace(-1, 1, shape[0]).double()
    advantage, returns = advantages.gae(first, second, mask, 0.9, 0.8)
    return {
        "rewards": advantages.token_rewards(scores_B, first, second, mask, 0.1),
        "advantages": advantage,
        "returns": returns,
        "white": advantages.whiten(first, mask, shift_mean=True),
        "scaled": advantages.whiten(first, mask, shift_mean=False),
        "explained": advantages.explained_variance(first, second, mask),
    }


def test_the_score_comes_at_the_last_token_and_kl_at_every_token():
    logprobs = torch.tensor([[-1.0, -2.0, 9.0], [-1.0, 9.0, 9.0]])
    reference = torch.tensor([[-2.0, -1.5, 0.0], [-1.0, 0.0, 0.0]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    found = advantages.token_rewards(torch.tensor([3.0, -1.0]), logprobs, reference, mask, 0.1)
    assert found.flatten().tolist() == pytest.approx([-0.1, 3.05, 0.0, -1.0, 0.0, 0.0])


def test_a_reply_without_tokens_has_no_rewards():
    nothing, mask = torch.zeros(1, 2), torch.zeros(1, 2).bool()
    found = advantages.token_rewards(torch.tensor([5.0]), nothing, nothing, mask, 0.1)
    assert found.tolist() == [[0.0, 0.0]]


def test_gae_has_its_values_by_hand():
    rewards, values = torch.tensor([[0.0, 1.0, 9.0]]), torch.tensor([[0.5, 0.25, 9.0]])
    mask = torch.tensor([[True, True, False]])
    found, returns = advantages.gae(rewards, values, mask, discount=1.0, lam=0.5)
    # delta = (0.25 - 0.5, 1 - 0.25)
    assert found[0].tolist() == pytest.approx([-0.25 + 0.5 * 0.75, 0.75, 0.0])
    assert returns[0].tolist() == pytest.approx([0.625, 1.0, 0.0])


@few
@given(shapes, seeds, shares, shares)
def test_gae_is_the_double_sum_of_its_definition(shape, seed, discount, lam):
    rewards, values, mask = grid(shape, seed, 2)
    found, returns = advantages.gae(rewards, values, mask, discount, lam)
    for row, length in enumerate(mask.sum(1).tolist()):
        own = rewards[row, :length].tolist(), values[row, :length].tolist()
        expected = double_sum(*own, discount, lam)
        assert found[row, :length].tolist() == pytest.approx(expected)
        assert found[row, length:].eq(0).all()
        assert returns[row, length:].eq(0).all()


@few
@given(shapes, seeds)
def test_lambda_1_gives_monte_carlo_returns_less_the_value(shape, seed):
    rewards, values, mask = grid(shape, seed, 2)
    found, returns = advantages.gae(rewards, values, mask, 1.0, 1.0)
    later = rewards.masked_fill(~mask, 0.0).flip(1).cumsum(1).flip(1).masked_fill(~mask, 0.0)
    torch.testing.assert_close(returns, later)
    torch.testing.assert_close(found, later - values.masked_fill(~mask, 0.0))


@few
@given(shapes, seeds, shares)
def test_lambda_0_gives_the_error_of_one_step(shape, seed, discount):
    rewards, values, mask = grid(shape, seed, 2)
    own = values.masked_fill(~mask, 0.0)
    following = torch.nn.functional.pad(own, (0, 1))[:, 1:]
    expected = (rewards + discount * following - own).masked_fill(~mask, 0.0)
    found = advantages.gae(rewards, values, mask, discount, 0.0)[0]
    torch.testing.assert_close(found, expected)


@few
@given(shapes, seeds)
def test_perfect_values_leave_no_advantage(shape, seed):
    rewards, mask = grid(shape, seed, 1)
    returns = advantages.gae(rewards, torch.zeros(shape), mask, 1.0, 1.0)[1]
    found = advantages.gae(rewards, returns, mask, 1.0, 0.95)[0]
    torch.testing.assert_close(found, torch.zeros_like(found))


@few
@given(st.tuples(st.integers(2, 5), st.integers(2, 6)), seeds, st.floats(-1e3, 1e3))
def test_whitened_values_have_mean_0_and_variance_1(shape, seed, shift):
    values, mask = grid(shape, seed, 1)
    white = advantages.whiten(values + shift, mask, shift_mean=True)
    assert white[mask].mean().item() == pytest.approx(0.0, abs=1e-6)
    assert white[mask].var().item() == pytest.approx(1.0, rel=1e-3)
    assert white[~mask].eq(0).all()


@few
@given(st.tuples(st.integers(2, 5), st.integers(2, 6)), seeds)
def test_whitening_without_a_shift_keeps_the_mean(shape, seed):
    values, mask = grid(shape, seed, 1)
    kept = advantages.whiten(values, mask, shift_mean=False)
    assert kept[mask].mean().item() == pytest.approx(values[mask].mean().item(), abs=1e-6)
    moved = advantages.whiten(values, mask, shift_mean=True)
    torch.testing.assert_close((kept - moved)[mask], values[mask].mean().expand(int(mask.sum())))


def test_whitening_has_its_values_by_hand():
    values = torch.tensor([[1.0, 3.0, 50.0], [5.0, 50.0, 50.0]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    found = advantages.whiten(values, mask, shift_mean=True)  # mean 3, unbiased variance 4
    assert found.flatten().tolist() == pytest.approx([-1.0, 0.0, 0.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(("shift_mean", "expected"), [(True, 0.0), (False, 2.0)])
def test_equal_values_and_a_lone_one_stay_finite(shift_mean, expected):
    for values in (torch.tensor([[2.0, 2.0]]), torch.tensor([[2.0]])):
        found = advantages.whiten(values, torch.ones_like(values).bool(), shift_mean)
        assert found.eq(expected).all()


def test_a_large_mean_does_not_swallow_the_variance():
    values = torch.tensor([[1e5, 1e5 + 1, 1e5 + 2]])
    found = advantages.whiten(values, torch.ones(1, 3).bool(), shift_mean=True)
    assert found[0].tolist() == pytest.approx([-1.0, 0.0, 1.0], abs=1e-2)


def test_leave_one_out_has_its_values_by_hand():
    found = advantages.leave_one_out(torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]))
    assert found.tolist() == [[-3.0, -1.5, 4.5], [0.0, 0.0, 0.0]]


@few
@given(groups, seeds)
def test_leave_one_out_sums_to_0_and_is_a_stretched_deviation(shape, seed):
    rewards = grid(shape, seed)[0]
    found = advantages.leave_one_out(rewards)
    torch.testing.assert_close(found.sum(1), torch.zeros(shape[0]).double())
    size = shape[1]
    expected = (rewards - rewards.mean(1, keepdim=True)) * size / (size - 1)
    torch.testing.assert_close(found, expected)


@few
@given(groups, seeds, st.booleans())
def test_group_normalised_is_mean_and_deviation_group_by_group(shape, seed, scale):
    rewards = grid(shape, seed)[0]
    found = advantages.group_normalised(rewards, scale)
    for row, own in zip(found.tolist(), rewards.tolist(), strict=True):
        divisor = statistics.stdev(own) + 1e-4 if scale else 1.0
        expected = [(reward - statistics.fmean(own)) / divisor for reward in own]
        assert row == pytest.approx(expected)


@few
@given(groups, seeds, st.floats(-10, 10))
def test_a_reward_added_to_a_whole_group_changes_nothing(shape, seed, shift):
    rewards = grid(shape, seed)[0]
    for function in (
        advantages.leave_one_out,
        lambda x: advantages.group_normalised(x, scale=True),
        lambda x: advantages.group_normalised(x, scale=False),
    ):
        torch.testing.assert_close(function(rewards + shift), function(rewards))


@few
@given(groups, seeds, st.randoms())
def test_the_order_of_replies_does_not_matter(shape, seed, random):
    rewards = grid(shape, seed)[0]
    order = random.sample(range(shape[1]), shape[1])
    for function in (
        advantages.leave_one_out,
        lambda x: advantages.group_normalised(x, scale=True),
    ):
        torch.testing.assert_close(function(rewards[:, order]), function(rewards)[:, order])


@few
@given(shapes, seeds, st.randoms())
def test_the_order_of_rows_does_not_matter(shape, seed, random):
    rewards, values, mask = grid(shape, seed, 2)
    order = random.sample(range(shape[0]), shape[0])
    turned = advantages.gae(rewards[order], values[order], mask[order], 0.9, 0.8)[0]
    torch.testing.assert_close(turned, advantages.gae(rewards, values, mask, 0.9, 0.8)[0][order])
    white = advantages.whiten(rewards[order], mask[order], shift_mean=True)
    torch.testing.assert_close(white, advantages.whiten(rewards, mask, shift_mean=True)[order])


@pytest.mark.parametrize("reward", [0.1, -1000.1, 1e15])
def test_equal_rewards_give_no_advantage(reward):
    rewards = torch.full((2, 7), reward)
    assert advantages.group_normalised(rewards, scale=True).eq(0).all()
    assert advantages.leave_one_out(rewards).eq(0).all()


@pytest.mark.parametrize("missing", [0, 2])
def test_a_missing_reward_enters_no_baseline_and_gets_no_advantage(missing):
    rewards = torch.tensor([[1.0, 2.0, 6.0]]).roll(missing, 1)
    with_gap = torch.cat(
        (rewards[:, :missing], torch.tensor([[math.nan]]), rewards[:, missing:]), 1
    )
    for function in (
        advantages.leave_one_out,
        lambda x: advantages.group_normalised(x, scale=True),
        lambda x: advantages.group_normalised(x, scale=False),
    ):
        found = function(with_gap)
        assert found[0, missing].item() == 0.0
        kept = torch.cat((found[:, :missing], found[:, missing + 1 :]), 1)
        torch.testing.assert_close(kept, function(rewards))


@pytest.mark.parametrize("rewards", [[[3.0]], [[3.0, math.nan]], [[math.nan, math.nan]]])
def test_a_reply_without_a_sibling_gets_no_advantage(rewards):
    assert advantages.leave_one_out(torch.tensor(rewards)).eq(0).all()
    assert advantages.group_normalised(torch.tensor(rewards), scale=True).eq(0).all()


@pytest.mark.parametrize(
    ("kl", "expected"),
    [(6.0, 0.15), (6.6, 0.15 * 1.0064), (60.0, 0.15 * 1.0128), (0.0, 0.15 * 0.9872)],
)
def test_the_kl_coefficient_moves_towards_the_target_by_bounded_steps(kl, expected):
    found = advantages.adapted_kl(0.15, kl, target=6.0, horizon=10_000.0, episodes=640)
    assert found == pytest.approx(expected)


def test_explained_variance_has_its_values_by_hand():
    returns, mask = torch.tensor([[1.0, 2.0, 3.0, 99.0]]), torch.tensor([[True] * 3 + [False]])
    halfway = torch.tensor([[1.5, 2.0, 2.5, 0.0]])
    for values, expected in ((returns, 1.0), (returns * 0, 0.0), (-returns, -3.0), (halfway, 0.75)):
        found = advantages.explained_variance(values, returns, mask)
        assert found.item() == pytest.approx(expected)


def test_returns_that_do_not_vary_leave_nothing_to_explain():
    same, mask = torch.full((1, 7), 0.1), torch.ones(1, 7).bool()
    assert advantages.explained_variance(same.cumsum(1), same, mask).isnan()
    assert advantages.explained_variance(same, same, ~mask).isnan()


@few
@given(shapes, seeds, st.sampled_from(POISON))
def test_what_stands_at_pads_changes_nothing(shape, seed, pad):
    clean, dirty = outputs(shape, seed), outputs(shape, seed, pad)
    for name, value in clean.items():
        assert value.equal(dirty[name]) or (value.isnan().all() and dirty[name].isnan().all()), name


@pytest.mark.parametrize("size", [1e3, 1e6, 1e15])
def test_extreme_rewards_stay_finite(size):
    rewards, mask = torch.tensor([[size, -size, 0.0]]), torch.ones(1, 3).bool()
    found = advantages.gae(rewards, -rewards, mask, 1.0, 0.95)
    for values in (
        *found,
        advantages.whiten(rewards, mask, shift_mean=True),
        advantages.leave_one_out(rewards),
        advantages.group_normalised(rewards, scale=True),
        advantages.explained_variance(rewards, -rewards, mask),
    ):
        assert values.isfinite().all()


def test_no_gradient_flows_through_targets():
    values, mask = torch.rand(2, 3, requires_grad=True), torch.ones(2, 3).bool()
    for found in (
        *advantages.gae(values, values, mask, 1.0, 0.95),
        advantages.token_rewards(values[:, 0], values, values, mask, 0.1),
        advantages.whiten(values, mask, shift_mean=True),
        advantages.leave_one_out(values),
        advantages.group_normalised(values, scale=True),
        advantages.explained_variance(values, values, mask),
    ):
        assert not found.requires_grad


def test_half_precision_becomes_fp32():
    values, mask = torch.rand(2, 3).bfloat16(), torch.ones(2, 3).bool()
    for found in (
        *advantages.gae(values, values, mask, 1.0, 0.95),
        advantages.whiten(values, mask, shift_mean=True),
        advantages.leave_one_out(values),
        advantages.token_rewards(values[:, 0], values, values, mask, 0.1),
    ):
        assert found.dtype == torch.float32
