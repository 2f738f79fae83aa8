"""Attention of one new token a row to a prefix that all rows share and to its row's own keys.

The prefix lies in memory once, and its keys are multiplied with the queries of all rows at once,
where a copy in every row would be read row by row (Juravsky et al. 2024, arXiv 2402.05099, section
3.1). `bench.models.refill` says with `in_front` which prefix lies in front of the rows that it is
about to run; `bench.models.attention` asks `front_of` for the part of a layer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn
from transformers import Cache

CURRENT: ContextVar[Cache | None] = ContextVar("CURRENT", default=None)


@contextmanager
def in_front(prefix: Cache | None) -> Iterator[None]:
    """Within the block all rows continue `prefix`, a cache of batch size 1, if there is one."""
    token = CURRENT.set(prefix)
    try:
        yield
    finally:
        CURRENT.reset(token)


def front_of(module: nn.Module) -> tuple[Tensor, Tensor] | None:
    """Keys and values of the prefix in the layer of the attention `module`, [1, key/value heads,
    tokens, dim]; None where there is no prefix."""
    prefix = CURRENT.get()
    number = getattr(module, "layer_idx", None)
    if prefix is None or number is None:
        return None
    layer = prefix.layers[number]
    return layer.keys, layer.values


def attend_behind(
    grouped: Tensor, scores: Tensor, value: Tensor, front: tuple[Tensor, Tensor], scale: float
) -> Tensor:
    """Attention output [batch, groups, heads a group, dim] to the keys in front and those of the
    row, whose `scores` [batch, groups, heads a group, keys] are given in fp32 and scaled.

    `grouped` is the query [batch, groups, heads a group, dim], `value` [batch, groups, keys, dim].
    """
    batch, groups, times, _ = grouped.shape
    keys, values = front[0][0], front[1][0]
    asked = grouped.transpose(0, 1).reshape(groups, batch * times, -1)
    before = (asked @ keys.transpose(-1, -2)).float() * scale
    own = scores.transpose(0, 1).reshape(groups, batch * times, -1)
    most = torch.maximum(before.amax(-1, keepdim=True), own.amax(-1, keepdim=True))
    before, scores = (before - most).exp_(), (scores - _by_row(most, batch)).exp_()
    total = _by_row(before.sum(-1, keepdim=True), batch) + scores.sum(-1, keepdim=True)
    made = scores.to(value.dtype) @ value + _by_row(before.to(values.dtype) @ values, batch)
    return (made.float() / total).to(value.dtype)


def _by_row(states: Tensor, batch: int) -> Tensor:
    """[groups, batch * heads a group, n] as [batch, groups, heads a group, n]."""
    groups, _, wide = states.shape
    return states.view(groups, batch, -1, wide).transpose(0, 1)
