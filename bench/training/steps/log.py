"""The record of a stage: `log.jsonl`, TensorBoard, and whoever watches.

    {"step": 12, "seconds": 34.1, "tokens": 51234, "loss": 1.93, "loss/topic": 1.2, "lr": 1e-05}

A resumed stage first drops the lines written after the state that it goes on from, so every step
stands once.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from bench.store import to_json, write_atomic
from bench.training.disk import STATE_KEPT, not_written
from bench.training.steps.tensorboard import EventFile
from bench.training.steps.watch import Watcher

LOG = "log.jsonl"
NOTHING: Mapping[str, float] = {}


class Log:
    """Writes what a stage reports; without `write` (all processes but the main one) nothing.

    `lines` counts what the file holds.
    """

    def __init__(self, folder: Path, watcher: Watcher, write: bool, step: int, lines: int) -> None:
        """Go on after update `step`, when the log had `lines` lines.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        self.path = folder / LOG
        self.watcher = watcher
        self.write = write
        self.lines = 0
        if write:
            kept = _whole_lines(self.path)[:lines]
            self.lines = len(kept)
            write_atomic(self.path, "".join(line + "\n" for line in kept).encode())
            try:
                self.board = EventFile(folder / "tensorboard", step)
            except OSError as error:
                raise not_written(folder / "tensorboard", error, STATE_KEPT) from None

    def add(
        self, step: int, metrics: Mapping[str, float], shown: Mapping[str, float] = NOTHING
    ) -> None:
        """One line for `step`; numbers that are not finite are left out (JSON has none).

        `shown` goes to whoever watches alone: it depends on the machine's clock, and a log is the
        same however often its stage was killed.

        Raises:
            RunError: the disk is full.
        """
        if not self.write:
            return
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(to_json({"step": step, **finite}) + "\n")
            self.board.add(step, finite)
        except OSError as error:
            raise not_written(self.path.parent, error, STATE_KEPT) from None
        self.lines += 1
        self.watcher.step(step, {**finite, **shown})

    def close(self) -> None:
        """Nothing may be added any more.

        Raises:
            RunError: the disk is full.
        """
        if self.write:
            try:
                self.board.close()
            except OSError as error:
                raise not_written(self.path.parent, error, STATE_KEPT) from None


def _whole_lines(path: Path) -> list[str]:
    """The lines of a log up to one that a kill has cut short."""
    if not path.is_file():
        return []
    *lines, _ = path.read_text(encoding="utf-8", errors="replace").split("\n")
    cut = (place for place, line in enumerate(lines) if not _is_json(line))
    return lines[: next(cut, len(lines))]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True
