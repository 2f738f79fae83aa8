"""Prompts with their replies -> one batch of token ids in which every prompt is run once.

Documents (a prompt and K replies behind it) are packed into rows. The mask lets a reply see its own
prompt and itself, never another reply or document, and position ids restart with each document and
at the end of each prompt, so packed and unpacked give the same numbers:

    row        p p p a a b b b | p p a a a
    positions  0 1 2 3 4 3 4 5   0 1 2 3 4

Models that ignore such a mask, and rows longer than a model's window, are laid out as one padded
row a reply (`bench.training.probe`).
Everything per reply is then a grid [B, T]: B replies in the order of the documents, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.models.rows import pad

Ids = tuple[int, ...]
WIDTH = 256  # tokens of a packed row unless a document is longer; attention grows with its square


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids of a prompt and of the replies to it, and the source that logs name."""

    source: str
    prompt: Ids
    replies: tuple[Ids, ...]

    @property
    def length(self) -> int:
        """Tokens that it takes in a packed row."""
        return len(self.prompt) + sum(map(len, self.replies))


@dataclass(frozen=True, slots=True)
class Batch:
    """What a model is run on, and where the replies lie in it. R rows of W tokens, n reply tokens.

    `mask` is additive [R, 1, W, W] when packed and [R, W] of ones and zeros when not;
    `places_RW` is None when not packed. `predicting_n` and `last_B` index the flattened [R * W]
    hidden states: the position that predicts each reply token, and each reply's last token.
    `reply_n`, `offset_n` are where token n stands in the grid [B, T]. `starts` are the flat
    positions where the `documents` begin, none when not packed.
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
    starts: tuple[int, ...]

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


def lay_out(documents: Sequence[Document], reach: int) -> Batch:
    """One batch of all `documents`; packed unless one is longer than `reach` tokens."""
    longest = max(document.length for document in documents)
    if longest > reach:
        return _padded(documents)
    return _packed(documents, min(max(WIDTH, longest), reach))


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
    rows = _fill_rows([document.length for document in documents], width)
    width = max(sum(documents[place].length for place in row) for row in rows)
    ids, places, segments, owners = (
        torch.full((len(rows), width), empty) for empty in (0, 0, -1, -1)
    )
    starts: dict[int, int] = {}
    for number, row in enumerate(rows):
        at = 0
        for place in row:
            document = documents[place]
            inside = slice(at, at + document.length)
            ids[number, inside] = torch.tensor(_flat(document))
            places[number, inside] = torch.tensor(_places(document))
            segments[number, inside] = torch.tensor(_segments(document))
            owners[number, inside] = place
            starts[place] = number * width + at
            at += document.length
    in_order = tuple(starts[place] for place in range(len(documents)))
    found = [_spans(*pair) for pair in zip(documents, in_order, strict=True)]
    spans = [span for part in found for span in part]
    return _batch(documents, ids, _tree_mask(owners, segments), places, spans, in_order)


def _spans(document: Document, start: int) -> list[tuple[int, int]]:
    """For each reply of a document that begins at flat position `start`: the position that predicts
    its first token, and that of its first token."""
    end = start + len(document.prompt)
    lengths = [len(reply) for reply in document.replies]
    return [(end - 1, end + sum(lengths[:number])) for number in range(len(lengths))]


def _fill_rows(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Documents in rows, each into the first row that has room, longest first."""
    rows: list[list[int]] = []
    room: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        fitting = (number for number, left in enumerate(room) if left >= lengths[place])
        number = next(fitting, len(rows))
        if number == len(rows):
            rows.append([])
            room.append(width)
        rows[number].append(place)
        room[number] -= lengths[place]
    return rows


def _flat(document: Document) -> list[int]:
    return [*document.prompt, *(token for reply in document.replies for token in reply)]


def _places(document: Document) -> list[int]:
    start = len(document.prompt)
    replies = (range(start, start + len(reply)) for reply in document.replies)
    return [*range(start), *(place for reply in replies for place in reply)]


def _segments(document: Document) -> list[int]:
    """0 for the prompt, 1, 2, ... for the replies."""
    replies = ([number] * len(reply) for number, reply in enumerate(document.replies, start=1))
    return [0] * len(document.prompt) + [number for reply in replies for number in reply]


def _tree_mask(owners_RW: Tensor, segments_RW: Tensor) -> Tensor:
    """Additive fp32 mask [R, 1, W, W]: 0 where a token is seen, else the smallest number."""
    width = owners_RW.shape[1]
    same = owners_RW.unsqueeze(2) == owners_RW.unsqueeze(1)
    asking, seen = segments_RW.unsqueeze(2), segments_RW.unsqueeze(1)
    visible = same & ((seen == 0) | (seen == asking)) & torch.ones(width, width).tril().bool()
    visible |= torch.eye(width, dtype=torch.bool)  # padding sees itself, or softmax gives NaN
    mask = torch.zeros(visible.shape).masked_fill_(~visible, torch.finfo(torch.float32).min)
    return mask.unsqueeze(1)


def _padded(documents: Sequence[Document]) -> Batch:
    """One row a reply, padded on the right."""
    pairs = [(document.prompt, reply) for document in documents for reply in document.replies]
    ids, mask = pad([prompt + reply for prompt, reply in pairs])
    firsts = [row * ids.shape[1] + len(prompt) for row, (prompt, _) in enumerate(pairs)]
    return _batch(documents, ids, mask, None, [(first - 1, first) for first in firsts], ())


def _batch(
    documents: Sequence[Document],
    ids: Tensor,
    mask: Tensor,
    places: Tensor | None,
    spans: Sequence[tuple[int, int]],
    starts: tuple[int, ...],
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
        starts=starts,
    )
