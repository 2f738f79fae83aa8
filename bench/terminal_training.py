"""The live view of training: a bar with ETA for each stage, and its main metrics.

`bench train` opens it around a recipe. On a terminal it is a panel that is drawn again and again:

    ╭──────────────────────── training ────────────────────────╮
    │ warm  sft  ━━━━━━━━━━━━━━━━━━━━━━━━ 40/120 0:00:31 left 0:01:02 │
    │ loss               2.31  mean 2.40  █▇▆▆▅▄▄▃                    │
    ╰──────────────────────────────────────────────────────────╯

Elsewhere (a pipe, CI) it is a line every ten seconds and at the end of each stage.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from bench.counted import counted
from bench.terminal import ERR

MAIN = ("loss", "reward", "kl", "lr", "tokens_per_second")
TOLD = ("seconds", "tokens")
SHOWN = 6  # metrics
REMEMBERED = 50  # steps of which the mean is taken
DRAWN = 32  # steps in a sparkline
EVERY = 10.0  # seconds between two lines where there is no terminal
BARS = "▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class _Stage:
    """The stage that runs, with the last values of each metric."""

    name: str
    kind: str
    total: int
    done: int
    first: int
    started: float
    told: float
    values: dict[str, deque[float]] = field(default_factory=dict)


class TrainingView:
    """A `bench.training.steps.watch.Watcher` for people. A context: the panel needs closing."""

    def __init__(self, console: Console = ERR, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.clock = console, clock
        self.on_terminal = console.is_terminal and not os.environ.get("CI")
        self.stage: _Stage | None = None
        self.bar: TaskID | None = None
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self.live = Live(console=console, refresh_per_second=4)

    def __enter__(self) -> "TrainingView":
        if self.on_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def begin(self, stage: str, kind: str, total: int, done: int) -> None:
        """A new bar, and metrics from nothing."""
        now = self.clock()
        self.stage = _Stage(stage, kind, total, done, done, now, now)
        self.bar = self.bars.add_task(f"{stage}  {kind}", total=total, completed=done)
        if self.on_terminal:
            self._draw(self.stage)
        else:
            again = f", going on after {done}" if done else ""
            self._line(f"{stage}  {kind}  {counted(total, 'step')}{again}")

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Move the bar, remember the metrics, show them when it is time."""
        running = self.stage
        if running is None:
            return
        running.done = step
        for name, value in metrics.items():
            running.values.setdefault(name, deque(maxlen=REMEMBERED)).append(value)
        if self.on_terminal:
            self._draw(running)
        elif self.clock() - running.told >= EVERY:
            running.told = self.clock()
            self._line(_progress_line(running, running.told))

    def note(self, text: str) -> None:
        """A line above the panel."""
        self._line(text)

    def end(self, stage: str) -> None:
        """The stage's bar and last numbers stay."""
        running, self.stage = self.stage, None
        if running is None:
            return
        if self.on_terminal:
            self._draw(running)
            if self.bar is not None:
                self.bars.stop_task(self.bar)
        else:
            self._line(f"{_progress_line(running, None)}  {self.clock() - running.started:.1f} s")

    def _draw(self, running: _Stage) -> None:
        if self.bar is not None:
            self.bars.update(self.bar, completed=running.done)
        shown = Group(self.bars, _metrics_table(running))
        self.live.update(Panel(shown, title="training", expand=False))

    def _line(self, text: str) -> None:
        console = self.live.console if self.on_terminal else self.console
        console.print(Text(text), soft_wrap=True)


def sparkline(values: Sequence[float]) -> str:
    """A character a value, from the lowest to the highest of them; blank where it is not finite.

    >>> sparkline([1.0, 2.0, 4.0])
    '▁▃█'
    """
    finite = [value for value in values if isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    step = (high - low) / (len(BARS) - 1) or 1.0
    return "".join(BARS[round((v - low) / step)] if isfinite(v) else " " for v in values)


def main_metrics(names: Sequence[str]) -> list[str]:
    """The names that are shown: the usual ones first, then others in the order they came.

    Those of single sources (loss/topic) are left to the curves, and what the bar says already.
    """
    usual = [name for name in MAIN if name in names]
    others = [name for name in names if name not in (*MAIN, *TOLD)]
    whole = [name for name in others if "/" not in name.removeprefix("held_out/")]
    return (usual + whole)[:SHOWN]


def _metrics_table(running: _Stage) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name in main_metrics(list(running.values)):
        values = list(running.values[name])
        table.add_row(
            name.replace("_", " "),
            _number(values[-1]),
            f"mean {_mean(values)}",
            sparkline(values[-DRAWN:]),
        )
    return table


def _progress_line(running: _Stage, now: float | None) -> str:
    """The stage in one line; with the time, also what is left of it."""
    parts = [f"{running.name}  {running.done}/{running.total}"]
    for name in main_metrics(list(running.values)):
        values = list(running.values[name])
        parts.append(f"{name.replace('_', ' ')} {_number(values[-1])} (mean {_mean(values)})")
    if now is not None and running.done > running.first:
        pace = (now - running.started) / (running.done - running.first)
        parts.append(f"left {_clock_time(pace * (running.total - running.done))}")
    return "  ".join(parts)


def _mean(values: Sequence[float]) -> str:
    """Over what was measured: a value that is not finite is none."""
    finite = [value for value in values if isfinite(value)]
    return _number(sum(finite) / len(finite)) if finite else "-"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
