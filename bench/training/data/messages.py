"""Columns of a row as text or as turns of a chat, and the Prompt that they make.

`instructions.py` and `preferences.py` read their shapes of data with it.

>>> read_text(Row({"completion": "Oslo.\\n"}, "capitals.jsonl:1"), "completion")
'Oslo.'
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from bench.errors import TaskError
from bench.registry.data import Row
from bench.types import Json, Prompt, Role, Turn

ROLES: tuple[str, ...] = get_args(Role)
DELIMITER = "\n"  # between prompt and reply in plain text


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is called: its source, its id there, its group ("": it is alone)."""

    source: str
    id: str
    group: str


def read_text(row: Row, column: str) -> str:
    """The column as text without line breaks around it or spaces behind it; "" where it is null.

    Raises:
        TaskError: it is something else than text, or holds half a character.
    """
    value = row.values.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise unexpected(row, column, value, "text")
    return _clean(row, column, value)


def read_turns(row: Row, column: str) -> tuple[Turn, ...]:
    """The column as a chat: a list of {role, content}, or text, which is one turn of the user.

    Raises:
        TaskError: it is neither, or a role is none of system, user and assistant.
    """
    value = row.values.get(column)
    if isinstance(value, list):
        return tuple(_turn(row, column, message) for message in value)
    text = read_text(row, column)
    return (Turn("user", text),) if text else ()


def read_reply(row: Row, column: str) -> str:
    """The column as one reply: text, or a list of exactly one message of the assistant.

    Raises:
        TaskError: it is something else.
    """
    value = row.values.get(column)
    if not isinstance(value, list):
        return read_text(row, column)
    turns = read_turns(row, column)
    if len(turns) != 1 or turns[0].role != "assistant":
        raise unexpected(row, column, value, "text or one message of the assistant")
    return turns[0].text


def prompt_of(row: Row, name: Name, turns: Sequence[Turn]) -> Prompt:
    """`turns` as a Prompt; as plain text they are joined by blank lines.

    Raises:
        TaskError: they say nothing.
    """
    text = "\n\n".join(turn.text for turn in turns if turn.text)
    if not text.strip():
        raise TaskError(f"{row.where}: the prompt is empty", "fill it or drop the row")
    return Prompt(name.source, name.id, name.group or name.id, tuple(turns), text, DELIMITER)


def unexpected(row: Row, column: str, value: Json, expected: str) -> TaskError:
    """Says what stands in `column`, and what should."""
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    return TaskError(f"{row.where}: {column}: found {shown}, expected {expected}", "mend the row")


def _turn(row: Row, column: str, message: Json) -> Turn:
    if not isinstance(message, dict):
        raise unexpected(row, column, message, "a message with role and content")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise unexpected(row, f"{column}.role", role, f"one of {', '.join(ROLES)}")
    if not isinstance(content, str):
        raise unexpected(row, f"{column}.content", content, "text")
    return Turn(role, _clean(row, column, content))  # type: ignore[arg-type]  # checked above


def _clean(row: Row, column: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON can hold
        raise unexpected(row, column, ascii(text), "whole characters") from None
    return text.strip("\r\n").rstrip()
