"""Attention of packed rows, piece by piece: no token is compared with one that it does not see.

A packed row is a tree of pieces. Each token of a piece sees the tokens before it in the piece and
the whole of the pieces that this one continues:

    row     p p q a a r s b          prompts p p q and p p r s, with replies a a and b
    pieces  [0, 2)  [2, 5) after 0  [5, 8) after 0

A dense mask says the same, but has a row of W tokens pay for W * W pairs, of which most are masked.
`bench.training` says with `in_pieces` how the rows lie that it is about to run;
`bench.models.attention` asks `pieces_behind` for it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens `start` to `stop` of the flattened rows; `after` are the numbers of the pieces that it
    continues, the first one first."""

    start: int
    stop: int
    after: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """Tokens in it."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Rows in pieces, which together hold every position once, and the dense `mask` [R, 1, W, W]
    that says the same to other attention."""

    mask: Tensor
    pieces: tuple[Piece, ...]
    made: dict[int, list[Tensor | None]] = field(default_factory=dict)

    def masks(self, times: int) -> list[Tensor | None]:
        """For each piece the additive mask [times * length, keys] of its tokens, `times` over; None
        where a piece continues no other and is causal, once."""
        if times not in self.made:
            self.made[times] = [self._mask(piece, times) for piece in self.pieces]
        return self.made[times]

    def _mask(self, piece: Piece, times: int) -> Tensor | None:
        if not piece.after and times == 1:
            return None
        before = sum(self.pieces[number].length for number in piece.after)
        mask = self.mask.new_zeros(piece.length, before + piece.length)
        hidden = torch.full_like(mask[:, before:], torch.finfo(mask.dtype).min)
        mask[:, before:] = hidden.triu(1)
        return mask.repeat(times, 1)


CURRENT: ContextVar[Pieces | None] = ContextVar("CURRENT", default=None)


@contextmanager
def in_pieces(mask: Tensor, pieces: Sequence[Piece]) -> Iterator[None]:
    """Within the block, rows that are run with this very `mask` lie in `pieces`, unless empty."""
    token = CURRENT.set(Pieces(mask, tuple(pieces)) if pieces else None)
    try:
        yield
    finally:
        CURRENT.reset(token)


def pieces_behind(mask: Tensor | None) -> Pieces | None:
    """How the rows lie that `mask` was made for; None where nobody has said."""
    current = CURRENT.get()
    return current if current is not None and mask is current.mask else None


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Pieces,
    scaling: float | None,
    dropout: float = 0.0,
) -> Tensor:
    """Attention output [R, W, heads, dim] from query [R, heads, W, dim] and key, value
    [R, key/value heads, W, dim]; weights are dropped with the probability `dropout`.

    The heads that share a key are asked together, as so many more tokens.
    """
    count, heads, width, _ = query.shape
    groups = key.shape[1]
    times = heads // groups
    lengths = [piece.length for piece in rows.pieces]
    grouped = _flat(query).view(groups, times, count * width, -1)
    asked = torch.split_with_sizes(grouped, lengths, 2)
    keys, values = (torch.split_with_sizes(_flat(part), lengths, 1) for part in (key, value))
    found = []
    for number, (piece, mask) in enumerate(zip(rows.pieces, rows.masks(times), strict=True)):
        seen = (*piece.after, number)
        made = scaled_dot_product_attention(
            asked[number].flatten(1, 2).unsqueeze(0),
            torch.cat([keys[part] for part in seen], 1).unsqueeze(0),
            torch.cat([values[part] for part in seen], 1).unsqueeze(0),
            attn_mask=mask,
            dropout_p=dropout,
            is_causal=mask is None,
            scale=scaling,
        )
        found.append(made.view(heads, piece.length, -1))
    return torch.cat(found, 1).transpose(0, 1).reshape(count, width, heads, -1)


def _flat(states: Tensor) -> Tensor:
    """[R, heads, W, dim] as [heads, R * W, dim]."""
    return states.transpose(0, 1).flatten(1, 2)
