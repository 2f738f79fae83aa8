"""What a rank stage has done so far, kept in whole portions: `training/rankings.partial.jsonl`.

    {"inputs": "5f0c...", "portion": 16}
    [{"texts": ["sports", "politics"], "whole": [true, true], ...}, ... 16 prompts]

A line is a portion. One that a kill cut short is dropped, and its prompts are sampled together
again: a reply's last bits depend on what is run beside it, so portions are never split.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.store import to_json, write_atomic
from bench.training.disk import not_written


@dataclass(frozen=True, slots=True)
class Judged:
    """The distinct replies to one prompt and their scores, None where one could not be judged.

    `whole` says which of `texts` came to their end; `scores` is empty where there is but one reply;
    `reason` and `metrics` are those of the verdict; `tokens`, `replies` and `ended` count what was
    sampled, repetitions included.
    """

    texts: tuple[str, ...]
    whole: tuple[bool, ...]
    scores: tuple[float | None, ...]
    reason: str
    metrics: Mapping[str, float]
    tokens: int
    replies: int
    ended: int

    @property
    def alike(self) -> bool:
        """Whether there is nothing to compare."""
        return len(self.texts) < 2

    @property
    def known(self) -> list[tuple[str, bool, float]]:
        """The replies that could be judged, whether they are whole, and their scores."""
        if self.alike:
            return []
        found = zip(self.texts, self.whole, self.scores, strict=True)
        return [(text, whole, score) for text, whole, score in found if score is not None]


_PORTION = TypeAdapter(list[Judged])


class Portions:
    """The file at `path`, of portions of `size` prompts; of other `inputs` nothing is read."""

    def __init__(self, path: Path, inputs: str, size: int) -> None:
        self.path = path
        self.header = to_json({"inputs": inputs, "portion": size})

    def load(self) -> list[Judged]:
        """The prompts of all whole portions, in order.

        Raises:
            RunError: the file cannot be read.
        """
        return [item for portion in self._whole() for item in portion]

    def open(self) -> None:
        """Make ready to add: keep the whole portions, drop what a kill has left behind them.

        Raises:
            RunError: the disk is full or the file cannot be written; it is unchanged.
        """
        lines = [self.header, *map(_line, self._whole())]
        write_atomic(self.path, "".join(line + "\n" for line in lines).encode())

    def add(self, portion: Sequence[Judged]) -> None:
        """Write `portion` behind the others; after a kill it is whole or is not counted.

        Raises:
            RunError: the disk is full or the file cannot be written; earlier portions stay.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(portion) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _error(self.path, "written", error) from None

    def _whole(self) -> list[list[Judged]]:
        if not self.path.is_file():
            return []
        try:
            header, *lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError as error:
            raise _error(self.path, "read", error) from None
        if header != self.header:
            return []
        found: list[list[Judged]] = []
        for line in lines:
            try:
                found.append(_PORTION.validate_json(line))
            except ValidationError:
                break
        return found


def _line(portion: Sequence[Judged]) -> str:
    return to_json([asdict(item) for item in portion])


def _error(path: Path, what: str, error: OSError) -> RunError:
    kept = "what is whole stays there", ": it goes on after them"
    return not_written(path, error, kept, f"cannot be {what}")
