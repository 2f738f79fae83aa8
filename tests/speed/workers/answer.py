"""How a worker speaks with its benchmark: a line of JSON for each line of JSON it is sent.

A worker of `train_throughput` is sent how many updates to make, and answers what they took:

    2
    {"cpu_seconds": 31.2, "seconds": 17.9, "peak_gib": 4.0, "tokens": 2909, "losses": [3.93, 3.63]}

Its first line, sent unasked when it is ready, says what getting ready took. What libraries print
goes to standard error. Nothing is imported here that every Python does not have.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of this process and its children: on the processors (user + system, all threads), and
    on the wall."""

    cpu: float
    wall: float

    @classmethod
    def now(cls) -> "Clock":
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = time.process_time() + children.ru_utime + children.ru_stime
        return cls(cpu, time.perf_counter())


class Line:
    """The connection: asks come in, answers go out."""

    def __init__(self) -> None:
        self.out: TextIO = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self.begun = Clock.now()

    def ready(self, **told: object) -> None:
        """Tell that the asks may begin."""
        self.answer(**told)

    def asks(self, forget_peak: bool = False) -> Iterator[object]:
        """What is asked for, until there is no more; with `forget_peak` the most memory held is
        that since the ask, where Linux can tell."""
        for line in sys.stdin:
            asked = json.loads(line)
            if forget_peak and FORGET.exists():
                FORGET.write_text("5")
            self.begun = Clock.now()
            yield asked

    def answer(self, **told: object) -> None:
        """Tell `told`, and what it took since the last ask."""
        now = Clock.now()
        taken = {
            "cpu_seconds": now.cpu - self.begun.cpu,
            "seconds": now.wall - self.begun.wall,
            "peak_gib": peak_gib(),
        }
        self.out.write(json.dumps(taken | told) + "\n")
        self.out.flush()


def forget_device_peak(device: str) -> None:
    """Begin to count the memory of a GPU anew."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def peak_of(device: str) -> dict[str, float]:
    """What an answer says instead of the memory of the process: that of a GPU."""
    if not device.startswith("cuda"):
        return {}
    import torch

    return {"peak_gib": torch.cuda.max_memory_allocated(device) / 2**30}


def peak_gib() -> float:
    """The most memory that this program or one of its children has held.

    Linux counts into `ru_maxrss` what the process held before it became this program.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if STATUS.is_file():
        fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        own = int(fields["VmHWM"].split()[0])
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 2**20
