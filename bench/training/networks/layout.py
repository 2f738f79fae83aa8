"""Prompts with their replies -> one batch of token ids in which every prompt is run once.

Documents (a prompt and K replies behind it) are packed into rows, in which also what several
prompts begin with stands once (`bench.training.networks.tree`). The mask lets a reply see its own
prompt and itself, never another reply or document, and position ids go on where each branch leaves,
so packed and unpacked give the same numbers:

    row        p p p a a b b b | p p a a a
    positions  0 1 2 3 4 3 4 5   0 1 2 3 4

Models that ignore such a mask, and rows longer than a model's window, are laid out as one padded
row a reply (`bench.training.networks.probe`).
Everything per reply is then a grid [B, T]: B replies in the order of the documents, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.models.encode import Ids
from bench.models.pad import pad
from bench.models.pieces import Piece
from bench.training.networks.tree import Row, fill_rows, write_row

WIDTH = 256  # tokens of a packed row unless a document is longer; attention grows with its square
WIDE = 2048  # where attention runs piece by piece and does not; the mask is still made


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids of a prompt and of the replies to it, and the source that logs name."""

    source: str
    prompt: Ids
    replies: tuple[Ids, ...]

    @property
    def length(self) -> int:
        """Tokens that it takes at most in a packed row."""
        return len(self.prompt) + sum(map(len, self.replies))


@dataclass(frozen=True, slots=True)
class Batch:
    """What a model is run on, and where the replies lie in it. R rows of W tokens, n reply tokens.

    `mask` is additive [R, 1, W, W] when packed and [R, W] of ones and zeros when not;
    `places_RW` is None when not packed. `predicting_n` and `last_B` index the flattened [R * W]
    hidden states: the position that predicts each reply token, and each reply's last token.
    `reply_n`, `offset_n` are where token n stands in the grid [B, T]. `where` are the flat
    positions of the tokens of each of `documents`, and the `pieces` see each other as `mask` says;
    both are empty when not packed.
    """

    ids_RW: Tensor
    mask: Tensor
    places_RW: Tensor | None
    predicting_n: Tensor
    tokens_n: Tensor
    reply_n: Tensor
    offset_n: Tensor
    last_B: Tensor
    groups_B: Tensor
    mask_BT: Tensor
    documents: tuple[Document, ...]
    where: tuple[tuple[int, ...], ...]
    pieces: tuple[Piece, ...]

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        moved = {
            name: value.to(device)
            for name in self.__slots__
            if isinstance(value := getattr(self, name), Tensor)
        }
        return replace(self, **moved)  # type: ignore[arg-type]  # tensors stay tensors

    def grid(self, values_n: Tensor) -> Tensor:
        """[n] values of reply tokens as [B, T], 0 where there is no token."""
        grid = values_n.new_zeros(self.mask_BT.shape)
        return grid.index_put((self.reply_n, self.offset_n), values_n)


def lay_out(documents: Sequence[Document], reach: int, width: int = WIDTH) -> Batch:
    """One batch of all `documents`; packed, in rows of `width` tokens unless one of them needs
    more, or padded where one is longer than `reach` tokens."""
    longest = max(document.length for document in documents)
    if longest > reach:
        return _padded(documents)
    return _packed(documents, min(max(width, longest), reach))


def micro_batches(documents: Sequence[Document], tokens: int) -> list[list[int]]:
    """Positions of `documents` in groups of at most `tokens` tokens (one alone may exceed it).

    Longest first, so that what is run together is about equally long.
    """
    order = sorted(range(len(documents)), key=lambda place: (-documents[place].length, place))
    groups: list[list[int]] = []
    filled = 0
    for place in order:
        length = documents[place].length
        if not groups or filled + length > tokens:
            groups.append([])
            filled = 0
        groups[-1].append(place)
        filled += length
    return groups


