"""Attention on CPUs where the library's kernel is slow: one new token a row, and packed rows.

torch 2.13's CPU kernel for bf16 takes about ten times as long as two batched matrix products when
each row asks for a single token (the case of every generation step), and repeats the key/value
heads of grouped-query attention first. Rows that are packed for training are run piece by piece
(`bench.models.pieces`), those that are scored block by block (`bench.models.blocks`). Everything
else goes to the library's own kernel.
"""

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from bench.models.blocks import blocks_behind, look
from bench.models.front import attend_behind, front_of
from bench.models.pieces import attend, pieces_behind

NAME = "bench_sdpa"

# What libraries raise when a model is asked in a way that it was not written for: probes try it.
CANNOT = (TypeError, ValueError, RuntimeError, AttributeError)


def use_fast_decode(model: PreTrainedModel) -> None:
    """Switch a decoder-only `model` to `attention` if it runs the library's SDPA on a CPU."""
    config = model.config
    plain = config._attn_implementation == "sdpa" and not config.is_encoder_decoder
    if model.device.type == "cpu" and plain:
        AttentionInterface.register(NAME, attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        model.set_attn_implementation(NAME)


def runs_pieces(model: PreTrainedModel) -> bool:
    """Whether `model` runs packed rows in pieces or blocks, so that their width costs nothing."""
    return bool(model.config._attn_implementation == NAME)


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: object,
) -> tuple[Tensor, None]:
    """Attention output [batch, length, heads, dim] from query [batch, heads, length, dim] and
    key, value [batch, key/value heads, keys, dim]; a value's dim may differ from a key's."""
    biased = kwargs.get("position_bias") is not None
    rows = pieces_behind(attention_mask)
    if rows is not None and not biased:
        return attend(query, key, value, rows, scaling, dropout), None
    row = blocks_behind(attention_mask)
    if row is not None and not biased:
        return look(query, key, value, row, scaling), None
    front = front_of(module) if query.shape[2] == 1 else None
    if front is None and (query.shape[2] != 1 or module.training or biased):
        return sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            **kwargs,  # type: ignore[arg-type]
        )
    batch, heads, _, dim = query.shape
    groups = key.shape[1]
    scale = dim**-0.5 if scaling is None else scaling
    grouped = query.reshape(batch, groups, heads // groups, dim)
    scores = (grouped @ key.transpose(-1, -2)).float() * scale
    if attention_mask is not None:
        seen = attention_mask[..., : key.shape[2]].expand(batch, -1, -1, -1)
        if seen.shape[1] not in (1, heads):
            raise ValueError(f"attention mask has {seen.shape[1]} heads, expected 1 or {heads}")
        bias = seen.expand(batch, heads, 1, -1).reshape(batch, groups, heads // groups, -1)
        if bias.dtype == torch.bool:
            scores = scores.masked_fill(~bias, torch.finfo(scores.dtype).min)
        else:
            scores = scores + bias
    if front is not None:
        made = attend_behind(grouped, scores, value, front, scale)
    else:
        made = scores.softmax(-1).to(value.dtype) @ value
    return made.reshape(batch, 1, heads, value.shape[-1]), None
