"""Losses: values worked out by hand, invariants against slow plain definitions, gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from bench.training.objectives import losses

torch.set_num_threads(1)
POISON = (math.nan, math.inf, -math.inf, 1e30)
few = settings(max_examples=40)  # enough for small grids, and quick
shapes = st.tuples(st.integers(1, 5), st.integers(1, 6))
seeds = st.integers(0, 2**16)
ranked = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 3), st.floats(-5, 5)), min_size=1, max_size=12
)  # (rank, prompt, reward) of each reply


def grid(shape, seed, count=1):
    """`count` random fp64 [B, T] tensors, and a mask of replies with at least one token each."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, shape[1] + 1, (shape[0], 1), generator=generator)
    drawn = [torch.randn(shape, generator=generator).double() for _ in range(count)]
    return *drawn, torch.arange(shape[1]) < lengths


def columns(replies):
    ranks, groups, rewards = zip(*replies, strict=True)
    return torch.tensor(ranks), torch.tensor(groups), torch.tensor(rewards, dtype=torch.float64)


def one_by_one(replies, ties):
    """The ranking loss as its definition reads: for each prompt, the mean over its pairs."""
    total = 0.0
    for prompt in {prompt for _, prompt, _ in replies}:
        own = [(rank, reward) for rank, owner, reward in replies if owner == prompt]
        found = []
        for place, (rank, reward) in enumerate(own):
            for other_rank, other in own[place + 1 :]:
                win, lose = (math.log1p(math.exp(-d)) for d in (reward - other, other - reward))
                if rank != other_rank:
                    found.append(win if rank < other_rank else lose)
                elif ties == "half":
                    found.append((win + lose) / 2)
        total += sum(found) / len(found) if found else 0.0
    return total


def outputs(shape, seed, pad=None):
    """Every loss of a grid; with `pad`, that value stands wherever there is no token."""
    *drawn, mask = grid(shape, seed, 4)
    if pad is not None:
        drawn = [values.masked_fill(~mask, pad) for values in drawn]
    new, old, third, fourth = drawn
    new.requires_grad_()
    advantages_B = torch.linspace(-1, 1, shape[0]).double()
    policy = losses.clipped_policy_losses(new, old, third, mask, 0.2)
    grpo = losses.grpo_losses(new, old, third, advantages_B, mask, 0.2, 0.04)
    found = {
        "token_nll": losses.token_nll(new, mask),
        "mean_per_reply": losses.mean_per_reply(new, mask),
        "policy": policy.losses_BT,
        "ratio": policy.ratio_BT,
        "sequence": losses.sequence_policy_losses(new, old, advantages_B, mask, 0.2).losses_B,
        "grpo": grpo.losses_BT,
        "value": losses.clipped_value_losses(new, old, fourth, mask, 0.2),
        "kl": losses.kl_k2(new, old, mask),
    }
    total = sum(value.sum() for value in found.values())
    return found | {"gradient": torch.autograd.grad(total, new)[0]}


