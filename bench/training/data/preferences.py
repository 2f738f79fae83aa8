"""Rows of preference data -> Rankings, by the columns that they have.

    messages, completions, ranks    a line of rankings.jsonl, see `rankings.py`
    prompt, completions, ranks      ranks: 1 is best, equal ranks tie; or {completion: rank}
    chosen, rejected (and prompt)   text or lists of messages; without prompt, what both share; or
                                    transcripts: "\\n\\nHuman: Hi\\n\\nAssistant: Hello"

`sources.py` calls it after the recipe's `columns` have renamed the data's. Rows of one prompt are
held out together, unless the recipe names another group.

>>> row = Row({"prompt": "2 + 2 =", "chosen": "4", "rejected": "5"}, "sums.jsonl:1")
>>> from_pair(row, Name("sums", "0", "")).ranks
(1, 2)
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.errors import TaskError
from bench.registry.data import Row
from bench.registry.prompt import digest
from bench.training.data.messages import (
    Name,
    prompt_of,
    read_reply,
    read_text,
    read_turns,
    unexpected,
)
from bench.training.data.rankings import RankingRow, checked, first_problem, ranking_of
from bench.types import Json, Prompt, Ranking, Role, Turn

SPEAKERS: dict[str, Role] = {"Human": "user", "Assistant": "assistant"}
SPEAKER = re.compile(r"\n\n(Human|Assistant):")


def from_file(row: Row, name: Name) -> Ranking:
    """A line of rankings.jsonl; it keeps its own source.

    Raises:
        TaskError: the line is damaged.
    """
    try:
        ranking = ranking_of(RankingRow.model_validate(row.values))
    except ValueError as error:
        raise TaskError(f"{row.where}: {first_problem(error)}", "mend the row") from None
    group = name.group or ranking.prompt.group
    return replace(ranking, prompt=replace(ranking.prompt, group=group))


def from_ranked(row: Row, name: Name) -> Ranking:
    """`prompt`, a list of `completions` and their `ranks`.

    Raises:
        TaskError: a column is something else, or they do not fit together.
    """
    completions = row.values.get("completions")
    if not isinstance(completions, list):
        raise unexpected(row, "completions", completions, "a list")
    items = (Row({"completions": item}, row.where) for item in completions)
    replies = tuple(read_reply(item, "completions") for item in items)
    prompt = _prompt(row, name, read_turns(row, "prompt"))
    return _fitting(row, Ranking(prompt, replies, _ranks(row, replies)))


def from_pair(row: Row, name: Name) -> Ranking:
    """`chosen` before `rejected`.

    Raises:
        TaskError: a column is something else, the two are the same, or answer different prompts.
    """
    asked, chosen = _opened(row, "chosen")
    also_asked, rejected = _opened(row, "rejected")
    if asked != also_asked:
        raise TaskError(
            f"{row.where}: chosen and rejected differ before their last reply",
            "pair replies to the same prompt",
        )
    lead = read_turns(row, "prompt")
    turns = asked if asked[: len(lead)] == lead else (*lead, *asked)
    return _fitting(row, Ranking(_prompt(row, name, turns), (chosen, rejected), (1, 2)))


def _prompt(row: Row, name: Name, turns: Sequence[Turn]) -> Prompt:
    made = prompt_of(row, name, turns)
    return made if name.group else replace(made, group=digest([made.text]))


def _opened(row: Row, column: str) -> tuple[tuple[Turn, ...], str]:
    """What was said before the reply that `column` ends with, and that reply."""
    value = row.values.get(column)
    if not isinstance(value, list):
        text = read_text(row, column)
        transcript = isinstance(value, str) and SPEAKER.match(value) is not None
        if row.values.get("prompt") is not None or not transcript:
            return (), text
        turns = _transcript(f"\n\n{text}")  # reading has taken the line breaks off
    else:
        turns = read_turns(row, column)
    if not turns or turns[-1].role != "assistant":
        raise unexpected(row, column, value, "a chat that ends with the assistant's reply")
    return turns[:-1], turns[-1].text


def _transcript(text: str) -> tuple[Turn, ...]:
    _, *parts = SPEAKER.split(text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(Turn(SPEAKERS[speaker], said.strip()) for speaker, said in pairs)


def _ranks(row: Row, replies: tuple[str, ...]) -> tuple[int, ...]:
    ranks = row.values.get("ranks")
    if isinstance(ranks, dict):
        ranks = [_rank_of(row, ranks, replies, reply) for reply in replies]
    if not isinstance(ranks, list):
        raise unexpected(row, "ranks", ranks, "a list of whole numbers")
    for rank in ranks:
        if not isinstance(rank, int) or isinstance(rank, bool):
            raise unexpected(row, "ranks", rank, "a whole number")
    return tuple(ranks)  # type: ignore[arg-type]  # checked above


def _rank_of(row: Row, ranks: dict[str, Json], replies: tuple[str, ...], reply: str) -> Json:
    """The rank of `reply`, after a look that nothing else is ranked."""
    strange = next((key for key in ranks if key not in replies), None)
    if strange is not None:
        raise unexpected(row, "ranks", strange, f"one of the {len(replies)} completions")
    if reply not in ranks:
        raise unexpected(row, "ranks", list(ranks), f"a rank for {reply[:40]!r} too")
    return ranks[reply]


def _fitting(row: Row, ranking: Ranking) -> Ranking:
    if not all(reply.strip() for reply in ranking.replies):
        raise TaskError(f"{row.where}: a reply is empty", "fill it or drop the row")
    try:
        return checked(ranking)
    except ValueError as error:
        raise TaskError(f"{row.where}: {error}", "mend the row") from None


# columns that must be there -> how the row is read; the first that fits is taken
PREFERENCES: dict[tuple[str, ...], Callable[[Row, Name], Ranking]] = {
    ("messages", "completions", "ranks"): from_file,
    ("prompt", "completions", "ranks"): from_ranked,
    ("chosen", "rejected"): from_pair,
}
