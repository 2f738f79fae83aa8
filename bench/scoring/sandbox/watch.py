"""The parent's side of a sandboxed run: reads what it writes, measures it, stops it in time.

>>> Breach("timeout", "ran longer than 10 s").status
'timeout'
"""

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

REPORT_BYTES = 256 << 10
FILES, FILES_OF_FULL_SIZE = 256, 4
CHUNK_BYTES = 1 << 16
TICK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use before it is stopped."""

    seconds: float = 10.0
    """Wall clock; processor time is limited to the same, rounded up."""
    memory_bytes: int = 512 << 20
    """Address space, the interpreter's 30 MiB included."""
    output_bytes: int = 64 << 10
    """Kept of standard output and of standard error, each; a program that writes more is killed."""
    file_bytes: int = 1 << 20
    """Size of one file; all in the temporary folder together may take four times that."""
    threads: int = 16
    """Running at once, the main one included."""


@dataclass(frozen=True, slots=True)
class Breach:
    """The limit for which the parent stopped a program."""

    status: Literal["timeout", "output", "killed"]
    reason: str


class Watch:
    """Holds the pipe of the report, and what has been read of it and of the standard streams."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.report, self.stdout, self.stderr = bytearray(), bytearray(), bytearray()
        self._reader, self.report_writer = os.pipe()
        self._open = {self._reader, self.report_writer}

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def until_end(
        self, process: "subprocess.Popen[bytes]", deadline: float, limits: Limits
    ) -> Breach | None:
        """Read until the program ends or breaches a limit; then nothing of it is left running.

        `deadline` is a time.monotonic() time in seconds.
        """
        os.close(self.report_writer)
        self._open.discard(self.report_writer)
        try:
            return self._read(process, deadline, limits)
        finally:
            _kill(process)

    def _read(
        self, process: "subprocess.Popen[bytes]", deadline: float, limits: Limits
    ) -> Breach | None:
        """All pipes closed means that nothing more can be reported, so the end."""
        assert process.stdout is not None
        assert process.stderr is not None
        sinks = {
            process.stdout.fileno(): (self.stdout, limits.output_bytes),
            process.stderr.fileno(): (self.stderr, limits.output_bytes),
            self._reader: (self.report, REPORT_BYTES),
        }
        measured = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for descriptor in sinks:
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    return Breach("timeout", f"ran longer than {limits.seconds:g} s")
                for key, _ in selector.select(min(left, TICK_SECONDS)):
                    sink, most = sinks[key.fd]
                    data = os.read(key.fd, CHUNK_BYTES)
                    sink += data
                    if not data:
                        selector.unregister(key.fd)
                    if len(sink) > most:
                        return Breach("output", f"wrote more than {most} bytes")
                if time.monotonic() - measured >= TICK_SECONDS:
                    breach = self._measure(process.pid, limits)
                    if breach is not None:
                        return breach
                    measured = time.monotonic()
        return None

    def _measure(self, pid: int, limits: Limits) -> Breach | None:
        """Threads and files, which no resource limit bounds for root."""
        if _threads(pid) > limits.threads:
            return Breach("killed", f"started more than {limits.threads} threads")
        files = list(os.scandir(self.folder))
        if len(files) > FILES:
            return Breach("killed", f"made more than {FILES} files")
        most = FILES_OF_FULL_SIZE * limits.file_bytes
        if sum(_size(entry) for entry in files) > most:
            return Breach("output", f"filled more than {most} bytes of files")
        return None


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:  # it ended, or this is no Linux
        return 0


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the session before the leader is reaped, while its number cannot be given away."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
