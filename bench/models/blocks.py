"""Attention of a long forest row, block by block: a block looks only at its own tokens and at those
that one of them descends from.

A dense mask over a row of W tokens pays for W * W pairs, of which a forest of many prompts uses a
few percent. `bench.models.prefix` says with `in_blocks` how the row lies that it is about to run;
`bench.models.attention` asks `blocks_behind` for it.

    row (`bench.models.forest`)   p p a a b q      stops  6 5 4 4 5 6
    blocks of 3 tokens            p p a    a b q, which looks at p p a as well
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from bench.models.forest import Row

WIDTH = 128  # tokens of a block: wider ones look at more that is masked, narrower ones cost calls


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Tokens `start` to `stop`; `keys` are the cached and row's tokens they look at (a slice where
    these lie together), `hidden` [stop - start, keys] tells which of them each does not see."""

    start: int
    stop: int
    keys: Tensor | slice
    hidden: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """One row in blocks, and the `mask` that it is run with, a stand-in of size 1."""

    mask: Tensor
    blocks: tuple[Block, ...]
    made: dict[int, list[Tensor]] = field(default_factory=dict)

    def masks(self, times: int) -> list[Tensor]:
        """For each block the additive mask [times * length, keys] of its tokens, `times` over."""
        if times not in self.made:
            least = torch.finfo(self.mask.dtype).min
            self.made[times] = [
                torch.zeros_like(block.hidden, dtype=self.mask.dtype)
                .masked_fill_(block.hidden, least)
                .repeat(times, 1)
                for block in self.blocks
            ]
        return self.made[times]


CURRENT: ContextVar[Blocks | None] = ContextVar("CURRENT", default=None)


@contextmanager
def in_blocks(mask: Tensor, blocks: Sequence[Block]) -> Iterator[None]:
    """Within the block, a row that is run with this very `mask` lies in `blocks`."""
    token = CURRENT.set(Blocks(mask, tuple(blocks)))
    try:
        yield
    finally:
        CURRENT.reset(token)


def blocks_behind(mask: Tensor | None) -> Blocks | None:
    """How the row lies that `mask` stands for; None where nobody has said."""
    current = CURRENT.get()
    return current if current is not None and mask is current.mask else None


def cut(row: Row, prefix: int, device: torch.device, width: int = WIDTH) -> list[Block]:
    """`row` in blocks of at most `width` tokens, behind `prefix` cached tokens that all of them
    see; cut where sequences part with the fewest tokens above them."""
    stops = torch.tensor(row.stops, device=device)
    length = len(row.ids)
    blocks: list[Block] = []
    start = 0
    while start < length:
        stop = min(start + width, length)
        if stop < length:
            parting = [
                place
                for place in range(start + max(1, width // 2), stop + 1)
                if row.stops[place - 1] <= place
            ]
            stop = min(parting, key=lambda place: (row.places[place], -place), default=stop)
        blocks.append(_block(stops, prefix, start, stop))
        start = stop
    return blocks


def look(query: Tensor, key: Tensor, value: Tensor, row: Blocks, scaling: float | None) -> Tensor:
    """Attention output [1, W, heads, dim] from query [1, heads, W, dim] and key, value
    [1, key/value heads, prefix + W, dim].

    The heads that share a key are asked together, as so many more tokens.
    """
    _, heads, width, _ = query.shape
    groups = key.shape[1]
    times = heads // groups
    grouped = query.view(groups, times, width, -1)
    found = []
    for block, mask in zip(row.blocks, row.masks(times), strict=True):
        made = scaled_dot_product_attention(
            grouped[:, :, block.start : block.stop].flatten(1, 2).unsqueeze(0),
            _chosen(key, block.keys),
            _chosen(value, block.keys),
            attn_mask=mask,
            scale=scaling,
        )
        found.append(made.view(heads, block.stop - block.start, -1))
    return torch.cat(found, 1).transpose(0, 1).unsqueeze(0)


def _block(stops: Tensor, prefix: int, start: int, stop: int) -> Block:
    above = (stops[:start] > start).nonzero().flatten()
    own = torch.arange(start, stop, device=stops.device)
    keys = torch.cat([above, own])
    seen = (keys <= own.unsqueeze(1)) & (own.unsqueeze(1) < stops[keys])
    cached = torch.ones(len(own), prefix, dtype=torch.bool, device=stops.device)
    before = torch.arange(prefix, device=stops.device)
    return Block(
        start, stop, _together(torch.cat([before, prefix + keys])), ~torch.cat([cached, seen], 1)
    )


def _together(keys: Tensor) -> Tensor | slice:
    """A slice, which copies nothing, where the tokens lie one after the other."""
    first, last = int(keys[0]), int(keys[-1])
    return slice(first, last + 1) if last - first + 1 == len(keys) else keys


def _chosen(states: Tensor, keys: Tensor | slice) -> Tensor:
    return states[:, :, keys] if isinstance(keys, slice) else states.index_select(2, keys)
