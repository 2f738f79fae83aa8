"""The reward of replies: the weighted sum of a recipe's terms.

PPO, RLOO and GRPO learn from it, SFT may select by it, and `rank.py` ranks by it.

    reward: [{model: rm}, {scorer: headline, weight: 2.0}]

A reply that scores 0.3 under `rm` and 1 under its task's headline has reward 2.3; one that a term
cannot judge has none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from bench.training.data.encode import Entry
from bench.training.data.sources import Places
from bench.training.networks.network import Network
from bench.training.rewards.reward_terms import (
    Mark,
    Replies,
    Term,
    function_term,
    model_term,
    scorer_term,
)
from bench.training.settings import RewardPart

Grid = list[list[float | None]]  # [G][K]: G prompts, K replies to each


@dataclass(frozen=True, slots=True)
class Scored:
    """Rewards of K replies to each of G prompts, None where a term could not judge the reply.

    `terms` holds the unweighted values of each term by name, `reasons_GK` why there is no total
    ("" where there is one).
    """

    totals_GK: Grid
    terms: dict[str, Grid]
    reasons_GK: list[list[str]]


RewardFunction = Callable[[Sequence[Entry], Replies], Scored]  # K replies to each of G prompts


@dataclass(frozen=True, slots=True)
class Rewarder:
    """A RewardFunction: scores replies by terms, each with its weight, by name."""

    terms: Mapping[str, tuple[float, Term]]

    def __call__(self, entries: Sequence[Entry], replies: Replies) -> Scored:
        """The rewards of `replies[g]`, which answer `entries[g]`.

        Raises:
            TaskError: a task lists no such scorer, or a function fails for every reply.
            SandboxError: model-written code would run and cannot be isolated.
        """
        marks = {name: term(entries, replies) for name, (_, term) in self.terms.items()}
        cells = [
            [{name: found[row][column] for name, found in marks.items()} for column in range(count)]
            for row, count in enumerate(map(len, replies))
        ]
        return Scored(
            totals_GK=[[self._total(cell) for cell in row] for row in cells],
            terms={
                name: [[mark.value for mark in row] for row in found]
                for name, found in marks.items()
            },
            reasons_GK=[[_reason(cell) for cell in row] for row in cells],
        )

    def _total(self, cell: Mapping[str, Mark]) -> float | None:
        total = 0.0
        for name, mark in cell.items():
            if mark.value is None:
                return None
            total += self.terms[name][0] * mark.value
        return total


def make_rewarder(
    parts: Sequence[RewardPart],
    models: Mapping[str, Network],
    places: Places,
    micro_tokens: int,
) -> Rewarder:
    """The sum of `parts`. `models` holds an opened reward model for each `model` that they name.

    Raises:
        TaskError: a function cannot be had. UsageError: a term stands there twice.
    """
    terms: dict[str, tuple[float, Term]] = {}
    for part in parts:
        name = part.model or part.scorer or part.function
        if name in terms:
            raise UsageError(
                f"reward: two terms are called {name!r}", "keep one, with the weights of both"
            )
        terms[name] = part.weight, _term(part, models, places, micro_tokens)
    return Rewarder(terms)


def _term(
    part: RewardPart, models: Mapping[str, Network], places: Places, micro_tokens: int
) -> Term:
    if part.model:
        return model_term(models[part.model], micro_tokens)
    if part.scorer:
        return scorer_term(part.scorer, places)
    return function_term(part.function, places.recipe_folder)


def _reason(cell: Mapping[str, Mark]) -> str:
    """Of the first term that could not judge: `rm: not a number`."""
    return next((f"{name}: {mark.reason}" for name, mark in cell.items() if mark.reason), "")
