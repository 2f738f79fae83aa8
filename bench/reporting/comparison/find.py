"""The rows that `bench compare A B` names: run folders, or checkpoints by the names they ran under.

find_rows("sft", "ppo", [Path("runs")])
find_rows("sft@5-shot", "sft@0-shot", [Path("runs")])    what so many solved examples change
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import RunError, UsageError, did_you_mean
from bench.reporting.comparison.board import labels_of
from bench.reporting.comparison.lineage import Row, rows_of
from bench.reporting.results.sources import Damaged, Sources, read_run, read_sources

SHOTS = re.compile(r"(.+)@(\d+)-shot")


@dataclass(frozen=True, slots=True)
class Found:
    """The two rows to compare, and what was left out of where they were looked up."""

    child: Row
    parent: Row
    damaged: tuple[Damaged, ...] = ()


def find_rows(
    child: str, parent: str, sources: Sequence[Path], strict: Sequence[Path] = ()
) -> Found:
    """The rows of `child` and `parent`, each a run folder or a name among the runs in `sources`.

    A name is the label on the board, the model's name, its last part, or its revision; with
    "@5-shot" behind it, that which was asked so. Of several
    rows of the parent the one that compares best with the child is taken: most tasks in common.

    Raises:
        UsageError: nothing, or several runs of the child, have the name.
        RunError: a folder holds neither runs nor results, or what is named is damaged.
    """
    alone = _is_run(_bare(child)) and _is_run(_bare(parent))
    among = Sources() if alone else read_sources(sources, strict)
    where = ", ".join(map(str, sources))
    ours = _found(child, among, where)
    if len(ours) > 1:
        raise UsageError(
            f"{child}: {len(ours)} rows have this name: "
            f"{', '.join(sorted(label for label, _ in ours))}",
            "name one of them as it is written here, or give its run folder",
        )
    row = ours[0][1]
    theirs = _found(parent, among, where)
    best = max((other for _, other in theirs), key=lambda other: _common(row, other))
    return Found(row, best, among.damaged)


def shots_differ(child: str, parent: str) -> bool:
    """Whether both names say the shots, and not the same: then that is what is compared."""
    ours, theirs = SHOTS.fullmatch(child), SHOTS.fullmatch(parent)
    return ours is not None and theirs is not None and ours[2] != theirs[2]


def _bare(name: str) -> str:
    """A name without the shots that it says."""
    asked = SHOTS.fullmatch(name)
    return asked[1] if asked else name


def _is_run(name: str) -> bool:
    return (Path(name) / "run.json").is_file()


def _found(name: str, among: Sources, where: str) -> list[tuple[str, Row]]:
    asked = SHOTS.fullmatch(name)
    if not asked:
        return _named(name, among, where)
    rows = _named(asked[1], among, where)
    kept = [(label, _with_shots(row, int(asked[2]))) for label, row in rows]
    found = [(label, row) for label, row in kept if row.results]
    if not found:
        known = {result.settings.get("shots") for _, row in rows for result in row.results.values()}
        raise UsageError(
            f"{name}: {asked[1]} was asked with other shots: {', '.join(map(str, known))}",
            f"bench eval {asked[1]} --shots {asked[2]}",
        )
    return found


def _with_shots(row: Row, shots: int) -> Row:
    held = {key: one for key, one in row.results.items() if one.settings.get("shots") == shots}
    return replace(row, results=held)


def _named(name: str, among: Sources, where: str) -> list[tuple[str, Row]]:
    if _is_run(name):
        rows = rows_of(read_run(Path(name)))
        return list(zip(labels_of(rows), rows, strict=True))
    rows = rows_of(among.results)
    labels = labels_of(rows)
    known = list(zip(labels, rows, strict=True))
    exact = [(label, row) for label, row in known if label == name]
    found = exact or [(label, row) for label, row in known if name in _names(row)]
    if not found:
        for one in among.damaged:
            if name in one.names:
                raise RunError(one.cause, one.remedy)
        left = "".join(f"; left out as damaged: {one.cause}" for one in among.damaged)
        raise UsageError(
            f"{name}: no run folder, and no row of {where} has this name{left}",
            did_you_mean(name, [*labels, *(row.model.name for row in rows)]),
        )
    return found


def _names(row: Row) -> set[str]:
    model = row.model
    return {model.name, model.name.rsplit("/", 1)[-1], model.revision}


def _common(one: Row, other: Row) -> int:
    return sum(
        one.results[key].settings == other.results[key].settings
        for key in one.results
        if key in other.results
    )