def test_token_nll_is_the_sum_over_real_tokens():
    logprobs = torch.tensor([[-1.0, -2.0, -9.0], [-0.5, -9.0, -9.0]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert losses.token_nll(logprobs, mask).item() == 3.5


def test_a_mean_per_reply_counts_its_own_tokens_and_is_0_without_any():
    values = torch.tensor([[2.0, 4.0, 9.0], [6.0, 9.0, 9.0], [9.0, 9.0, 9.0]])
    mask = torch.tensor([[True, True, False], [True, False, False], [False] * 3])
    assert losses.mean_per_reply(values, mask).tolist() == [3.0, 6.0, 0.0]


def test_half_precision_is_added_up_in_fp32():
    logprobs = torch.full((1, 4096), -1.0, dtype=torch.bfloat16)
    found = losses.token_nll(logprobs, torch.ones(1, 4096, dtype=torch.bool))
    assert (found.dtype, found.item()) == (torch.float32, 4096.0)


def test_pairs_are_all_comparisons_within_each_prompt():
    ranks, groups = torch.tensor([2, 1, 1, 3, 1]), torch.tensor([7, 7, 7, 4, 4])
    pairs = losses.pairs_of(ranks, groups, "drop")
    named = zip(pairs.winner_P.tolist(), pairs.loser_P.tolist(), strict=True)
    assert dict(zip(named, pairs.weight_P.tolist(), strict=True)) == {
        (1, 0): 0.5,
        (2, 0): 0.5,
        (4, 3): 1.0,
    }
    assert pairs.count_G.tolist() == [1, 2]


def test_half_a_win_for_each_of_a_tie():
    pairs = losses.pairs_of(torch.tensor([2, 1, 1]), torch.tensor([0, 0, 0]), "half")
    named = zip(pairs.winner_P.tolist(), pairs.loser_P.tolist(), strict=True)
    assert dict(zip(named, pairs.weight_P.tolist(), strict=True)) == pytest.approx(
        {(1, 0): 1 / 3, (2, 0): 1 / 3, (1, 2): 1 / 6, (2, 1): 1 / 6}
    )
    assert pairs.count_G.tolist() == [3]


def test_prompts_without_a_pair_are_counted_and_teach_nothing():
    ranks, groups = torch.tensor([1, 1, 1, 1, 2]), torch.tensor([0, 0, 1, 2, 2])
    pairs = losses.pairs_of(ranks, groups, "drop")
    assert (pairs.prompts, pairs.count_G.tolist()) == (1, [0, 0, 1])
    alone = losses.pairs_of(ranks[:3], groups[:3], "drop")
    assert (alone.prompts, alone.count_G.tolist()) == (0, [0, 0])
    assert losses.ranking_loss(torch.randn(3), alone).item() == 0.0


def test_the_ranking_loss_has_its_value_by_hand():
    pairs = losses.pairs_of(torch.tensor([1, 2, 3]), torch.zeros(3).long(), "drop")
    rewards = torch.tensor([2.0, 1.0, 0.0])
    expected = (2 * math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))) / 3
    assert losses.ranking_loss(rewards, pairs).item() == pytest.approx(expected)


@few
@given(ranked, st.sampled_from(["drop", "half"]))
def test_the_ranking_loss_is_the_mean_of_its_pair_losses(replies, ties):
    ranks, groups, rewards = columns(replies)
    found = losses.ranking_loss(rewards, losses.pairs_of(ranks, groups, ties))
    assert found.item() == pytest.approx(one_by_one(replies, ties), abs=1e-6)


@few
@given(ranked, st.sampled_from(["drop", "half"]))
def test_every_prompt_with_a_pair_weighs_1(replies, ties):
    pairs = losses.pairs_of(*columns(replies)[:2], ties)
    assert pairs.weight_P.sum().item() == pytest.approx(pairs.prompts)
    assert len(pairs.count_G) == len({prompt for _, prompt, _ in replies})


@few
@given(ranked, st.sampled_from(["drop", "half"]), st.randoms())
def test_the_order_of_replies_does_not_matter(replies, ties, random):
    turned = random.sample(replies, len(replies))
    first, second = (
        losses.ranking_loss(rewards, losses.pairs_of(ranks, groups, ties)).item()
        for ranks, groups, rewards in (columns(replies), columns(turned))
    )
    assert first == pytest.approx(second)


@few
@given(ranked, st.floats(-100, 100))
def test_only_differences_of_reward_matter(replies, shift):
    ranks, groups, rewards = columns(replies)
    pairs = losses.pairs_of(ranks, groups, "drop")
    first, second = (losses.ranking_loss(r, pairs).item() for r in (rewards, rewards + shift))
    assert first == pytest.approx(second, abs=1e-6)


@few
@given(ranked)
def test_the_loss_is_the_negative_log_of_the_pair_probabilities(replies):
    ranks, groups, rewards = columns(replies)
    pairs = losses.pairs_of(ranks, groups, "half")
    probabilities = losses.pair_probabilities(rewards, pairs)
    expected = -(pairs.weight_P * probabilities.log()).sum()
    torch.testing.assert_close(losses.ranking_loss(rewards, pairs), expected)


def test_the_gradient_of_a_pair_is_the_probability_of_the_wrong_order():
    rewards = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    pairs = losses.pairs_of(torch.tensor([1, 2]), torch.tensor([0, 0]), "drop")
    losses.ranking_loss(rewards, pairs).backward()
    wrong = 1 - losses.pair_probabilities(rewards, pairs).item()
    assert rewards.grad.tolist() == pytest.approx([-wrong, wrong])


