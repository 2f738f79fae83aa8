"""TensorBoard's copy of a stage's log: an event file a run, written by the thread that trains.

    tensorboard/events.out.tfevents.1795649657.host.0     the run that started at update 0

`bench.training.steps.log` writes it. tensorboardX's SummaryWriter would hand the numbers to a queue
with threads of its own, which an interrupt or a full disk leaves waiting for each other.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary

FLUSH = 10.0  # seconds between two flushes to the disk


class EventFile:
    """Scalars by step; TensorBoard forgets what earlier files say of steps after `step`."""

    def __init__(self, folder: Path, step: int) -> None:
        """Raises OSError, as all its methods do."""
        folder.mkdir(parents=True, exist_ok=True)
        self.writer = EventsWriter(str(folder / "events"), f".{step}")
        self.flushed = 0.0
        self._write(Event(step=step + 1, file_version="brain.Event:2"))
        self._write(Event(step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """The numbers of one step."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        self._write(Event(step=step, summary=Summary(value=values)))
        if time.monotonic() - self.flushed > FLUSH:
            self.writer.flush()
            self.flushed = time.monotonic()

    def close(self) -> None:
        """Nothing may be added any more."""
        self.writer.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self.writer.write_event(event)
