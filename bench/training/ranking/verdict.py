"""What ranks replies: anything that scores all replies to a prompt at once.

`rank.py` asks it. A Rewarder becomes one by `by_reward`; `judge.py` is another.

    Verdict((0.83, 0.17), metrics={"position_bias": 0.05})
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.training.data.encode import Entry
from bench.training.rewards.reward_terms import Replies
from bench.training.rewards.rewards import Rewarder


@dataclass(frozen=True, slots=True)
class Verdict:
    """The scores of the replies to one prompt, higher is better, None where there is none.

    `reason` says why the first of those could not be judged; `metrics` are averaged over prompts.
    """

    scores: tuple[float | None, ...]
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


Ranker = Callable[[Sequence[Entry], Replies], list[Verdict]]


def by_reward(rewarder: Rewarder) -> Ranker:
    """Ranks by the reward."""

    def judge(entries: Sequence[Entry], replies: Replies) -> list[Verdict]:
        found = rewarder(entries, replies)
        return [
            Verdict(tuple(scores), next(filter(None, reasons), ""))
            for scores, reasons in zip(found.totals_GK, found.reasons_GK, strict=True)
        ]

    return judge
