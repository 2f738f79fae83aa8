"""Rows: what an importer knows of one item under one model, and how rows become columns.

Row("q7", "9f86d081884c7d65", "q7", scores={"acc": 1.0}, measures={"characters": 31.0})
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.errors import RunError
from bench.reporting.results.schema import MEASURES, Column, Items, Metric
from bench.scoring.refusal import declines
from bench.types import Json

ROUNDING = 1e-9  # what floating point may add to a bound


@dataclass(frozen=True, slots=True)
class Row:
    """One item: who it is, how it was scored, and `failure`, the reason why it was not."""

    id: str
    digest: str
    cluster: str
    sample: int = 0
    failure: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, float | None] = field(default_factory=dict)


def items_of(rows: Sequence[Row], metrics: Sequence[Metric], where: str, remedy: str) -> Items:
    """`rows` [n] as columns; a row that lacks a score of one of `metrics` has failed.

    Raises:
        RunError: there are no rows, an item is there twice, or a score leaves its bounds.
    """
    _check(rows, metrics, where, remedy)
    failures = [row.failure or _missing(row, metrics) for row in rows]
    known = {name for row in rows for name, value in row.measures.items() if value is not None}
    return Items(
        ids=tuple(row.id for row in rows),
        digests=tuple(row.digest for row in rows),
        clusters=tuple(row.cluster for row in rows),
        samples=tuple(row.sample for row in rows),
        failures=tuple(failures),
        scores={metric.name: _scores(rows, failures, metric) for metric in metrics},
        measures={
            name: tuple(row.measures.get(name) for row in rows)
            for name in MEASURES
            if name in known
        },
    )


def text_measures(text: str) -> dict[str, float | None]:
    """What can be measured of any generated reply: its length, and whether it declines."""
    return {"characters": float(len(text)), "refused": float(declines(text))}


def digest_of(value: Json) -> str:
    """16 hexadecimal digits of the sha256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def named_once(names: Sequence[str]) -> list[str]:
    """`names`, numbered from their second appearance on: a data set may hold an item twice."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found


def _check(rows: Sequence[Row], metrics: Sequence[Metric], where: str, remedy: str) -> None:
    if not rows:
        raise RunError(f"{where}: holds no items", remedy)
    seen: set[tuple[str, int]] = set()
    for row in rows:
        if (row.id, row.sample) in seen:
            raise RunError(f"{where}: item {row.id!r} (sample {row.sample}) is there twice", remedy)
        seen.add((row.id, row.sample))
        for metric in metrics:
            score = row.scores.get(metric.name)
            if score is not None and not (metric.low - ROUNDING <= score <= metric.high + ROUNDING):
                raise RunError(
                    f"{where}: item {row.id!r}: {metric.name}: found {score}, expected "
                    f"{metric.low} to {metric.high}",
                    remedy,
                )


def _missing(row: Row, metrics: Sequence[Metric]) -> str:
    lacking = [metric.name for metric in metrics if metric.name not in row.scores]
    return f"no score of {', '.join(lacking)}" if lacking else ""


def _scores(rows: Sequence[Row], failures: Sequence[str], metric: Metric) -> Column:
    """The column of `metric`, without what rounding added to its bounds."""
    return tuple(
        None if failure else min(metric.high, max(metric.low, row.scores[metric.name]))
        for row, failure in zip(rows, failures, strict=True)
    )
