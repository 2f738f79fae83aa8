"""Vocabulary logits only where they are wanted.

A pre-hook on the output embedding keeps the hidden states of the wanted positions, so every
architecture keeps its own scaling and soft-capping and no [batch, length, vocabulary] tensor is
ever made. Where it is the input's and called with token ids (FSMT), or with several streams of
states (ProphetNet), they are picked out of all logits instead. The hooks stay; what is wanted is a
matter of the thread (`bench.models.lanes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from bench.models.model import Scored

SOFTMAX_BYTES = {"cpu": 2**21}  # fp32 logits normalised at a time: what a core's cache holds
MANY_BYTES = 2**25  # the same elsewhere
HOOKING = Lock()


@dataclass(slots=True)
class Wish:
    """The flat `positions` [n] whose logits `model` shall give; `cut`: its `head` saw no others."""

    model: PreTrainedModel
    head: nn.Module
    positions: Tensor
    cut: bool = False


WISH: ContextVar[Wish | None] = ContextVar("WISH", default=None)


@contextmanager
def project_only(model: PreTrainedModel, positions: Tensor) -> Iterator[None]:
    """Within the block `model(...).logits` is [1, n, vocabulary], at flat `positions` [n] of the
    [batch * length] hidden states."""
    head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    with HOOKING:
        if keep_wanted not in head._forward_pre_hooks.values():
            head.register_forward_pre_hook(keep_wanted)
        if pick_wanted not in model._forward_hooks.values():
            model.register_forward_hook(pick_wanted)
    token = WISH.set(Wish(model, head, positions))
    try:
        yield
    finally:
        WISH.reset(token)


def keep_wanted(head: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """The pre-hook: the inputs of `head` at the wanted positions; None leaves them as they are."""
    wish = WISH.get()
    if wish is None or wish.head is not head or not args:
        return None
    hidden = args[0]
    if not hidden.is_floating_point() or hidden.dim() != 3:
        return None
    wish.cut = True
    return (hidden.reshape(-1, hidden.shape[-1])[wish.positions].unsqueeze(0), *args[1:])


def pick_wanted(model: nn.Module, _: tuple[Tensor, ...], reply: ModelOutput) -> None:
    """The hook behind the model: the wanted logits out of all, where its head was not called."""
    wish = WISH.get()
    if wish is not None and wish.model is model and not wish.cut:
        reply["logits"] = reply["logits"].flatten(0, 1)[wish.positions].unsqueeze(0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Tokens whose log-probability is wanted: token `tokens[i]` predicted at `positions[rows[i]]`,
    added to continuation `owners[i]`. All are lists of equal length except `positions`."""

    positions: list[int]
    rows: list[int]
    tokens: list[int]
    owners: list[int]


def score_tokens(logits: Tensor, wanted: Wanted, owners: int) -> list[Scored]:
    """The score of each of `owners` continuations, from `logits` [1, n, vocabulary] in any dtype.

    One copy to the host, where sums are made in fp64: some devices have none.
    """
    device = logits.device
    flat = logits[0]
    rows = torch.tensor(wanted.rows, device=device)
    tokens = torch.tensor(wanted.tokens, device=device)
    normaliser = torch.empty(flat.shape[0], dtype=torch.float32, device=device)
    best = torch.empty(flat.shape[0], dtype=torch.long, device=device)
    held = SOFTMAX_BYTES.get(device.type, MANY_BYTES)
    at_once = max(1, held // (4 * flat.shape[1]))
    for start in range(0, flat.shape[0], at_once):
        part = flat[start : start + at_once].float()
        normaliser[start : start + at_once] = part.logsumexp(-1)
        best[start : start + at_once] = part.argmax(-1)
    logprobs = flat[rows, tokens].float() - normaliser[rows]
    values, likeliest = torch.stack([logprobs, (best[rows] == tokens).float()]).cpu().tolist()
    found: list[list[float]] = [[] for _ in range(owners)]
    greedy = [True] * owners
    for owner, value, right in zip(wanted.owners, values, likeliest, strict=True):
        found[owner].append(value)
        greedy[owner] &= right == 1.0
    return [Scored(sum(one), first, tuple(one)) for one, first in zip(found, greedy, strict=True)]
