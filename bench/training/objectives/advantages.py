"""What a reply's tokens are worth: rewards, returns, advantages, and the controller of KL.

PPO calls `token_rewards`, `gae`, `whiten` and `adapted_kl`, RLOO `leave_one_out`, GRPO
`group_normalised`. All are pure and give constants: no gradient flows through them. Grids are B
replies of T tokens, padded on the right, `mask_BT` True where a token exists; what stands at a pad
never reaches a result, and results are 0 there. G prompts with K replies each are [G, K].
Arithmetic is fp32 or wider. All but `whiten` and `explained_variance` treat replies or prompts one
by one, so they may be called on any part of a batch; those two take moments of the whole.

>>> leave_one_out(torch.tensor([[1.0, 0.0, 0.0, 0.0]]))[0, 0]
tensor(1.)
"""

import torch
from torch import Tensor

from bench.training.objectives.losses import kl_k1, real

SMALL = 1e-8  # keeps equal values finite when they are divided by their spread
GROUP_SMALL = 1e-4  # the same for a group's few rewards
ROUNDING = 1e-12  # a variance below this share of the mean square is the rounding of equal values
LARGEST_KL_ERROR = 0.2


@torch.no_grad()
def token_rewards(
    scores_B: Tensor, logprobs_BT: Tensor, reference_BT: Tensor, mask_BT: Tensor, kl: float
) -> Tensor:
    """[B, T]: -kl (log policy - log reference) at each token, plus the reply's score at its last.

    InstructGPT, arXiv 2203.02155, eq. 2, with the penalty laid on the token that causes it. A reply
    without tokens has no place for its score.
    """
    penalties = -kl * kl_k1(logprobs_BT, reference_BT, mask_BT)
    places = torch.arange(mask_BT.shape[1], device=mask_BT.device)
    last_BT = places == mask_BT.sum(-1, keepdim=True) - 1
    return torch.where(last_BT, penalties + scores_B.unsqueeze(1), penalties)


@torch.no_grad()
def gae(
    rewards_BT: Tensor, values_BT: Tensor, mask_BT: Tensor, discount: float, lam: float
) -> tuple[Tensor, Tensor]:
    """(advantages, returns), both [B, T], by generalised advantage estimation.

    A_t = sum over l of (discount lam)^l delta_{t+l}, delta_t = r_t + discount V_{t+1} - V_t
    (arXiv 1506.02438, eq. 16), with value 0 after the last token. Returns are A_t + V_t, the
    targets of the value function.
    """
    rewards, values = real(rewards_BT, mask_BT), real(values_BT, mask_BT)
    advantages = torch.zeros_like(values)
    after = following = values.new_zeros(len(values))
    for place in reversed(range(values.shape[1])):
        delta = rewards[:, place] + discount * following - values[:, place]
        after = delta + discount * lam * after
        following = values[:, place]
        advantages[:, place] = after
    return advantages, advantages + values


@torch.no_grad()
def whiten(values_BT: Tensor, mask_BT: Tensor, shift_mean: bool) -> Tensor:
    """[B, T]: values with variance 1 and, when `shift_mean`, mean 0; otherwise the mean is kept.

    The variance is unbiased (divisor n - 1), that of fewer than two tokens 0. Its sums are in fp64,
    so that it survives a mean that is large beside it (fp32 on Apple's devices, which have none).
    """
    values = real(values_BT, mask_BT)
    wide = values.to(torch.float32 if values.device.type == "mps" else torch.float64)
    number = mask_BT.sum()
    mean = wide.sum() / number.clamp(min=1)
    squares = wide.square().sum() - wide.sum() * mean
    variance = squares.clamp(min=0) / (number - 1).clamp(min=1)
    white = (values - mean) / (variance + SMALL).sqrt()
    return real(white if shift_mean else white + mean, mask_BT).to(values.dtype)


@torch.no_grad()
def leave_one_out(rewards_GK: Tensor) -> Tensor:
    """[G, K]: each reward less the mean of the prompt's other rewards (arXiv 2402.14740).

    A NaN reward is missing: it enters no baseline. Its own advantage is 0, as is that of a reply
    without a sibling to compare with.
    """
    rewards, scored = _scored(rewards_GK)
    others = scored.sum(-1, keepdim=True) - 1
    baselines = (rewards.sum(-1, keepdim=True) - rewards) / others.clamp(min=1)
    return torch.where(scored & (others > 0), rewards - baselines, 0.0)


@torch.no_grad()
def group_normalised(rewards_GK: Tensor, scale: bool) -> Tensor:
    """[G, K]: each reward less its prompt's mean, over (its standard deviation + 1e-4) if `scale`.

    DeepSeekMath, arXiv 2402.03300, section 4.1.2; the deviation is unbiased (divisor n - 1).
    A NaN reward is missing: it enters no mean, and its own advantage is 0.
    """
    rewards, scored = _scored(rewards_GK)
    number = scored.sum(-1, keepdim=True)
    means = rewards.sum(-1, keepdim=True) / number.clamp(min=1)
    centred = torch.where(scored, rewards - means, 0.0)
    if not scale:
        return centred
    variances = centred.square().sum(-1, keepdim=True) / (number - 1).clamp(min=1)
    return centred / (variances.sqrt() + GROUP_SMALL)


def _scored(rewards_GK: Tensor) -> tuple[Tensor, Tensor]:
    """Rewards less the best of their group, 0 for the missing, and which are not missing.

    The shift changes no difference, and makes those of equal rewards exactly 0: a group's deviation
    is else the rounding of its mean, which normalising would blow up to the size of a signal.
    """
    scored = ~rewards_GK.isnan()
    best = rewards_GK.masked_fill(~scored, -torch.inf).amax(-1, keepdim=True)
    return real(rewards_GK, scored) - real(best.expand_as(scored), scored), scored


def adapted_kl(
    coefficient: float, kl: float, target: float, horizon: float, episodes: int
) -> float:
    """The KL coefficient after `episodes` episodes with a mean of `kl` nats a reply.

    err = clip(kl / target - 1, -0.2, 0.2); coefficient (1 + err episodes / horizon)
    (arXiv 1909.08593, section 2.2, with episodes / horizon for K_beta as in its published code).
    """
    error = max(-LARGEST_KL_ERROR, min(LARGEST_KL_ERROR, kl / target - 1))
    return coefficient * (1 + error * episodes / horizon)


@torch.no_grad()
def explained_variance(values_BT: Tensor, returns_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Scalar: 1 - var(returns - values) / var(returns) over reply tokens.

    1 is a perfect value function, 0 one that is no better than a constant. NaN where the returns
    do not vary: there is nothing to explain.
    """
    returns = real(returns_BT, mask_BT)
    left, whole = (returns - real(values_BT, mask_BT))[mask_BT], returns[mask_BT]
    varies = _variance(whole) > ROUNDING * whole.square().mean()
    return torch.where(varies, 1 - _variance(left) / _variance(whole), torch.nan)


def _variance(values: Tensor) -> Tensor:
    return (values - values.mean()).square().mean()
