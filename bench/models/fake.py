"""Models without weights, for tests, dry runs and checks of a task: real implementations of Model.

    fake:gold            answers every question as its task's target says
    fake:empty           says nothing, prefers nothing
    fake:random          prefers a choice at random, answers with another question's target
    fake:constant=TEXT   always says TEXT
    fake:scripted=FILE   JSONL of {"contains": PART_OF_PROMPT, "reply": TEXT}, first match wins

>>> model = open_fake("fake:constant=yes", {})
>>> encoded = model.encode([Request("Is it?", ("yes", "no"))])
>>> next(model.answer(encoded))[1].logprobs
(0.0, -9.0)
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ModelError, did_you_mean
from bench.models.model import Encoded
from bench.types import Reply, Request, Turn
from bench.unique_keys import unique_keys

SCRIPT = 'write lines such as {"contains": "part of the prompt", "reply": "text"}'
KINDS = ("gold", "empty", "random", "constant", "scripted")
Say = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Fake:
    """Says `say(prompt, choices)`: one of `choices` where there are any, else free text.

    Tokens are the bytes of the text, so a prompt can be read back from its ids. Whatever it says
    that is none of the choices is no preference: the Reply then has no log-likelihoods.
    """

    name: str
    say: Say
    digest: str
    has_chat_template: bool = False
    portion: int = 64
    bos_id: int | None = None

    @property
    def description(self) -> dict[str, str | int | float]:
        """For run.json."""
        return {"family": "fake", "dtype": "none", "device": "none"}

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """One character a byte."""
        return [chr(byte) for byte in ids]

    def chat(self, turns: Sequence[Turn]) -> str:
        """Turns one after another."""
        return "\n\n".join(turn.text for turn in turns)

    def encode(self, requests: Sequence[Request]) -> list[Encoded]:
        """Bytes as token ids."""
        return [
            Encoded(
                tuple(request.prompt.encode()),
                tuple(tuple(text.encode()) for text in request.continuations),
                request.generation,
            )
            for request in requests
        ]

    def load(self) -> None:
        """Nothing to load."""

    def answer(self, asked: Sequence[Encoded]) -> Iterator[tuple[int, Reply]]:
        """In order, at once."""
        for place, item in enumerate(asked):
            prompt = bytes(item.prompt).decode()
            choices = [bytes(ids).decode().strip() for ids in item.continuations]
            said = self.say(prompt, choices).strip() if prompt else ""
            yield place, self._prefer(item, choices, said) if choices else self._write(item, said)

    def _write(self, item: Encoded, said: str) -> Reply:
        assert item.generation is not None
        found = [place for stop in item.generation.stops if (place := said.find(stop)) >= 0]
        return Reply(
            text=said[: min(found, default=len(said))],
            tokens_in=len(item.prompt),
            tokens_out=len(said.encode()),
        )

    def _prefer(self, item: Encoded, choices: Sequence[str], said: str) -> Reply:
        """Log-likelihood 0 for the preferred choice: the maximum under every normalisation."""
        if not item.prompt:
            logprobs = [-1.0] * len(choices)  # the baseline of pmi: no preference
        else:
            logprobs = [0.0 if choice == said else -9.0 for choice in choices]
        prefers = said in choices or not item.prompt
        return Reply(
            logprobs=tuple(logprobs) if prefers else (),
            greedy=tuple(value == 0.0 for value in logprobs) if prefers else (),
            token_counts=tuple(map(len, item.continuations)),
            tokens_in=len(item.prompt),
            finish="scored",
        )


def open_fake(name: str, key: Mapping[str, str]) -> Fake:
    """The fake called `name`. `key` maps prompts to the task's own targets (for gold and random).

    Raises:
        ModelError: no such fake, or the script cannot be read.
    """
    kind, _, argument = name.removeprefix("fake:").partition("=")
    makers: dict[str, Callable[[], Say]] = {
        "gold": lambda: lambda prompt, choices: key.get(prompt, ""),
        "empty": lambda: lambda prompt, choices: "",
        "random": lambda: _random(key),
        "constant": lambda: lambda prompt, choices: argument,
        "scripted": lambda: _scripted(Path(argument)),
    }
    if kind not in makers:
        raise ModelError(f"no fake is named {name!r}", did_you_mean(kind, KINDS))
    content: object = None
    if kind in ("gold", "random"):
        content = sorted(key.items())
    elif kind == "scripted":
        content = _read_script(Path(argument))
    identity = hashlib.sha256(json.dumps([name, content]).encode()).hexdigest()
    return Fake(name, makers[kind](), f"fake-{identity[:16]}")


def _random(key: Mapping[str, str]) -> Say:
    targets = sorted(set(key.values())) or [""]

    def say(prompt: str, choices: Sequence[str]) -> str:
        return random.Random(prompt).choice(choices or targets)

    return say


def _scripted(path: Path) -> Say:
    script = _read_script(path)
    return lambda prompt, choices: next((reply for part, reply in script if part in prompt), "")


def _read_script(path: Path) -> list[tuple[str, str]]:
    """(part of a prompt, reply) from each line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a script of replies: {error}", SCRIPT) from None
    if not any(line.strip() for line in lines):
        raise ModelError(f"{path}: holds no lines", SCRIPT)
    return [_entry(path, number, line) for number, line in enumerate(lines, start=1) if line]


def _entry(path: Path, number: int, line: str) -> tuple[str, str]:
    where = f"{path}:{number}: not a line of a script"
    try:
        entry = json.loads(line, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where}: {error}", SCRIPT) from None
    if not isinstance(entry, dict):
        raise ModelError(f"{where}: found {type(entry).__name__}, expected an object", SCRIPT)
    for key in ("contains", "reply"):
        if not isinstance(entry.get(key), str):
            found = json.dumps(entry[key]) if key in entry else "nothing"
            raise ModelError(f"{where}: {key}: found {found}, expected a text", SCRIPT)
    return entry["contains"], entry["reply"]
