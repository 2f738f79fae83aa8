"""The record of a stage: `log.jsonl`, TensorBoard, and whoever watches.

    {"step": 12, "seconds": 34.1, "tokens": 51234, "loss": 1.93, "loss/topic": 1.2, "lr": 1e-05}

A resumed stage first drops the lines after the state that it goes on from, so every step stands
once.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from bench.store import to_json, write_atomic
from bench.training.watch import Watcher

LOG = "log.jsonl"


class Log:
    """Writes what a stage reports; without `write` (all processes but the main one) nothing."""

    def __init__(self, folder: Path, watcher: Watcher, write: bool, step: int) -> None:
        self.path = folder / LOG
        self.watcher = watcher
        self.write = write
        if write:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            kept = [line for line in _lines(self.path) if line["step"] <= step]
            write_atomic(self.path, "".join(to_json(line) + "\n" for line in kept).encode())
            self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """One line for `step`; numbers that are not finite are left out (JSON has none)."""
        if not self.write:
            return
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(to_json({"step": step, **finite}) + "\n")
        for name, value in finite.items():
            self.board.add_scalar(name, value, step)
        self.watcher.step(step, finite)

    def close(self) -> None:
        """Flush what TensorBoard has."""
        if self.write:
            self.board.close()


def _lines(path: Path) -> list[dict[str, float]]:
    """The lines of a log; one that a kill cut short is dropped."""
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return lines
