"""How a worker speaks with `tests.speed.train_throughput`: a line of JSON for each line it is sent.

The worker is sent how many updates to make, and answers what they took:

    2
    {"cpu_seconds": 31.2, "seconds": 17.9, "tokens": 2909, "losses": [3.93, 3.63]}

Its first line, sent unasked when it is ready, says what getting ready took. What libraries print
goes to standard error.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of this process: on the processors (user + system, all threads), and on the wall."""

    cpu: float
    wall: float

    @classmethod
    def now(cls) -> "Clock":
        return cls(time.process_time(), time.perf_counter())


class Line:
    """The connection: asks come in, answers go out."""

    def __init__(self) -> None:
        self.out: TextIO = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self.begun = Clock.now()

    def ready(self) -> None:
        """Tell that the updates may begin."""
        self._send(self._taken())

    def asks(self) -> Iterator[int]:
        """The numbers of updates that are asked for, until there are no more."""
        for line in sys.stdin:
            self.begun = Clock.now()
            yield int(line)

    def answer(self, tokens: int, losses: Sequence[float]) -> None:
        """Tell what the updates since the last ask took."""
        self._send({**self._taken(), "tokens": tokens, "losses": list(losses)})

    def _taken(self) -> dict[str, float]:
        now = Clock.now()
        return {
            "cpu_seconds": now.cpu - self.begun.cpu,
            "seconds": now.wall - self.begun.wall,
            "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }

    def _send(self, told: dict[str, object]) -> None:
        self.out.write(json.dumps(told) + "\n")
        self.out.flush()
