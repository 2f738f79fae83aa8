"""Vocabulary logits only where they are wanted.

A pre-hook on the output embedding keeps the hidden states of the wanted positions, so every
architecture keeps its own scaling and soft-capping and no [batch, length, vocabulary] tensor is
ever made. The hook stays; what is wanted is a matter of the thread (`bench.models.lanes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

SOFTMAX_BYTES = {"cpu": 2**21}  # fp32 logits normalised at a time: what a core's cache holds
MANY_BYTES = 2**25  # the same elsewhere
HOOKING = Lock()
WANTED: ContextVar[tuple[nn.Module, Tensor] | None] = ContextVar("WANTED", default=None)


@contextmanager
def project_only(model: PreTrainedModel, positions: Tensor) -> Iterator[None]:
    """Within the block `model(...).logits` is [1, n, vocabulary], at flat `positions` [n] of the
    [batch * length] hidden states."""
    head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    with HOOKING:
        if keep_wanted not in head._forward_pre_hooks.values():
            head.register_forward_pre_hook(keep_wanted)
    token = WANTED.set((head, positions))
    try:
        yield
    finally:
        WANTED.reset(token)


def keep_wanted(head: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """The pre-hook: the inputs of `head` at the wanted positions; None leaves them as they are."""
    wanted = WANTED.get()
    if wanted is None or wanted[0] is not head:
        return None
    hidden = args[0]
    return (hidden.reshape(-1, hidden.shape[-1])[wanted[1]].unsqueeze(0), *args[1:])


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
    held = SOFTMAX_BYTES.get(device.type, MANY_BYTES)
    at_once = max(1, held // (4 * flat.shape[1]))
    for start in range(0, flat.shape[0], at_once):
        part = flat[start : start + at_once].float()
        normaliser[start : start + at_once] = part.logsumexp(-1)
        best[start : start + at_once] = part.argmax(-1)
    logprobs = flat[rows, tokens].float() - normaliser[rows]
    missed = (best[rows] != tokens).double()
    sums = torch.zeros(2, owners, dtype=torch.float64, device=device)
    sums[0].index_add_(0, owner, logprobs.double())
    sums[1].index_add_(0, owner, missed)
    total, misses = sums.cpu().tolist()
    return total, [miss == 0 for miss in misses]
