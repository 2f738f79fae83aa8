"""The items that two Results share, joined into arrays.

Items are joined by id, sample and digest: an item whose text or answer changed is another item.
`bench.reporting.comparison.contrast` calls it.

    Paired(child=array([1., 0.]), parent=array([0., 0.]), clusters=("a", "b"), ...)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.reporting.results.schema import Column, Items, Result

Floats = NDArray[np.float64]
Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Paired:
    """Scores [n] of both on the items that both were scored on, with the clusters [n].

    `child_rows` and `parent_rows` are the items' positions in the two Results; `missing` counts
    items that were asked of either and not scored in both, `changed` those with one id and another
    digest (they are missing too).
    """

    child: Floats
    parent: Floats
    clusters: tuple[str, ...]
    child_rows: tuple[int, ...]
    parent_rows: tuple[int, ...]
    missing: int
    changed: tuple[str, ...]


def pair(child: Result, parent: Result, metric: str) -> Paired:
    """Join `child` and `parent` on the items that both have a score of `metric` for."""
    ours = _scored(child.items, child.items.scores.get(metric))
    theirs = _scored(parent.items, parent.items.scores.get(metric))
    shared = [key for key in ours if key in theirs]
    rows, others = [ours[key] for key in shared], [theirs[key] for key in shared]
    return Paired(
        child=_column(child.items.scores, metric, rows),
        parent=_column(parent.items.scores, metric, others),
        clusters=tuple(child.items.clusters[row] for row in rows),
        child_rows=tuple(rows),
        parent_rows=tuple(others),
        missing=len({*_keys(child.items), *_keys(parent.items)}) - len(shared),
        changed=_changed(child.items, parent.items),
    )


def shared_matrix(results: Sequence[Result]) -> tuple[Floats, list[str], int]:
    """Headline scores [M, n] of M Results on the items that all were scored on, higher better, the
    items' clusters [n], and how many items only some were scored on."""
    metric = results[0].task.metrics[0]
    columns = [one.items.scores.get(metric.name) for one in results]
    rows = [_scored(one.items, column) for one, column in zip(results, columns, strict=True)]
    shared = [key for key in rows[0] if all(key in known for known in rows[1:])]
    sign = -1.0 if metric.lower_is_better else 1.0
    scores = [
        sign * _column(one.items.scores, metric.name, [known[key] for key in shared])
        for one, known in zip(results, rows, strict=True)
    ]
    clusters = [results[0].items.clusters[rows[0][key]] for key in shared]
    return np.array(scores), clusters, len({key for known in rows for key in known}) - len(shared)


def _keys(items: Items) -> list[Key]:
    return list(zip(items.ids, items.samples, items.digests, strict=True))


def _scored(items: Items, column: Column | None) -> dict[Key, int]:
    keys = _keys(items)
    return {
        key: row
        for row, (key, score) in enumerate(zip(keys, column or (), strict=column is not None))
        if score is not None
    }


def _column(columns: Mapping[str, Column], name: str, rows: list[int]) -> Floats:
    column = columns.get(name, ())
    return np.array([column[row] for row in rows], dtype=np.float64)


def _changed(child: Items, parent: Items) -> tuple[str, ...]:
    """Ids that stand for one item in the child and for another in the parent."""
    theirs = dict(zip(parent.ids, parent.digests, strict=True))
    return tuple(
        dict.fromkeys(
            name
            for name, digest in zip(child.ids, child.digests, strict=True)
            if theirs.get(name, digest) != digest
        )
    )
