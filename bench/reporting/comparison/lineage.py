"""Which row of a board is whose parent, and which other pairs are worth a comparison.

A row is a model asked in one way: its name, revision and settings. Called by
`bench.reporting.board`.

    gpt-175b ─ sft-175b ┬ ppo-175b
                        └ ppo-ptx-175b      and beside the parents: ppo-ptx-175b against ppo-175b
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from bench.reporting.comparison.comparable import DECISIVE, PICKS_ROWS, shown
from bench.reporting.results.schema import Link, ModelEntry, Result
from bench.types import Stage

STAGES: tuple[str, ...] = get_args(Stage)
# A stage that adds one thing to another stage from the same parent: what did that one thing do?
ADDS: tuple[tuple[str, str], ...] = (("ppo", "ppo_ptx"),)


@dataclass(frozen=True, slots=True)
class Row:
    """A model asked in one way, with its Results by task and variant."""

    model: ModelEntry
    results: dict[tuple[str, str], Result]


@dataclass(frozen=True, slots=True)
class Edge:
    """Positions of two rows to compare; `kind` is "parent", or "sibling" for what one thing did."""

    child: int
    parent: int
    kind: str


def rows_of(results: Sequence[Result]) -> list[Row]:
    """Results grouped into rows, each child behind its parent, siblings by stage and size."""
    models: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        models.setdefault((result.model.name, result.model.revision), []).append(result)
    rows = [row for found in models.values() for row in _ways_of(found)]
    return [rows[place] for place in _in_order(rows)]


def edges_of(rows: Sequence[Row]) -> list[Edge]:
    """Every row against its parent's where that is on the board, then the siblings worth it."""
    parents = parents_of(rows)
    found = [
        Edge(child, parent, "parent") for child, parent in enumerate(parents) if parent is not None
    ]
    for less, more in ADDS:
        for child, parent in enumerate(parents):
            if parent is None or rows[child].model.stage != more:
                continue
            siblings = [
                place
                for place, other in enumerate(parents)
                if other == parent and rows[place].model.stage == less
            ]
            found += [Edge(child, sibling, "sibling") for sibling in siblings]
    return found


def parents_of(rows: Sequence[Row]) -> list[int | None]:
    """The position of each row's parent, None where it is not on the board."""
    parents = [_parent_of(number, rows) for number in range(len(rows))]
    # Digests cannot go round in a circle, but files that were edited can.
    return [
        None if number in _ancestors(number, parents) else parent
        for number, parent in enumerate(parents)
    ]


def roots_of(rows: Sequence[Row]) -> list[int]:
    """The position of each row's oldest ancestor on the board: which lineage it belongs to."""
    parents = parents_of(rows)
    return [
        (lambda found: found[-1] if found else number)(_ancestors(number, parents))
        for number in range(len(rows))
    ]


def depths_of(rows: Sequence[Row]) -> list[int]:
    """How many ancestors each row has on the board."""
    parents = parents_of(rows)
    return [len(_ancestors(number, parents)) for number in range(len(rows))]


def policy_of(model: ModelEntry) -> Link | None:
    """What the model was trained from."""
    return next((link for link in model.parents if link.role == "policy"), None)


def _ways_of(results: Sequence[Result]) -> list[Row]:
    """One row where the model was asked each task once, else one for each way of asking."""
    once = len({_asked(result) for result in results}) == len(results)
    groups: dict[tuple[str, ...], dict[tuple[str, str], Result]] = {}
    for result in results:
        groups.setdefault(() if once else way_of(result), {})[_asked(result)] = result
    return [Row(next(iter(group.values())).model, group) for group in groups.values()]


def _asked(result: Result) -> tuple[str, str]:
    return result.task.name, result.task.variant


def way_of(result: Result) -> tuple[str, ...]:
    """How the model was asked, as far as it may differ on one board."""
    keys = (*DECISIVE, *PICKS_ROWS, "dtype")
    return tuple(shown(result.settings.get(key)) for key in keys)


def _parent_of(number: int, rows: Sequence[Row]) -> int | None:
    """The row of the parent's weights that compares best with row `number`."""
    link = policy_of(rows[number].model)
    if link is None:
        return None
    known = [
        place
        for place, row in enumerate(rows)
        if row.model.revision == link.revision and _same_name(row.model.name, link.name)
    ]
    return min(known, key=lambda place: _distance(rows[number], rows[place]), default=None)


def _same_name(one: str, other: str) -> bool:
    """Names may lack the recipe before them; a revision that is a digest says the rest."""
    return not one or not other or one.rsplit("/", 1)[-1] == other.rsplit("/", 1)[-1]


def is_short_for(one: str, other: str) -> bool:
    """Whether the two are one name, of which one may lack what stands before its last slashes."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _distance(child: Row, parent: Row) -> tuple[int, int]:
    """Fewest differing settings, then most tasks in common."""
    ours, theirs = (way_of(next(iter(row.results.values()))) for row in (child, parent))
    shared = child.results.keys() & parent.results.keys()
    return sum(one != other for one, other in zip(ours, theirs, strict=True)), -len(shared)


def _ancestors(number: int, parents: Sequence[int | None]) -> list[int]:
    """Parent, grandparent and so on; holds `number` itself where the parents go in a circle."""
    found: list[int] = []
    parent = parents[number]
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parents[parent]
    return found


def _in_order(rows: Sequence[Row]) -> list[int]:
    parents = parents_of(rows)
    found: list[int] = []

    def visit(number: int) -> None:
        found.append(number)
        children = [child for child, parent in enumerate(parents) if parent == number]
        for child in sorted(children, key=lambda child: _rank(rows[child].model)):
            visit(child)

    for number in sorted(range(len(rows)), key=lambda place: _rank(rows[place].model)):
        if parents[number] is None:
            visit(number)
    return found


def _rank(model: ModelEntry) -> tuple[str, int, int, str]:
    stage = STAGES.index(model.stage) if model.stage in STAGES else len(STAGES)
    return model.family, model.parameters or 0, stage, model.name
