"""What the terminal shows: tables, progress bars, errors. Results on stdout, the rest on stderr."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
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
from bench.errors import ProblemsError
from bench.reporting.export import printable
from bench.types import Cell, Record, Run

OUT = Console(soft_wrap=False, highlight=False)
ERR = Console(stderr=True, highlight=False)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table on stdout; plain text when piped. Columns from the third on are numbers."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(printable(heading), no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))
    console = OUT if OUT.is_terminal else Console(width=200, highlight=False, file=sys.stdout)
    console.print(table)


def print_cells(title: str, cells: Sequence[Cell]) -> None:
    """The table at the end of an evaluation."""
    headings = ("task", "metric", "estimate", "95% interval", "n", "failed", "chance")
    print_table(headings, [_cell_row(cell) for cell in cells], title)


def print_summary(
    run: Run, records: Sequence[Record], folder: Path, rescored: bool = False
) -> None:
    """Lines on stderr after a run: failed rows with a reason, cut prompts, what it cost, where."""
    for entry in run.tasks:
        if entry.failed:
            reason = next(r.reason for r in records if r.task == entry.task and r.reason)
            print_note(
                f"{entry.task}: {entry.failed} of {counted(entry.rows, 'row')} failed: {reason}"
            )
    for entry in run.tasks:
        if entry.truncated:
            were = "was" if entry.truncated == 1 else "were"
            cut = counted(entry.truncated, "prompt")
            print_note(f"{entry.task}: {cut} {were} cut on the left")
    failed = f"{counted(sum(entry.failed for entry in run.tasks), 'row')} failed"
    if rescored:
        print_note(f"{counted(len(records), 'row')} scored again, {failed}: {folder}")
        return
    cost = f", {run.seconds:.1f} s, peak {run.peak_memory_bytes / 2**20:.0f} MiB"
    # Where nothing was asked, the cost is that of an earlier run.
    print_note(
        f"{counted(run.asked, 'request')} asked, {run.reused} from the ledger, {failed}"
        f"{cost if run.asked else ''}: {folder}"
    )


def print_error(cause: str, remedy: str) -> None:
    """Two lines on stderr, whatever line breaks the message has: what is wrong, what to do."""
    ERR.print(Text.assemble(("error: ", "bold red"), _one_line(cause)), soft_wrap=True)
    if remedy:
        ERR.print(Text.assemble(("  try: ", "bold"), _one_line(remedy)), soft_wrap=True)


def print_problems(problems: ProblemsError) -> None:
    """The heading on stderr, and below it a numbered line for each problem."""
    print_error(problems.heading, "")
    for number, line in enumerate(problems.lines, start=1):
        print_note(f"{number:3}. {_one_line(line)}")


def print_note(text: str) -> None:
    """One line on stderr."""
    ERR.print(Text(text), soft_wrap=True)


class Bars:
    """Progress of an evaluation: live bars with ETA on a terminal, a line a task elsewhere."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.started = time.monotonic()
        self.total = self.known = 0
        self.bar: TaskID | None = None
        self.live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=ERR,
            disable=not ERR.is_terminal or bool(os.environ.get("CI")),
        )

    def __enter__(self) -> "Bars":
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def start(self, task: str, total: int, known: int) -> None:
        """A task begins."""
        self.started, self.total, self.known = time.monotonic(), total, known
        self.bar = self.live.add_task(f"{self.label}  {task}", total=total, completed=known)

    def advance(self) -> None:
        """One request is answered."""
        if self.bar is not None:
            self.live.advance(self.bar)

    def finish(self, task: str) -> None:
        """A task is scored."""
        if self.live.disable:
            seconds = time.monotonic() - self.started
            again = f" ({self.known} from the ledger)" if self.known else ""
            print_note(
                f"{self.label}  {task}  {counted(self.total, 'request')}{again}  {seconds:.1f} s"
            )


def _cell_row(cell: Cell) -> tuple[str, ...]:
    shown = "-" if cell.estimate is None else f"{cell.estimate:.3f}"
    bounds = "" if cell.lo is None or cell.hi is None else f"[{cell.lo:.3f}, {cell.hi:.3f}]"
    task = cell.task if cell.headline else ""
    chance = f"{cell.chance:.2f}" if cell.headline else ""
    return task, cell.metric, shown, bounds, str(cell.n), str(cell.failed or ""), chance


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
