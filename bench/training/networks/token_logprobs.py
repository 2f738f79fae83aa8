"""Log-probabilities of chosen tokens, with one tensor [n, vocabulary] beside the logits.

`bench.training.networks.forward` calls it. Composed of logsumexp and gather, torch's own backward
pass makes five such tensors; of 2,000 tokens and 49,152 words each is 0.4 GB.

>>> logprobs, _ = token_logprobs(torch.zeros(1, 4), torch.tensor([2]))
>>> logprobs
tensor([-1.3863])
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

ROWS_AT_ONCE = 128  # predictions whose probabilities are held at a time


def token_logprobs(logits_nV: Tensor, tokens_n: Tensor) -> tuple[Tensor, Tensor]:
    """[n]: log-probability of each token in nats, and, without gradient, the logarithm of the sum
    by which the exponentials of its logits are divided."""
    made: tuple[Tensor, Tensor] = _TokenLogprobs.apply(  # type: ignore[no-untyped-call]
        logits_nV, tokens_n
    )
    return made


@torch.no_grad()
def entropies(logits_nV: Tensor, normaliser_n: Tensor) -> Tensor:
    """[n]: entropy of each prediction in nats."""
    means_n = torch.empty_like(normaliser_n)
    for start in range(0, len(normaliser_n), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        probabilities = (logits_nV[rows] - normaliser_n[rows].unsqueeze(1)).exp_()
        means_n[rows] = probabilities.mul_(logits_nV[rows]).sum(-1)
    return normaliser_n - means_n


class _TokenLogprobs(torch.autograd.Function):
    """d logprob / d logit = (1 where the logit is the token's, else 0) - probability."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits_nV: Tensor, tokens_n: Tensor) -> tuple[Tensor, Tensor]:
        normaliser_n = logits_nV.logsumexp(-1)
        ctx.save_for_backward(logits_nV, tokens_n, normaliser_n)
        ctx.mark_non_differentiable(normaliser_n)
        chosen_n = logits_nV.gather(1, tokens_n.unsqueeze(1)).squeeze(1)
        return chosen_n - normaliser_n, normaliser_n

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        logits_nV, tokens_n, normaliser_n = ctx.saved_tensors  # type: ignore[attr-defined]
        gradient_n1 = gradients[0].unsqueeze(1)
        found_nV = (logits_nV - normaliser_n.unsqueeze(1)).exp_().mul_(-gradient_n1)
        return found_nV.scatter_add_(1, tokens_n.unsqueeze(1), gradient_n1), None