@pytest.mark.parametrize(
    ("kind", "smoothing", "expected"),
    [
        ("sigmoid", 0.0, math.log1p(math.exp(-0.2))),  # margin 2, beta 0.1
        ("sigmoid", 0.25, 0.75 * math.log1p(math.exp(-0.2)) + 0.25 * math.log1p(math.exp(0.2))),
        ("ipo", 0.0, 9.0),  # (2 - 5)^2
        ("ipo", 0.25, 0.75 * 9.0 + 0.25 * 49.0),
    ],
)
def test_dpo_losses_have_their_values_by_hand(kind, smoothing, expected):
    sides = [torch.tensor([value]) for value in (-3.0, -6.0, -4.0, -5.0)]
    found = losses.dpo_losses(*sides, beta=0.1, kind=kind, label_smoothing=smoothing)
    assert found.tolist() == pytest.approx([expected])


@few
@given(seeds, st.floats(0.01, 2))
def test_dpo_is_the_pair_loss_of_its_implicit_rewards(seed, beta):
    chosen, rejected, old_chosen, old_rejected = grid((4, 3), seed, 4)[0]
    found = losses.dpo_losses(chosen, rejected, old_chosen, old_rejected, beta, "sigmoid", 0.0)
    first = losses.implicit_rewards(chosen, old_chosen, beta)
    second = losses.implicit_rewards(rejected, old_rejected, beta)
    torch.testing.assert_close(found, -torch.nn.functional.logsigmoid(first - second))


@pytest.mark.parametrize("kind", ["sigmoid", "ipo"])
@few
@given(seed=seeds, smoothing=st.floats(0, 0.49))
def test_swapping_the_labels_is_smoothing_with_the_rest(kind, seed, smoothing):
    a, b, c, d = grid((4, 3), seed, 1)[0].expand(4, 3).unbind()
    kept = losses.dpo_losses(a, b, c, d, 0.1, kind, smoothing)
    swapped = losses.dpo_losses(b, a, d, c, 0.1, kind, 1 - smoothing)
    torch.testing.assert_close(kept, swapped)


def test_policy_losses_have_their_values_by_hand():
    ratio = torch.tensor([[1.5, 1.5, 0.5, 0.5, 1.1]])
    advantages = torch.tensor([[2.0, -2.0, 2.0, -2.0, 2.0]])
    found = losses.clipped_policy_losses(
        ratio.log(), torch.zeros(1, 5), advantages, torch.ones(1, 5).bool(), 0.2
    )
    assert found.losses_BT[0].tolist() == pytest.approx([-2.4, 3.0, -1.0, 1.6, -2.2])
    assert found.ratio_BT[0].tolist() == pytest.approx(ratio[0].tolist())
    assert found.clipped_BT[0].tolist() == [True, False, False, True, False]


@few
@given(shapes, seeds)
def test_before_the_first_update_losses_are_minus_advantages_and_nothing_is_clipped(shape, seed):
    new, advantages, mask = grid(shape, seed, 2)
    found = losses.clipped_policy_losses(new, new.clone(), advantages, mask, 0.2)
    torch.testing.assert_close(found.losses_BT, -advantages.masked_fill(~mask, 0.0))
    assert found.ratio_BT.eq(1).all()
    assert not found.clipped_BT.any()


@few
@given(shapes, seeds)
def test_before_the_first_update_the_gradient_is_reinforce(shape, seed):
    new, advantages, mask = grid(shape, seed, 2)
    new.requires_grad_()
    found = losses.clipped_policy_losses(new, new.detach(), advantages, mask, 0.2)
    found.losses_BT.sum().backward()
    torch.testing.assert_close(new.grad, -advantages.masked_fill(~mask, 0.0))


def test_a_clipped_token_has_no_gradient():
    new = torch.tensor([[0.5, 0.5]], requires_grad=True)
    found = losses.clipped_policy_losses(
        new, torch.zeros(1, 2), torch.tensor([[1.0, -1.0]]), torch.ones(1, 2).bool(), 0.2
    )
    found.losses_BT.sum().backward()
    assert new.grad[0].tolist() == pytest.approx([0.0, math.exp(0.5)])


@few
@given(shapes, seeds)
def test_a_reply_of_one_token_is_a_sequence(shape, seed):
    new, old, advantages, _ = grid((shape[0], 1), seed, 3)
    mask = torch.ones(shape[0], 1).bool()
    token = losses.clipped_policy_losses(new, old, advantages, mask, 0.2)
    whole = losses.sequence_policy_losses(new, old, advantages[:, 0], mask, 0.2)
    torch.testing.assert_close(whole.losses_B, token.losses_BT[:, 0])
    assert torch.equal(whole.clipped_B, token.clipped_BT[:, 0])