def _packed(documents: Sequence[Document], width: int) -> Batch:
    branches = [(document.prompt, document.replies) for document in documents]
    rows = [write_row(branches, chosen) for chosen in fill_rows(branches, width)]
    width = max(len(row.ids) for row in rows)
    ids, places = (torch.zeros(len(rows), width, dtype=torch.long) for _ in range(2))
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        places[number, : len(row.ids)] = torch.tensor(row.places)
    where = {
        place: tuple(number * width + position for position in positions)
        for number, row in enumerate(rows)
        for place, positions in row.where.items()
    }
    in_order = tuple(where[place] for place in range(len(documents)))
    spans = [span for pair in zip(documents, in_order, strict=True) for span in _spans(*pair)]
    pieces = _pieces(rows, width)
    return _batch(documents, ids, _tree_mask(pieces, width), places, spans, in_order, pieces)


def _spans(document: Document, where: Sequence[int]) -> list[tuple[int, int]]:
    """For each reply of a document whose tokens stand at flat positions `where`: the position that
    predicts its first token, and that of its first token."""
    end = len(document.prompt)
    lengths = [len(reply) for reply in document.replies]
    return [(where[end - 1], where[end + sum(lengths[:number])]) for number in range(len(lengths))]


def _pieces(rows: Sequence[Row], width: int) -> tuple[Piece, ...]:
    """The pieces of all rows, at flat positions; padding is a piece by itself."""
    found: list[Piece] = []
    for number, row in enumerate(rows):
        start, first = number * width, len(found)
        for piece in row.pieces:
            after = tuple(first + other for other in piece.after)
            found.append(Piece(start + piece.start, start + piece.stop, after))
        if len(row.ids) < width:
            found.append(Piece(start + len(row.ids), start + width))
    return tuple(found)


def _tree_mask(pieces: Sequence[Piece], width: int) -> Tensor:
    """Additive fp32 mask [R, 1, W, W]: 0 where a token is seen, else the smallest number."""
    sees = torch.eye(len(pieces), dtype=torch.bool)
    for number, piece in enumerate(pieces):
        sees[number, list(piece.after)] = True
    lengths = torch.tensor([piece.length for piece in pieces])
    owners_RW = torch.arange(len(pieces)).repeat_interleave(lengths).view(-1, width)
    visible = sees[owners_RW.unsqueeze(2), owners_RW.unsqueeze(1)].tril()
    mask = torch.zeros(visible.shape).masked_fill_(~visible, torch.finfo(torch.float32).min)
    return mask.unsqueeze(1)


def _padded(documents: Sequence[Document]) -> Batch:
    """One row a reply, padded on the right."""
    pairs = [(document.prompt, reply) for document in documents for reply in document.replies]
    ids, mask = pad([prompt + reply for prompt, reply in pairs])
    firsts = [row * ids.shape[1] + len(prompt) for row, (prompt, _) in enumerate(pairs)]
    return _batch(documents, ids, mask, None, [(first - 1, first) for first in firsts], (), ())


def _batch(
    documents: Sequence[Document],
    ids: Tensor,
    mask: Tensor,
    places: Tensor | None,
    spans: Sequence[tuple[int, int]],
    where: tuple[tuple[int, ...], ...],
    pieces: tuple[Piece, ...],
) -> Batch:
    """`spans`: for each reply the flat positions before and of its first token."""
    replies = [reply for document in documents for reply in document.replies]
    predicting: list[int] = []
    for reply, (before, first) in zip(replies, spans, strict=True):
        predicting += [before, *range(first, first + len(reply) - 1)]
    lengths = torch.tensor([len(reply) for reply in replies])
    offsets_BT = torch.arange(int(lengths.max())).expand(len(replies), -1)
    mask_BT = offsets_BT < lengths.unsqueeze(1)
    reply_n, offset_n = mask_BT.nonzero(as_tuple=True)
    ends = [first + len(reply) - 1 for reply, (_, first) in zip(replies, spans, strict=True)]
    owners = [number for number, document in enumerate(documents) for _ in document.replies]
    return Batch(
        ids_RW=ids,
        mask=mask,
        places_RW=places,
        predicting_n=torch.tensor(predicting),
        tokens_n=torch.tensor([token for reply in replies for token in reply]),
        reply_n=reply_n,
        offset_n=offset_n,
        last_B=torch.tensor(ends),
        groups_B=torch.tensor(owners),
        mask_BT=mask_BT,
        documents=tuple(documents),
        where=where,
        pieces=pieces,
    )
