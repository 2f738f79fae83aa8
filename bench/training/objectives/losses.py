"""The losses of every stage, and the estimates of KL that are logged with them: pure functions.

SFT, reward, DPO, PPO, RLOO and GRPO stages call them on grids of reply tokens: B replies of T
tokens, padded on the right, with natural log-probabilities `logprobs_BT` and `mask_BT` True where
a token exists. What stands at a pad never reaches a result or a gradient. Arithmetic is fp32 or
wider. An update is accumulated over micro-batches and processes, so a loss comes back as a sum, or
one value a token, reply or pair to sum; the caller divides by the count over the whole update.

>>> pairs = pairs_of(torch.tensor([1, 2]), torch.tensor([0, 0]), ties="drop")
>>> round(float(ranking_loss(torch.tensor([1.0, 0.0]), pairs)), 4)  # log(1 + 1/e)
0.3133
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Ties = Literal["drop", "half"]
Preference = Literal["sigmoid", "ipo"]
# Log-ratios are cut here (without gradient beyond): the square of e^40 still fits fp32, so neither
# a ratio nor the norm of its gradient becomes infinite. A policy that far off has diverged already.
LARGEST_LOG_RATIO = 40.0


def real(values_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """`values_BT` [B, T] in fp32 or wider, with 0 for whatever stands where there is no token."""
    wide = torch.promote_types(values_BT.dtype, torch.float32)
    return values_BT.to(wide).masked_fill(~mask_BT, 0.0)


def mean_per_reply(values_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """[B]: the mean over each reply's tokens; 0, and no gradient, for a reply without any."""
    return real(values_BT, mask_BT).sum(-1) / mask_BT.sum(-1).clamp(min=1)


