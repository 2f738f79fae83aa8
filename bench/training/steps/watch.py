"""Who watches a training: told when a stage starts and ends and what each step measured.

The stages call it from the process that writes; `bench.terminal_training` shows it, and
`SilentWatcher` is for training from Python. Standard library only.

    watcher.begin("warm", "sft", total=120, done=40)    # 40 steps were done before a kill
    watcher.step(41, {"loss": 2.31, "lr": 1e-5, "tokens_per_second": 812.0})
    watcher.end("warm")
"""

from collections.abc import Mapping
from typing import Protocol


class Watcher(Protocol):
    """Is told how a training goes; stages come one after another."""

    def begin(self, stage: str, kind: str, total: int, done: int) -> None:
        """The stage `stage` of the kind `kind` starts; of `total` steps `done` are behind it."""

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Step `step` (the first is 1) is done and gave `metrics`; one not measured is left out.

        The names that a view shows first: loss, reward, kl, lr, tokens_per_second.
        """

    def note(self, text: str) -> None:
        """Something the user should know, in one line."""

    def end(self, stage: str) -> None:
        """The stage has ended."""


class SilentWatcher:
    """Shows nothing."""

    def begin(self, stage: str, kind: str, total: int, done: int) -> None:
        """Nothing."""

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def end(self, stage: str) -> None:
        """Nothing."""