def test_the_ratio_of_a_sequence_is_the_product_of_its_tokens():
    new, old = torch.tensor([[0.1, 0.2, 9.0]]), torch.tensor([[0.0, -0.1, 1.0]])
    mask = torch.tensor([[True, True, False]])
    found = losses.sequence_policy_losses(new, old, torch.tensor([-1.0]), mask, 0.2)
    assert found.ratio_B.item() == pytest.approx(math.exp(0.4))
    assert found.losses_B.item() == pytest.approx(math.exp(0.4))


@few
@given(shapes, seeds, st.floats(0, 1))
def test_grpo_is_the_clipped_loss_plus_its_kl(shape, seed, kl):
    new, old, reference, mask = grid(shape, seed, 3)
    advantages_B = torch.linspace(-1, 1, shape[0]).double()
    found = losses.grpo_losses(new, old, reference, advantages_B, mask, 0.2, kl)
    spread = advantages_B.unsqueeze(1).expand(shape)
    clipped = losses.clipped_policy_losses(new, old, spread, mask, 0.2).losses_BT
    torch.testing.assert_close(found.losses_BT, clipped + kl * losses.kl_k3(new, reference, mask))


def test_value_losses_have_their_values_by_hand():
    values, old = torch.tensor([[1.0, 1.0, 0.1, 5.0]]), torch.zeros(1, 4)
    returns = torch.tensor([[2.0, 0.0, 1.0, 0.0]])
    mask = torch.tensor([[True, True, True, False]])
    found = losses.clipped_value_losses(values, old, returns, mask, 0.2)
    # Moving towards the return beyond the clip earns nothing; moving away is paid in full.
    assert found[0].tolist() == pytest.approx([0.5 * 1.8**2, 0.5, 0.5 * 0.9**2, 0.0])


def test_kl_estimates_have_their_values_by_hand():
    new, reference = torch.tensor([[0.0, 5.0]]), torch.tensor([[math.log(2), 0.0]])
    mask = torch.tensor([[True, False]])
    found = [
        f(new, reference, mask)[0].tolist() for f in (losses.kl_k1, losses.kl_k2, losses.kl_k3)
    ]
    log2 = math.log(2)
    for estimate, expected in zip(found, (-log2, log2**2 / 2, 1 - log2), strict=True):
        assert estimate == pytest.approx([expected, 0.0])


@few
@given(seeds)
def test_k1_and_k3_average_to_the_kl_divergence(seed):
    policy, reference = grid((2, 6), seed, 1)[0].log_softmax(-1).unbind()
    divergence = (policy.exp() * (policy - reference)).sum()
    everywhere = torch.ones(1, 6).bool()
    for estimate in (losses.kl_k1, losses.kl_k3):
        found = estimate(policy.unsqueeze(0), reference.unsqueeze(0), everywhere)
        torch.testing.assert_close((policy.exp() * found).sum(), divergence)


@few
@given(seeds)
def test_the_gradient_of_k2_averages_to_that_of_the_kl_divergence(seed):
    logits, reference = grid((2, 6), seed, 1)[0].unbind()
    policy = logits.requires_grad_().log_softmax(-1)
    reference = reference.log_softmax(-1)
    k2 = losses.kl_k2(policy[None], reference[None].detach(), torch.ones(1, 6).bool())
    exact = torch.autograd.grad(
        (policy.exp() * (policy - reference)).sum(), logits, retain_graph=True
    )
    found = torch.autograd.grad((policy.detach().exp() * k2).sum(), logits)
    torch.testing.assert_close(found, exact)


@pytest.mark.parametrize("difference", [1e-5, 1e-4, 1e-3, 1e-2])
def test_k3_of_a_close_reference_is_not_lost_to_rounding(difference):
    new = torch.tensor([[difference]])
    found = losses.kl_k3(new, torch.zeros(1, 1), torch.ones(1, 1).bool()).item()
    assert found == pytest.approx(math.expm1(-difference) + difference, rel=0.05)


@few
@given(shapes, seeds, st.sampled_from(POISON))
def test_what_stands_at_pads_changes_nothing(shape, seed, pad):
    clean, dirty = outputs(shape, seed), outputs(shape, seed, pad)
    for name, value in clean.items():
        assert torch.equal(value, dirty[name]), name
    mask = grid(shape, seed, 4)[-1]
    assert clean["gradient"][~mask].eq(0).all()


