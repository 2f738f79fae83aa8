"""The rows that `bench compare A B` names: run folders, or checkpoints by the names they ran under.

find_rows("sft", "ppo", [Path("runs")])
"""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UsageError, did_you_mean
from bench.reporting.comparison.board import labels_of
from bench.reporting.comparison.lineage import Row, rows_of
from bench.reporting.results.sources import read_sources


def find_rows(child: str, parent: str, sources: Sequence[Path]) -> tuple[Row, Row]:
    """The rows of `child` and `parent`, each a run folder or a name among the runs in `sources`.

    A name is the label on the board, the model's name, its last part, or its revision. Of several
    rows of the parent the one that compares best with the child is taken: most tasks in common.

    Raises:
        UsageError: nothing, or several runs of the child, have the name.
        RunError: a folder holds neither runs nor results.
    """
    ours = _found(child, sources)
    if len(ours) > 1:
        raise UsageError(
            f"{child}: {len(ours)} rows have this name: "
            f"{', '.join(sorted(label for label, _ in ours))}",
            "name one of them as it is written here, or give its run folder",
        )
    row = ours[0][1]
    theirs = _found(parent, sources)
    return row, max((other for _, other in theirs), key=lambda other: _common(row, other))


def _found(name: str, sources: Sequence[Path]) -> list[tuple[str, Row]]:
    if (Path(name) / "run.json").is_file():
        rows = rows_of(read_sources([Path(name)]).results)
        return list(zip(labels_of(rows), rows, strict=True))
    rows = rows_of(read_sources(sources).results)
    labels = labels_of(rows)
    known = list(zip(labels, rows, strict=True))
    exact = [(label, row) for label, row in known if label == name]
    found = exact or [(label, row) for label, row in known if name in _names(row)]
    if not found:
        raise UsageError(
            f"{name}: no run folder, and no row of {', '.join(map(str, sources))} has this name",
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
