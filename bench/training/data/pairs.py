"""Pairs that answer one prompt -> one Ranking of all their replies, where they amount to one.

All pairs of a prompt are one element of the batch (Ouyang et al. 2022, arXiv 2203.02155, section
3.5): a reward model that sees them apart overfits. `sources.py` joins those of a file:

    a > b, b > c    a, b, c with ranks 1, 2, 3
    a > b, a > c    a, b, c with ranks 1, 2, 2: what nobody compared ties
    a > b, c > d    two rankings: as one they would say a > d, which nobody has
    a > b, b > a    two rankings, which disagree
"""

from collections.abc import Sequence
from itertools import permutations

from bench.types import Ranking, Turn


def join_pairs(pairs: Sequence[Ranking]) -> list[Ranking]:
    """`pairs`, the winner first in each, with those of one group and prompt as one Ranking if it
    says no more than they do. It is called what its first pair is called."""
    by_prompt: dict[tuple[str, tuple[Turn, ...]], list[Ranking]] = {}
    for pair in pairs:
        by_prompt.setdefault((pair.prompt.group, pair.prompt.turns), []).append(pair)
    return [ranking for same in by_prompt.values() for ranking in _joined(same)]


def _joined(same: Sequence[Ranking]) -> Sequence[Ranking]:
    """One Ranking, or `same`."""
    replies = tuple(dict.fromkeys(reply for pair in same for reply in pair.replies))
    winners: dict[str, set[str]] = {reply: set() for reply in replies}
    for pair in same:
        winner, loser = pair.replies
        winners[loser].add(winner)
    above = {reply: _above(reply, winners) for reply in replies}
    places = sorted({len(better) for better in above.values()})
    ranks = {reply: 1 + places.index(len(better)) for reply, better in above.items()}
    says = {(one, other) for one, other in permutations(replies, 2) if ranks[one] < ranks[other]}
    if says != {(winner, reply) for reply, better in above.items() for winner in better}:
        return same
    return [Ranking(same[0].prompt, replies, tuple(ranks[reply] for reply in replies))]


def _above(reply: str, winners: dict[str, set[str]]) -> set[str]:
    """All that is better than `reply`, by a pair or by way of others."""
    found: set[str] = set()
    waiting = [reply]
    while waiting:
        fresh = winners[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found
