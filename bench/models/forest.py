"""Rows in which what sequences begin with alike stands once: a forest of tokens, depth first.

Sequences are written in the order of their token ids, each after what it shares with the one
before. The descendants of a token then follow it without a gap, so one number a token says who
sees it: the tokens from it up to its stop.

    sequences   p p a a    p p b    p q
    row         p p a a b q      places  0 1 2 3 2 1      stops  6 5 4 4 5 6

Called by `bench.models.prefix`, which runs such rows, and `bench.models.blocks`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.models.batching import Budget, common_prefix
from bench.models.model import Encoded

Ids = tuple[int, ...]
PART = 128  # tokens; a shorter row costs hardly less than one twice as long


@dataclass(slots=True)
class Row:
    """Token ids, positions and stops, all of one length, and for each continuation of each of its
    items the tokens of the row that predict it."""

    items: Sequence[Encoded]
    ids: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    predicting: list[list[list[int]]] = field(default_factory=list)


def plant(items: Sequence[Encoded], prefix: int = 0) -> Row:
    """The row of `items`, without their first `prefix` tokens, which all share."""
    row = Row(items, predicting=[[[] for _ in item.continuations] for item in items])
    sequences = sorted(
        ((item.prompt + branch[:-1])[prefix:], place, number)
        for place, item in enumerate(items)
        for number, branch in enumerate(item.continuations)
    )
    path: list[int] = []  # the tokens of the row that the sequence consists of
    before: Ids = ()
    for sequence, place, number in sequences:
        shared = common_prefix([before, sequence])
        _close(row, path, shared)
        _append(row, path, sequence, prefix)
        row.predicting[place][number] = path[len(items[place].prompt) - prefix - 1 :]
        before = sequence
    _close(row, path, 0)
    return row


def fill(
    items: Sequence[Encoded], prefix: int, bounds: Budget, parts: int = 1
) -> Iterator[list[int]]:
    """Indices of `items` in rows of at most `bounds.tokens` tokens behind `prefix`, similar prompts
    together; one item alone may exceed it. The rows are about equally long, and as many as a
    multiple of `parts`, unless items are too few, too short or too long for that."""
    joining = list(_joining(items, prefix))
    total = sum(step.joined for step in joining)
    parts = parts if total >= parts * PART else 1
    count = parts * max(1, math.ceil(total / (parts * bounds.tokens)))
    row: list[int] = []
    tokens = positions = done = rows = 0
    for step in joining:
        # what has gone into rows, with half of the item, against an even share for each row
        even = rows + 1 < count and done + step.joined / 2 > (rows + 1) * total / count
        full = tokens + step.joined > bounds.tokens or positions + step.wanted > bounds.positions
        if row and (even or full):
            yield row
            row, tokens, positions, rows = [], 0, 0, rows + 1
        tokens += step.joined if row else step.alone
        positions += step.wanted
        done += step.joined
        row.append(step.place)
    if row:
        yield row


@dataclass(frozen=True, slots=True)
class _Joining:
    """The tokens that the item at `place` adds to a row after the item before it, and to a new one;
    `wanted` positions are projected."""

    place: int
    joined: int
    alone: int
    wanted: int


def _joining(items: Sequence[Encoded], prefix: int) -> Iterator[_Joining]:
    """All items in the order of their prompts."""
    before: Ids | None = None
    for place in sorted(range(len(items)), key=lambda place: (items[place].prompt, place)):
        prompt, branches = items[place].prompt, branch_tokens(items[place])
        shared = prefix if before is None else common_prefix([before, prompt])
        alone = len(prompt) - prefix + branches
        yield _Joining(place, len(prompt) - shared + branches, alone, positions_of(items[place]))
        before = prompt


def branch_tokens(item: Encoded) -> int:
    """Tokens that are read after the prompt, at most: a continuation's last is never read."""
    return sum(len(branch) - 1 for branch in item.continuations)


def positions_of(item: Encoded) -> int:
    """Positions at which tokens are predicted, at most: first tokens share the prompt's last."""
    return 1 + branch_tokens(item)


def _close(row: Row, path: list[int], kept: int) -> None:
    """What follows does not descend from the tokens of `path` after the first `kept`."""
    for token in path[kept:]:
        row.stops[token] = len(row.ids)
    del path[kept:]


def _append(row: Row, path: list[int], sequence: Ids, prefix: int) -> None:
    start, shared = len(row.ids), len(path)
    fresh = len(sequence) - shared
    row.ids.extend(sequence[shared:])
    row.places.extend(range(prefix + shared, prefix + len(sequence)))
    row.stops.extend([0] * fresh)
    path.extend(range(start, start + fresh))
