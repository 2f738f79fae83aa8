"""A real Model without weights that takes its time.

`python slow_model.py TASKS OUTPUT LOG SECONDS` evaluates the task `capitals`, taking SECONDS for
each request, and writes a line to LOG before it answers one.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.evaluation.plan import Settings
from bench.evaluation.run import evaluate_model
from bench.models.fake import Fake
from bench.models.model import Encoded
from bench.registry.folder import select
from bench.types import Reply

PORTION = 40


@dataclass(frozen=True, slots=True)
class Slow(Fake):
    """Says the prompt backwards, after a while."""

    log: Path = Path("log")
    seconds: float = 0.0

    def answer(self, asked: Sequence[Encoded]) -> Iterator[tuple[int, Reply]]:
        with self.log.open("a") as log:
            for place, reply in Fake.answer(self, asked):
                log.write(f"{asked[place].prompt}\n")
                log.flush()
                time.sleep(self.seconds)
                yield place, reply


def evaluate(tasks: Path, output: Path, log: Path, seconds: float) -> Path:
    """The records of the run."""
    model = Slow(
        *("slow", lambda prompt, choices: prompt[::-1], "slow"),
        portion=PORTION,
        log=log,
        seconds=seconds,
    )
    done = evaluate_model(model, select(["capitals"], [tasks]), Settings(), output)
    return done.folder / "records.jsonl"


if __name__ == "__main__":
    tasks, output, log, seconds = sys.argv[1:]
    evaluate(Path(tasks), Path(output), Path(log), float(seconds))
