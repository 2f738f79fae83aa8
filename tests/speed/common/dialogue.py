"""A benchmark's end of the line to a worker: `tests.speed.workers.answer` is the other.

with start_worker([sys.executable, "-m", "tests.speed.workers.evaluate_bench", ...], 2) as it:
    it.ready["seconds"], it.ask({"rows": [0, 1]})["results"]
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.speed.common.report import QUIET

ROOT = Path(__file__).parents[3]
Told = dict[str, Any]


class WorkerError(Exception):
    """A worker ended; the message holds the end of what it said."""


@dataclass(slots=True)
class Worker:
    """A process that answers one ask after the other, and sleeps between. `ready` is what it told
    when it had started."""

    process: "subprocess.Popen[str]"
    errors: IO[str]
    ready: Told = field(init=False)

    def __post_init__(self) -> None:
        self.ready = self._next()

    def ask(self, asked: Mapping[str, object]) -> Told:
        """The answer to `asked`.

        Raises:
            WorkerError: the worker ended instead.
        """
        assert self.process.stdin
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return self._next()

    def _next(self) -> Told:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.errors.seek(0)
        command = " ".join(map(str, self.process.args))
        raise WorkerError(f"{command}: exit code {code}\n{self.errors.read()[-3000:]}")


@contextmanager
def start_worker(command: Sequence[str], threads: int) -> Iterator[Worker]:
    """A Worker, which ends with the block.

    Raises:
        WorkerError: it did not start.
    """
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment(threads),
        ) as process,
    ):
        yield Worker(process, errors)


def environment(threads: int) -> dict[str, str]:
    """Ours, told to be quiet and to use so many threads; each program says itself how they wait."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    return {**kept, **QUIET, "OMP_NUM_THREADS": str(threads)}
