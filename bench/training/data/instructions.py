"""Rows of instruction data -> Demonstrations, by the columns that they have.

    messages                            a chat, whose last message is the reply
    prompt + completion                 each text, or a list of messages
    instruction (+ context) + response  text
    prompt                              to be replied to: what PPO, RLOO, GRPO and rank need
    text                                plain text, for a pretraining mix

`sources.py` calls it after the recipe's `columns` have renamed the data's.

>>> row = Row({"instruction": "Name it.", "context": "A red fruit.", "response": "Cherry"}, "a:1")
>>> from_instruction(row, Name("fruit", "0", "")).prompt.text
'Name it.\\n\\nA red fruit.'
"""

from collections.abc import Callable

from bench.errors import TaskError
from bench.registry.data import Row
from bench.training.data.messages import (
    Name,
    prompt_of,
    read_reply,
    read_text,
    read_turns,
    unexpected,
)
from bench.types import Demonstration, Prompt, Turn


def from_messages(row: Row, name: Name) -> Demonstration:
    """The last message is the reply, the ones before it the prompt.

    Raises:
        TaskError: the last message is not the assistant's, or one of the two is empty.
    """
    turns = read_turns(row, "messages")
    if len(turns) < 2 or turns[-1].role != "assistant":
        expected = "two messages or more, the last of them the assistant's"
        raise unexpected(row, "messages", row.values["messages"], expected)
    return _demonstration(row, name, turns[:-1], turns[-1].text)


def from_completion(row: Row, name: Name) -> Demonstration:
    """`prompt` and `completion`: text, or messages, of which the last is the reply.

    Raises:
        TaskError: a column is something else, or empty.
    """
    prompt = read_turns(row, "prompt")
    completion = row.values.get("completion")
    if not isinstance(completion, list) or len(completion) < 2:
        return _demonstration(row, name, prompt, read_reply(row, "completion"))
    turns = read_turns(row, "completion")
    if turns[-1].role != "assistant":
        raise unexpected(row, "completion", completion, "a last message of the assistant")
    return _demonstration(row, name, (*prompt, *turns[:-1]), turns[-1].text)


def from_instruction(row: Row, name: Name) -> Demonstration:
    """`instruction`, then `context` if there is one, and `response`.

    Raises:
        TaskError: a column is no text, or empty.
    """
    parts = [read_text(row, "instruction"), read_text(row, "context")]
    asked = "\n\n".join(part for part in parts if part)
    return _demonstration(row, name, (Turn("user", asked),), read_text(row, "response"))


def from_prompt(row: Row, name: Name) -> Demonstration:
    """`prompt` alone, text or messages: nothing to learn, something to reply to.

    Raises:
        TaskError: it is something else, or empty.
    """
    return Demonstration(prompt_of(row, name, read_turns(row, "prompt")), "")


def from_text(row: Row, name: Name) -> Demonstration:
    """`text` that is continued, not asked: all of it is learned.

    Raises:
        TaskError: it is no text, or empty.
    """
    text = read_text(row, "text")
    if not text.strip():
        raise TaskError(f"{row.where}: the text is empty", "fill it or drop the row")
    return Demonstration(Prompt(name.source, name.id, name.group or name.id, (), "", ""), text)


def _demonstration(row: Row, name: Name, turns: tuple[Turn, ...], target: str) -> Demonstration:
    prompt = prompt_of(row, name, turns)
    if not target.strip():
        raise TaskError(f"{row.where}: the reply is empty", "fill it or drop the row")
    return Demonstration(prompt, target)


# columns that must be there -> how the row is read; the first that fits is taken
INSTRUCTIONS: dict[tuple[str, ...], Callable[[Row, Name], Demonstration]] = {
    ("messages",): from_messages,
    ("prompt", "completion"): from_completion,
    ("instruction", "response"): from_instruction,
    ("prompt",): from_prompt,
    ("text",): from_text,
}
