"""Documents -> packed rows in which the beginning that prompts share stands once.

`bench.training.networks.layout` lays out batches with it. A system message, a task's instruction,
shots: a causal model makes the same of them whatever follows, so they are run once a row and the
gradients of all that follows add up in them. (With dropout, what is dropped there is dropped for
all.)

    documents  p p q + a a | p p r s + b
    row        p p q a a r s b
    places     0 1 2 3 4 2 3 4
    pieces     [0, 2)  [2, 5) after 0  [5, 8) after 0
"""

from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bench.models.encode import Ids
from bench.models.pieces import Piece

Branches = tuple[Ids, tuple[Ids, ...]]  # a prompt, and the replies to it


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids, their places in their documents, and the pieces in which they lie; `where` has,
    for each document, the positions in the row of its prompt's and its replies' tokens."""

    ids: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    where: dict[int, list[int]] = field(default_factory=dict)


def fill_rows(documents: Sequence[Branches], width: int) -> list[list[int]]:
    """Numbers of documents in rows of at most `width` tokens, longest first, each document into the
    row with room in which it shares most; the first of equals."""
    lengths = [len(prompt) + sum(map(len, replies)) for prompt, replies in documents]
    rows: list[list[int]] = []
    held: list[list[Ids]] = []  # the prompts of each row, sorted
    room: list[int] = []
    for number in sorted(range(len(documents)), key=lambda number: (-lengths[number], number)):
        prompt = documents[number][0]
        shared = [_most_shared(prompt, prompts) for prompts in held]
        fitting = [row for row in range(len(rows)) if room[row] >= lengths[number] - shared[row]]
        chosen = max(fitting, key=lambda row: shared[row], default=len(rows))
        if chosen == len(rows):
            rows, held, room, shared = [*rows, []], [*held, []], [*room, width], [*shared, 0]
        rows[chosen].append(number)
        insort(held[chosen], prompt)
        room[chosen] -= lengths[number] - shared[chosen]
    return rows


def write_row(documents: Sequence[Branches], chosen: Sequence[int]) -> Row:
    """The row of the documents with the numbers `chosen`."""
    row = Row()
    ordered = sorted(chosen, key=lambda number: documents[number][0])
    _grow(row, documents, ordered, (), [])
    return row


def _grow(
    row: Row,
    documents: Sequence[Branches],
    ordered: Sequence[int],
    after: tuple[int, ...],
    positions: list[int],
) -> None:
    """Write `ordered` documents, whose prompts all begin with what stands at `positions`."""
    first, last = (documents[ordered[end]][0] for end in (0, -1))
    depth, common = len(positions), _shared(first, last)  # of sorted prompts: shared by all
    if len(ordered) == 1 and len(documents[ordered[0]][1]) == 1:
        (reply,) = documents[ordered[0]][1]
        row.where[ordered[0]] = positions + _write(row, (*first[depth:], *reply), depth, after)
        return
    if common > depth:
        positions = positions + _write(row, first[depth:common], depth, after)
        after = (*after, len(row.pieces) - 1)

    def next_token(number: int) -> int:
        prompt = documents[number][0]
        return prompt[common] if len(prompt) > common else -1

    for token, group in groupby(ordered, next_token):
        if token >= 0:
            _grow(row, documents, list(group), after, positions)
            continue
        for number in group:
            replies = (_write(row, reply, common, after) for reply in documents[number][1])
            row.where[number] = positions + [place for reply in replies for place in reply]


def _write(row: Row, ids: Ids, place: int, after: tuple[int, ...]) -> list[int]:
    """Add a piece that begins at `place` of its documents; the positions of its tokens."""
    start, stop = len(row.ids), len(row.ids) + len(ids)
    row.ids.extend(ids)
    row.places.extend(range(place, place + len(ids)))
    row.pieces.append(Piece(start, stop, after))
    return list(range(start, stop))


def _most_shared(prompt: Ids, held: Sequence[Ids]) -> int:
    """The longest beginning that `prompt` shares with one of `held`, which are sorted."""
    place = bisect(held, prompt)
    return max((_shared(prompt, other) for other in held[max(place - 1, 0) : place + 1]), default=0)


def _shared(one: Ids, other: Ids) -> int:
    """How many ids both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
