"""Which run on a board is whose parent: joined on the digests of weights that runs carry.

Called by `bench.reporting.board` and `bench.reporting.contrasts`. A run's description holds
`weights`, `stage` and `parent`, the digest of the weights that training started from:

    smollm2-135m        weights a1b2...
    ├── sft             weights 77f0..., stage sft, parent a1b2...
    │   └── ppo         weights 09ce..., stage ppo, parent 77f0...
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from bench.types import Json, Run, Stage

STAGES: tuple[str, ...] = get_args(Stage)
# What decides the prompts, beside the items and the chat template, and how replies are drawn.
DECISIVE = ("shots", "shot_choice", "shots_as", "seed", "variant", "limit", "system")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands: `parent` is the position of its parent's run among the runs, None when
    there is none on the board; `depth` counts the runs above it; `absent` is the digest of a parent
    that is not on the board."""

    stage: str
    parent: int | None
    depth: int
    absent: str


def places_of(runs: Sequence[Run]) -> list[Place]:
    """The place of each run, in the order given."""
    parents = _parents(runs)
    return [
        Place(
            stage=described(run, "stage"),
            parent=parents[number],
            depth=len(_ancestors(number, parents)),
            absent=described(run, "parent") if parents[number] is None else "",
        )
        for number, run in enumerate(runs)
    ]


def in_order(runs: Sequence[Run]) -> list[int]:
    """Positions of `runs` with each child behind its parent, siblings by stage; else as given."""
    parents = _parents(runs)
    found: list[int] = []

    def visit(number: int) -> None:
        found.append(number)
        children = [child for child, parent in enumerate(parents) if parent == number]
        for child in sorted(children, key=lambda child: _rank(runs[child])):
            visit(child)

    for number, parent in enumerate(parents):
        if parent is None:
            visit(number)
    return found


def described(run: Run, key: str) -> str:
    """A text of the run's description, "" where it says nothing."""
    return str(run.model_description.get(key) or "")


def differing_settings(child: Run, parent: Run) -> list[str]:
    """The decisive settings in which two runs differ, as sentences; empty when none does."""
    pairs = [(key, child.settings.get(key), parent.settings.get(key)) for key in DECISIVE]
    return [
        f"{key} differs ({_shown(ours)} against {_shown(theirs)})"
        for key, ours, theirs in pairs
        if _shown(ours) != _shown(theirs)
    ]


def _parents(runs: Sequence[Run]) -> list[int | None]:
    parents = [_parent_of(number, runs) for number in range(len(runs))]
    # Digests cannot go round in a circle, but files that were edited can.
    return [
        None if number in _ancestors(number, parents) else parent
        for number, parent in enumerate(parents)
    ]


def _parent_of(number: int, runs: Sequence[Run]) -> int | None:
    """The run of the parent's weights that compares best with run `number`."""
    child = runs[number]
    digest = described(child, "parent")
    known = [place for place, run in enumerate(runs) if described(run, "weights") == digest]
    found = known if digest else []
    return min(found, key=lambda place: _distance(child, runs[place]), default=None)


def _distance(child: Run, parent: Run) -> tuple[int, int, bool]:
    """Fewest differing settings, then most tasks in common, then the same dtype."""
    theirs = {(task.task, task.digest) for task in parent.tasks}
    shared = sum((task.task, task.digest) in theirs for task in child.tasks)
    dtypes = described(child, "dtype") != described(parent, "dtype")
    return len(differing_settings(child, parent)), -shared, dtypes


def _ancestors(number: int, parents: Sequence[int | None]) -> list[int]:
    """Parent, grandparent and so on; holds `number` itself where the parents go in a circle."""
    found: list[int] = []
    parent = parents[number]
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parents[parent]
    return found


def _rank(run: Run) -> int:
    stage = described(run, "stage")
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _shown(value: Json) -> str:
    return "none" if value in (None, "") else str(value)
