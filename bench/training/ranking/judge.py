"""Ranks replies by a checkpoint that is asked which of two is better.

`rank.py` uses it for `by: {judge: CHECKPOINT}`. Every pair is shown in both orders and the
log-likelihoods of the letters A and B are compared, so a judge that always says A decides nothing
(position bias: Zheng et al. 2023, arXiv 2306.05685, section 3.3). The score of a reply is its mean
probability of beating the others:

    two replies, P(first better) 0.9 when shown first and 0.7 when shown second
    scores 0.8 and 0.2, position_bias 0.2
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from bench.models.model import Model
from bench.training.data.encode import Entry
from bench.training.ranking.verdict import Verdict
from bench.training.rewards.reward_terms import Replies
from bench.types import Reply, Request, Turn

QUESTION = """\
Here are a request and two replies to it. Which reply serves the request better?

[Request]
{request}

[Reply A]
{first}

[Reply B]
{second}

Say A or B.
Better reply:"""
LETTERS = ("A", "B")
Odds = Mapping[tuple[int, int], float]  # (shown first, shown second) -> P(the first is better)


class Judge:
    """A Ranker that asks `model`, through its chat template if it has one."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(self, entries: Sequence[Entry], replies: Replies) -> list[Verdict]:
        """Scores in [0, 1]; None for a reply that the judge could compare with no other."""
        asked = [
            (prompt, first, second)
            for prompt, own in enumerate(replies)
            for first, second in permutations(range(len(own)), 2)
        ]
        texts = [
            _question(entries[prompt], replies[prompt][first].text, replies[prompt][second].text)
            for prompt, first, second in asked
        ]
        odds: list[dict[tuple[int, int], float]] = [{} for _ in entries]
        for place, reply in self._answers(texts):
            prompt, first, second = asked[place]
            probability = _first_better(reply)
            if probability is not None:
                odds[prompt][first, second] = probability
        return [_verdict(len(own), odd) for own, odd in zip(replies, odds, strict=True)]

    def _answers(self, texts: Sequence[str]) -> Iterator[tuple[int, Reply]]:
        """(place, Reply) for each of `texts` that the judge can read as a whole."""
        encoded = self.model.encode([self._request(text) for text in texts])
        readable = [place for place, item in enumerate(encoded) if item.error is None]
        if readable:
            for number, reply in self.model.answer([encoded[place] for place in readable]):
                yield readable[number], reply

    def _request(self, text: str) -> Request:
        if self.model.has_chat_template:
            shown = self.model.chat((Turn("user", text),))
            return Request(shown, LETTERS, special_tokens=False, essential=len(shown))
        return Request(text, tuple(f" {letter}" for letter in LETTERS), essential=len(text))


def _question(entry: Entry, first: str, second: str) -> str:
    return QUESTION.format(
        request=entry.prompt.text.strip(), first=first.strip(), second=second.strip()
    )


def _first_better(reply: Reply) -> float | None:
    """The share of A in the probability of A or B; None where the judge prefers nothing."""
    if reply.error is not None or not reply.logprobs:
        return None
    a, b = reply.logprobs
    found = (1 + math.tanh((a - b) / 2)) / 2  # the logistic function of a - b, without overflow
    return None if math.isnan(found) else found


def _verdict(count: int, odds: Odds) -> Verdict:
    """Means over the pairs that were judged in both orders."""
    pairs = [(i, j) for i, j in odds if i < j and (j, i) in odds]
    wins: list[list[float]] = [[] for _ in range(count)]
    for i, j in pairs:
        better = (odds[i, j] + 1 - odds[j, i]) / 2
        wins[i].append(better)
        wins[j].append(1 - better)
    bias = [abs(odds[i, j] - (1 - odds[j, i])) for i, j in pairs]
    compared = 2 * len(pairs) == count * (count - 1)
    return Verdict(
        scores=tuple(sum(won) / len(won) if won else None for won in wins),
        reason="" if compared else "a pair is too long for the judge, or it prefers neither",
        metrics={"position_bias": sum(bias) / len(bias)} if bias else {},
    )