def token_nll(logprobs_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Scalar: the sum of -log p over reply tokens, in nats.

    The caller divides by the reply tokens of the whole update, `mask_BT.sum()` over its
    micro-batches, so that every token counts alike.
    """
    return -real(logprobs_BT, mask_BT).sum()


@dataclass(frozen=True, slots=True)
class Pairs:
    """All comparisons of a batch: reply `winner_P[i]` beat reply `loser_P[i]` (rows of the grid).

    `weight_P` sums to 1 over each prompt with a pair; `count_G` [G] says how many pairs a prompt
    has, in rising order of its number, and is 0 where no two replies can be compared.
    """

    winner_P: Tensor
    loser_P: Tensor
    weight_P: Tensor
    count_G: Tensor

    @property
    def prompts(self) -> int:
        """Prompts with at least one pair: what `ranking_loss` is divided by for a mean."""
        return int((self.count_G > 0).sum())


def pairs_of(ranks_B: Tensor, groups_B: Tensor, ties: Ties) -> Pairs:
    """Every pair of replies to the same prompt (InstructGPT, arXiv 2203.02155, eq. 1).

    `ranks_B` [B]: rank 1 is best. `groups_B` [B] long: the prompt each reply answers. A pair weighs
    1 / (pairs of its prompt). A tie is left out ("drop"), or counts as one pair that stands in both
    directions with half the weight each ("half").
    """
    numbers, groups = torch.unique(groups_B, return_inverse=True)
    same_BB = groups.unsqueeze(1) == groups
    winners, losers = (same_BB & (ranks_B.unsqueeze(1) < ranks_B)).nonzero(as_tuple=True)
    share = torch.ones(len(winners), device=ranks_B.device)
    if ties == "half":
        tied_BB = (same_BB & (ranks_B.unsqueeze(1) == ranks_B)).fill_diagonal_(False)
        left, right = tied_BB.nonzero(as_tuple=True)  # both directions of each tie
        winners, losers = torch.cat((winners, left)), torch.cat((losers, right))
        share = torch.cat((share, torch.full((len(left),), 0.5, device=ranks_B.device)))
    count = torch.zeros(len(numbers), device=ranks_B.device)
    count.index_add_(0, groups[winners], share)
    return Pairs(winners, losers, share / count[groups[winners]], count.round().long())


def ranking_loss(rewards_B: Tensor, pairs: Pairs) -> Tensor:
    """Scalar: the sum over prompts of the mean over its pairs of -log sigmoid(r_w - r_l).

    InstructGPT, arXiv 2203.02155, eq. 1, where the mean over prompts is left to the caller: divide
    by `Pairs.prompts`, added up over the whole update.
    """
    return -(pairs.weight_P * F.logsigmoid(_differences(rewards_B, pairs))).sum()


def pair_probabilities(rewards_B: Tensor, pairs: Pairs) -> Tensor:
    """[P]: the probability sigmoid(r_w - r_l) that the winner wins (Bradley & Terry 1952)."""
    return torch.sigmoid(_differences(rewards_B, pairs))


def _differences(rewards_B: Tensor, pairs: Pairs) -> Tensor:
    wide = rewards_B.to(torch.promote_types(rewards_B.dtype, torch.float32))
    return wide[pairs.winner_P] - wide[pairs.loser_P]


def dpo_losses(
    chosen_P: Tensor,
    rejected_P: Tensor,
    reference_chosen_P: Tensor,
    reference_rejected_P: Tensor,
    beta: float,
    kind: Preference,
    label_smoothing: float,
) -> Tensor:
    """[P]: the loss of each pair, to be weighted, summed and divided by the caller.

    With m = (chosen - reference_chosen) - (rejected - reference_rejected):
    "sigmoid": -log sigmoid(beta m), log-probabilities summed over each reply (arXiv 2305.18290,
    eq. 7); "ipo": (m - 1 / (2 beta))^2, log-probabilities averaged over the tokens of each reply
    (`mean_per_reply`), as IPO's authors did (arXiv 2310.12036, eq. 17, where beta is tau).
    `label_smoothing` s is the assumed share of swapped labels: (1 - s) loss(m) + s loss(-m)
    (conservative DPO, Mitchell 2023, https://ericmitchell.ai/cdpo.pdf).
    """
    margin = implicit_rewards(chosen_P, reference_chosen_P, 1.0)
    margin = margin - implicit_rewards(rejected_P, reference_rejected_P, 1.0)
    loss = PREFERENCES[kind]
    return (1 - label_smoothing) * loss(margin, beta) + label_smoothing * loss(-margin, beta)


def implicit_rewards(logprobs_P: Tensor, reference_P: Tensor, beta: float) -> Tensor:
    """[P]: beta log(policy / reference), DPO's reward less a constant of the prompt (eq. 5)."""
    wide = torch.promote_types(logprobs_P.dtype, torch.float32)
    return beta * (logprobs_P.to(wide) - reference_P.to(wide))


def _sigmoid(margin_P: Tensor, beta: float) -> Tensor:
    return -F.logsigmoid(beta * margin_P)


def _ipo(margin_P: Tensor, beta: float) -> Tensor:
    return (margin_P - 1 / (2 * beta)).square()


PREFERENCES: dict[Preference, Callable[[Tensor, float], Tensor]] = {
    "sigmoid": _sigmoid,
    "ipo": _ipo,
}


@dataclass(frozen=True, slots=True)
class PolicyLosses:
    """One value a token: the loss (0 at pads), the probability ratio new / old (1 at pads, no
    gradient), and whether the clip held the loss back (False at pads)."""

    losses_BT: Tensor
    ratio_BT: Tensor
    clipped_BT: Tensor


@dataclass(frozen=True, slots=True)
class SequencePolicyLosses:
    """One value a reply: the loss, the probability ratio new / old (no gradient), and whether the
    clip held the loss back."""

    losses_B: Tensor
    ratio_B: Tensor
    clipped_B: Tensor


def clipped_policy_losses(
    logprobs_BT: Tensor, old_BT: Tensor, advantages_BT: Tensor, mask_BT: Tensor, clip: float
) -> PolicyLosses:
    """PPO's loss of each token (arXiv 1707.06347, eq. 7, negated), to be summed by the caller.

    `old_BT` are the log-probabilities at rollout, `advantages_BT` constants: neither gets a
    gradient. Before the first update every ratio is 1 and every loss is -advantage.
    """
    log_ratio = real(logprobs_BT, mask_BT) - real(old_BT, mask_BT).detach()
    return PolicyLosses(*_clipped(log_ratio, real(advantages_BT, mask_BT).detach(), clip))


def sequence_policy_losses(
    logprobs_BT: Tensor, old_BT: Tensor, advantages_B: Tensor, mask_BT: Tensor, clip: float
) -> SequencePolicyLosses:
    """RLOO's loss of each reply as one action (arXiv 2402.14740), clipped as PPO's is.

    The ratio is that of whole replies, exp(sum over tokens of log p - log old); `advantages_B` [B]
    come from `leave_one_out`. The caller sums and divides by the replies of the whole update.
    """
    log_ratio = (real(logprobs_BT, mask_BT) - real(old_BT, mask_BT).detach()).sum(-1)
    return SequencePolicyLosses(*_clipped(log_ratio, advantages_B.detach(), clip))


def grpo_losses(
    logprobs_BT: Tensor,
    old_BT: Tensor,
    reference_BT: Tensor,
    advantages_B: Tensor,
    mask_BT: Tensor,
    clip: float,
    kl: float,
) -> PolicyLosses:
    """GRPO's loss of each token: PPO's, plus `kl` times `kl_k3` to the reference.

    DeepSeekMath, arXiv 2402.03300, eq. 3 and 4; `advantages_B` [B] come from `group_normalised`.
    Eq. 3 averages over the tokens of a reply, then over replies: sum `mean_per_reply` of
    `losses_BT` and divide by the replies of the whole update.
    """
    advantages_BT = advantages_B.unsqueeze(1).expand(mask_BT.shape)
    found = clipped_policy_losses(logprobs_BT, old_BT, advantages_BT, mask_BT, clip)
    penalty_BT = kl * kl_k3(logprobs_BT, reference_BT.detach(), mask_BT)
    return PolicyLosses(found.losses_BT + penalty_BT, found.ratio_BT, found.clipped_BT)


def _clipped(log_ratio: Tensor, advantages: Tensor, clip: float) -> tuple[Tensor, Tensor, Tensor]:
    ratio = _bounded(log_ratio).exp()
    free = -ratio * advantages
    held = -ratio.clamp(1 - clip, 1 + clip) * advantages
    return torch.maximum(free, held), ratio.detach(), held > free


def _bounded(log_ratio: Tensor) -> Tensor:
    return log_ratio.clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)


def clipped_value_losses(
    values_BT: Tensor, old_BT: Tensor, returns_BT: Tensor, mask_BT: Tensor, clip: float
) -> Tensor:
    """[B, T]: half the larger of the squared errors of the value and of the value held within
    `clip` of the rollout's `old_BT`; 0 at pads, to be summed by the caller.

    As in lm-human-preferences (arXiv 1909.08593), described in arXiv 2403.17031.
    """
    values, old = real(values_BT, mask_BT), real(old_BT, mask_BT).detach()
    returns = real(returns_BT, mask_BT).detach()
    held = old + (values - old).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns).square(), (held - returns).square())


def kl_k1(logprobs_BT: Tensor, reference_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """[B, T]: log p - log q, unbiased for KL(p, q) on tokens drawn from p; may be negative.

    k1, k2, k3 are named in Schulman 2020, http://joschu.net/blog/kl-approx.html; 0 at pads.
    """
    return real(logprobs_BT, mask_BT) - real(reference_BT, mask_BT)


def kl_k2(logprobs_BT: Tensor, reference_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """[B, T]: (log p - log q)^2 / 2, biased, never negative, its gradient is that of KL(p, q)."""
    return 0.5 * kl_k1(logprobs_BT, reference_BT, mask_BT).square()


def kl_k3(logprobs_BT: Tensor, reference_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """[B, T]: q / p - 1 - log(q / p), unbiased and never negative but for rounding."""
    log_ratio = _bounded(-kl_k1(logprobs_BT, reference_BT, mask_BT))
    return log_ratio.expm1() - log_ratio  # expm1: where p and q are close, exp - 1 is all rounding
