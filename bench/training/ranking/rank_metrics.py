"""What a rank stage has to say of itself: counts for its stage file, means for who watches.

>>> told = Judged(("a", "b"), (True, True), (1.0, 0.0), "", {}, tokens=9, replies=3, ended=3)
>>> means([told])
{'ended': 1.0, 'score': 0.5}
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from bench.training.ranking.portions import Judged
from bench.types import Ranking


def rank_metrics(judged: Sequence[Judged], rankings: Sequence[Ranking]) -> dict[str, float]:
    """Counts, and the means of all prompts.

    prompts         that were replied to
    rankings        that were made of them
    replies         distinct and judged replies in the rankings
    pairs, ties     pairs of replies of unequal and of equal rank
    alike           prompts left out because all their replies are the same
    unjudged        prompts left out because fewer than two of their replies could be judged
    tokens          that were sampled
    ended           share of the sampled replies that ended by themselves
    score           mean of the judged replies
    and others      means over prompts of what the ranker reports (position_bias)
    """
    pairs = [pair for ranking in rankings for pair in combinations(ranking.ranks, 2)]
    ties = sum(first == second for first, second in pairs)
    alike, unjudged = _lost(judged)
    counts = {
        "prompts": len(judged),
        "rankings": len(rankings),
        "replies": sum(len(ranking.replies) for ranking in rankings),
        "pairs": len(pairs) - ties,
        "ties": ties,
        "alike": len(alike),
        "unjudged": len(unjudged),
        "tokens": sum(item.tokens for item in judged),
    }
    return {name: float(count) for name, count in counts.items()} | means(judged)


def means(judged: Sequence[Judged]) -> dict[str, float]:
    """Means of what was measured at least once; of at least one prompt."""
    values: dict[str, list[float]] = {
        "score": [score for item in judged for _, _, score in item.known]
    }
    for item in judged:
        for name, value in item.metrics.items():
            values.setdefault(name, []).append(value)
    ended = sum(item.ended for item in judged) / sum(item.replies for item in judged)
    found = {name: math.fsum(known) / len(known) for name, known in values.items() if known}
    return {"ended": ended, **found}


def left_out(judged: Sequence[Judged]) -> str:
    """Why prompts are left out: how many for what, and the most frequent reason given."""
    alike, unjudged = _lost(judged)
    reasons = Counter(item.reason for item in unjudged if item.reason)
    often = f" ({reasons.most_common(1)[0][0]})" if reasons else ""
    parts = [
        f"all replies to {len(alike)} are the same" if alike else "",
        f"those to {len(unjudged)} cannot be judged{often}" if unjudged else "",
    ]
    return ", ".join(part for part in parts if part)


def _lost(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """The prompts whose replies are all the same, and those whose replies were not judged."""
    alike = [item for item in judged if item.alike]
    return alike, [item for item in judged if not item.alike and len(item.known) < 2]
