"""Vocabulary logits only where they are wanted.

A pre-hook on the output embedding keeps the hidden states of the wanted positions, so every
architecture keeps its own scaling and soft-capping and no [batch, length, vocabulary] tensor is
ever made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

ROWS_AT_ONCE = 128  # positions whose fp32 log-softmax is held at a time


@contextmanager
def project_only(model: PreTrainedModel, positions: Tensor) -> Iterator[None]:
    """Within the block `model(...).logits` is [1, n, vocabulary], at flat `positions` [n] of the
    [batch * length] hidden states."""
    head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]

    def keep(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden = args[0]
        return (hidden.reshape(-1, hidden.shape[-1])[positions].unsqueeze(0), *args[1:])

    handle = head.register_forward_pre_hook(keep)
    try:
        yield
    finally:
        handle.remove()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Tokens whose log-probability is wanted: token `tokens[i]` predicted at `positions[rows[i]]`,
    added to continuation `owners[i]`. All are lists of equal length except `positions`."""

    positions: list[int]
    rows: list[int]
    tokens: list[int]
    owners: list[int]


def sum_logprobs(logits: Tensor, wanted: Wanted, owners: int) -> tuple[list[float], list[bool]]:
    """Sum of fp32 log-probabilities and greedy flag of each of `owners` continuations.

    `logits` is [1, n, vocabulary] in any dtype; one copy to the host.
    """
    device = logits.device
    flat = logits[0]
    rows = torch.tensor(wanted.rows, device=device)
    tokens = torch.tensor(wanted.tokens, device=device)
    owner = torch.tensor(wanted.owners, device=device)
    normaliser = torch.empty(flat.shape[0], dtype=torch.float32, device=device)
    best = torch.empty(flat.shape[0], dtype=torch.long, device=device)
    for start in range(0, flat.shape[0], ROWS_AT_ONCE):
        part = flat[start : start + ROWS_AT_ONCE].float()
        normaliser[start : start + ROWS_AT_ONCE] = part.logsumexp(-1)
        best[start : start + ROWS_AT_ONCE] = part.argmax(-1)
    logprobs = flat[rows, tokens].float() - normaliser[rows]
    missed = (best[rows] != tokens).double()
    sums = torch.zeros(2, owners, dtype=torch.float64, device=device)
    sums[0].index_add_(0, owner, logprobs.double())
    sums[1].index_add_(0, owner, missed)
    total, misses = sums.cpu().tolist()
    return total, [miss == 0 for miss in misses]
