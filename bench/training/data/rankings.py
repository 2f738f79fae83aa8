"""Rankings as a file: one JSON object a line, written by a rank stage and read by others.

    {"source": "topic", "id": "topic-train-001", "group": "topic-train-001",
     "messages": [{"role": "user", "content": "Text: ..."}], "text": "Text: ...", "delimiter": " ",
     "completions": ["sports", "politics"], "ranks": [1, 2], "scores": [1.0, 0.0],
     "target": "sports", "ended": [true, true]}

Rank 1 is best and equal ranks are ties. `ended` is left empty where people wrote the replies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.store import to_json, write_atomic
from bench.types import Prompt, Ranking, Role, Turn


@dataclass(frozen=True, slots=True)
class SampledRanking(Ranking):
    """A Ranking of replies that a model wrote: `ended` is False where one was cut off."""

    ended: tuple[bool, ...] = ()


class Message(BaseModel):
    """One turn as it stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    content: str


class RankingRow(BaseModel):
    """One line of the file. Of a task's prompt nothing is kept but its text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: str
    id: str
    group: str
    messages: Annotated[tuple[Message, ...], Field(min_length=1, strict=False)]
    text: str
    delimiter: str
    completions: Annotated[tuple[str, ...], Field(strict=False)]
    ranks: Annotated[tuple[int, ...], Field(strict=False)]
    scores: Annotated[tuple[float, ...], Field(strict=False)] = ()
    target: str = ""
    ended: Annotated[tuple[bool, ...], Field(strict=False)] = ()


def save_rankings(path: Path, rankings: Sequence[Ranking]) -> None:
    """Write `rankings` so that `path` holds all of them or what it held before.

    Raises:
        RunError: the file cannot be written.
    """
    write_atomic(path, "".join(to_json(_line(ranking)) + "\n" for ranking in rankings).encode())


def ranking_of(row: RankingRow) -> Ranking:
    """The Ranking that `row` holds.

    Raises:
        ValueError: ranks and completions do not fit together.
    """
    turns = tuple(Turn(message.role, message.content) for message in row.messages)
    prompt = Prompt(row.source, row.id, row.group, turns, row.text, row.delimiter)
    said = prompt, row.completions, row.ranks, row.scores, row.target
    return checked(SampledRanking(*said, row.ended) if row.ended else Ranking(*said))


def checked(ranking: Ranking) -> Ranking:
    """`ranking` if it makes sense.

    Raises:
        ValueError: fewer than two replies, a rank, score or end too many or too few, a rank below
            1, or one reply under two ranks.
    """
    replies, ranks = ranking.replies, ranking.ranks
    if len(replies) < 2:
        raise ValueError(f"completions: found {len(replies)}, expected two or more")
    if len(ranks) != len(replies):
        raise ValueError(f"ranks: found {len(ranks)} for {len(replies)} completions")
    if ranking.scores and len(ranking.scores) != len(replies):
        raise ValueError(f"scores: found {len(ranking.scores)} for {len(replies)} completions")
    if isinstance(ranking, SampledRanking) and len(ranking.ended) != len(replies):
        raise ValueError(f"ended: found {len(ranking.ended)} for {len(replies)} completions")
    if min(ranks) < 1:
        raise ValueError(f"ranks: found {min(ranks)}, expected whole numbers, the best of them 1")
    rank_of = dict(zip(replies, ranks, strict=True))
    for reply, rank in zip(replies, ranks, strict=True):
        if rank_of[reply] != rank:
            raise ValueError(f"ranks: {reply[:40]!r} has both rank {rank} and {rank_of[reply]}")
    return ranking


def first_problem(error: ValueError) -> str:
    """What is wrong in one line: `ranks.0: Input should be a valid integer`."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc'])) or 'line'}: {problem['msg']}"
    return str(error)


def _line(ranking: Ranking) -> dict[str, object]:
    prompt = ranking.prompt
    row = RankingRow(
        source=prompt.source,
        id=prompt.id,
        group=prompt.group,
        messages=tuple(Message(role=turn.role, content=turn.text) for turn in prompt.turns),
        text=prompt.text,
        delimiter=prompt.delimiter,
        completions=ranking.replies,
        ranks=ranking.ranks,
        scores=ranking.scores,
        target=ranking.target,
        ended=ranking.ended if isinstance(ranking, SampledRanking) else (),
    )
    return row.model_dump()
