"""What the rules of `bench check` read and yield: a Loaded task, Findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.registry.data import ROLES, Role, Row
from bench.registry.folder import Task
from bench.scoring.record import Scorers
from bench.types import Example

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: its name, where (`file:line` or `file: key`), what was found."""

    rule: str
    where: str
    message: str
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A task with its rows and, for each role, its Examples (row i is Example i)."""

    task: Task
    rows: dict[Role, list[Row]]
    examples: dict[Role, list[Example]]
    scorers: Scorers

    @property
    def file(self) -> Path:
        """The task.yaml."""
        return self.task.folder / "task.yaml"

    def pairs(self) -> Iterator[tuple[Row, Example]]:
        """Every row of every role with its Example."""
        for role in ROLES:
            yield from zip(self.rows[role], self.examples[role], strict=True)


Rule = Callable[[Loaded], Iterator[Finding]]
