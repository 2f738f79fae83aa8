"""What a rank stage has done so far, kept in whole portions: `training/rankings.partial.jsonl`.

    {"inputs": "5f0c...", "portion": 16}
    [{"texts": ["sports", "politics"], "scores": [1.0, 0.0], ...}, ... 16 prompts]

A line is a portion. One that a kill cut short is dropped, and its prompts are sampled together
again: a reply's last bits depend on what is run beside it, so portions are never split.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from bench.errors import RunError
from bench.store import to_json, write_atomic


@dataclass(frozen=True, slots=True)
class Judged:
    """The distinct replies to one prompt and their scores, None where one could not be judged.

    `scores` is empty where there is but one reply; `reason` and `metrics` are those of the verdict;
    `tokens`, `replies` and `ended` count what was sampled, repetitions included.
    """

    texts: tuple[str, ...]
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
    def known(self) -> list[tuple[str, float]]:
        """The replies that could be judged, with their scores."""
        if self.alike:
            return []
        pairs = zip(self.texts, self.scores, strict=True)
        return [(text, score) for text, score in pairs if score is not None]


_PORTION = TypeAdapter(list[Judged])


class Portions:
    """The file at `path`; what was written for other `inputs` or another size of portion is not
    read."""

    def __init__(self, path: Path, inputs: str, size: int) -> None:
        self.path = path
        self.header = to_json({"inputs": inputs, "portion": size})

    def load(self) -> list[Judged]:
        """The prompts of all whole portions, in order."""
        return [item for line in self._lines() for item in _PORTION.validate_json(line)]

    def save(self, portion: Sequence[Judged]) -> None:
        """Add `portion`, so that it is there as a whole or not at all.

        Raises:
            RunError: the disk is full or the file cannot be written; earlier portions stay.
        """
        fresh = to_json([asdict(item) for item in portion])
        lines = [self.header, *self._lines(), fresh]
        write_atomic(self.path, "".join(line + "\n" for line in lines).encode())

    def _lines(self) -> list[str]: ...