@few
@given(shapes, seeds)
def test_more_pads_change_nothing(shape, seed):
    new, old, advantages, mask = grid(shape, seed, 3)
    wider = [torch.nn.functional.pad(values, (0, 2)) for values in (new, old, advantages, mask)]
    found = losses.clipped_policy_losses(*wider, 0.2).losses_BT
    first = losses.clipped_policy_losses(new, old, advantages, mask, 0.2).losses_BT
    assert torch.equal(found[:, : shape[1]], first)
    assert found[:, shape[1] :].eq(0).all()


@few
@given(seeds)
def test_losses_of_micro_batches_add_up_to_that_of_the_batch(seed):
    new, mask = grid((4, 5), seed)
    parts = [slice(0, 1), slice(1, 4)]
    whole = losses.token_nll(new, mask)
    torch.testing.assert_close(sum(losses.token_nll(new[p], mask[p]) for p in parts), whole)
    ranks, groups = torch.tensor([1, 1, 2, 3]), torch.tensor([0, 1, 1, 1])
    rewards = new[:, 0]
    split = sum(
        losses.ranking_loss(rewards[p], losses.pairs_of(ranks[p], groups[p], "drop")) for p in parts
    )
    joined = losses.ranking_loss(rewards, losses.pairs_of(ranks, groups, "drop"))
    torch.testing.assert_close(split, joined)


def test_gradients_are_those_of_finite_differences():
    new, old, third, mask = grid((3, 4), 3, 3)
    advantages_B = torch.tensor([1.0, -1.0, 0.5]).double()
    pairs = losses.pairs_of(torch.tensor([1, 2, 2]), torch.zeros(3).long(), "half")
    sides = old[:, 0], third[:, 0], third[:, 1]
    new.requires_grad_()
    for function in (
        lambda x: losses.token_nll(x, mask),
        lambda x: losses.ranking_loss(x[:, 0], pairs),
        lambda x: losses.dpo_losses(x[:, 0], *sides, 0.1, "sigmoid", 0.1),
        lambda x: losses.dpo_losses(x[:, 0], *sides, 0.1, "ipo", 0.1),
        lambda x: losses.clipped_policy_losses(x, old, third, mask, 0.2).losses_BT,
        lambda x: losses.sequence_policy_losses(x, old, advantages_B, mask, 0.2).losses_B,
        lambda x: losses.grpo_losses(x, old, third, advantages_B, mask, 0.2, 0.1).losses_BT,
        lambda x: losses.clipped_value_losses(x, old, third, mask, 0.2),
    ):
        assert gradcheck(function, (new,))


@pytest.mark.parametrize("size", [1e3, 1e6, 1e15])
def test_extreme_rewards_give_finite_losses_and_gradients(size):
    rewards = torch.tensor([-size, size, 0.0], requires_grad=True)
    pairs = losses.pairs_of(torch.tensor([1, 2, 2]), torch.zeros(3).long(), "half")
    loss = losses.ranking_loss(rewards, pairs)
    sides = [torch.tensor([value]) for value in (-size, size, size, -size)]
    for kind in ("sigmoid", "ipo"):
        assert losses.dpo_losses(*sides, 0.1, kind, 0.1).isfinite().all()
    assert loss.isfinite()
    assert torch.autograd.grad(loss, rewards)[0].isfinite().all()
    assert losses.pair_probabilities(rewards, pairs).isfinite().all()


@pytest.mark.parametrize("far", [-1e4, 1e4])
@pytest.mark.parametrize("advantage", [-1e3, 0.0, 1e3])
def test_a_policy_that_has_left_gives_finite_losses_and_gradients(far, advantage):
    new = torch.tensor([[far, 0.0]], requires_grad=True)
    old, mask = torch.zeros(1, 2), torch.ones(1, 2).bool()
    worth_B = torch.tensor([advantage])
    found = losses.grpo_losses(new, old, old, worth_B, mask, 0.2, 0.1).losses_BT.sum()
    found = found + losses.sequence_policy_losses(new, old, worth_B, mask, 0.2).losses_B.sum()
    gradient = torch.autograd.grad(found, new)[0]
    assert found.isfinite()
    assert gradient.square().sum().isfinite()


def test_rollout_numbers_get_no_gradient():
    new, old, third, mask = grid((2, 3), 0, 3)
    for values in (new, old, third):
        values.requires_grad_()
    policy = losses.grpo_losses(new, old, old, third[:, 0], mask, 0.2, 0.1).losses_BT.sum()
    value = losses.clipped_value_losses(new, old, third, mask, 0.2).sum()
    (policy + value).backward()
    assert new.grad is not None
    assert old.grad is None
    assert third.grad is None
