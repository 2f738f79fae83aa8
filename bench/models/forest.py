"""Rows in which what sequences begin with alike stands once: a forest of tokens, depth first.

Sequences are written in the order of their token ids, each after what it shares with the one
before. The descendants of a token then follow it without a gap, so one number a token says who
sees it: the tokens from it up to its stop.

    sequences   p p a a    p p b    p q
    row         p p a a b q      places  0 1 2 3 2 1      stops  6 5 4 4 5 6

Called by `bench.models.prefix`, which runs such rows, and `bench.models.blocks`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.models.batching import Budget, common_prefix
from bench.models.model import Encoded

Ids = tuple[int, ...]


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


def fill(items: Sequence[Encoded], prefix: int, bounds: Budget) -> Iterator[list[int]]:
    """Indices of `items` in rows of at most `bounds.tokens` tokens behind `prefix`, similar prompts
    together; one item alone may exceed it."""
    order = sorted(range(len(items)), key=lambda place: (items[place].prompt, place))
    row: list[int] = []
    tokens = positions = 0
    before: Ids = ()
    for place in order:
        prompt = items[place].prompt
        branches, wanted = branch_tokens(items[place]), positions_of(items[place])
        more = len(prompt) - (common_prefix([before, prompt]) if row else prefix) + branches
        if row and (tokens + more > bounds.tokens or positions + wanted > bounds.positions):
            yield row
            row, tokens, positions = [], 0, 0
            more = len(prompt) - prefix + branches
        row.append(place)
        tokens, positions, before = tokens + more, positions + wanted, prompt
    if row:
        yield row


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
