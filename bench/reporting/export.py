"""Cells and Changes as Markdown, CSV and JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields

from bench.reporting.changes import Change, verdict
from bench.types import Cell, Contrast, Json

DASH = "–"
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
HIDES = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
MARKUP = re.compile(r"[\\`*\[\]<>|&~]")


def cells_json(groups: Iterable[tuple[str, str, Sequence[Cell]]]) -> dict[str, Json]:
    """The document of `bench eval --json`: (model, run, cells) of each run."""
    return {
        "runs": [
            {"model": model, "run": run, "cells": [cell_json(cell) for cell in cells]}
            for model, run, cells in groups
        ]
    }


def cell_json(cell: Cell) -> dict[str, Json]:
    """What JSON says of a Cell."""
    return {
        "task": cell.task,
        "metric": cell.metric,
        "estimate": cell.estimate,
        "lo": cell.lo,
        "hi": cell.hi,
        "n": cell.n,
        "failed": cell.failed,
    }


def changes_json(changes: Iterable[Change]) -> list[Json]:
    """What `contrasts` holds in the document of `bench board --json`."""
    return [
        {
            "child": change.child,
            "parent": change.parent,
            "child_run": change.mean.child,
            "parent_run": change.mean.parent,
            "mean": _contrast(change.mean),
            "tasks": [_contrast(contrast) for contrast in change.contrasts],
        }
        for change in changes
    ]


def cells_csv(cells: Iterable[Cell]) -> str:
    """All fields of all Cells, one line each; missing values are empty."""
    names = [field.name for field in fields(Cell)]
    return rows_csv(names, [{**asdict(cell), "warnings": _joined(cell)} for cell in cells])


def changes_csv(changes: Iterable[Change]) -> str:
    """All fields of all Contrasts and the verdict; each child's mean stands before its tasks."""
    rows = [
        {**asdict(contrast), "warnings": _joined(contrast), "verdict": verdict(contrast)}
        for change in changes
        for contrast in (change.mean, *change.contrasts)
    ]
    return rows_csv([*(field.name for field in fields(Contrast)), "verdict"], rows)


def rows_csv(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A CSV text with the columns `names`, in which no value is a formula."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return sink.getvalue()


def cells_markdown(models: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell | None]]]) -> str:
    """A table with a row for each task (or kind) and a column for each model."""
    return table_markdown(models, [(name, [show(cell) for cell in cells]) for name, cells in rows])


def table_markdown(headings: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table of named rows of plain text; `headings` leaves out the column of names."""
    lines = [
        "| | " + " | ".join(markdown_text(heading) for heading in headings) + " |",
        "|---|" + "---|" * len(headings),
    ]
    for name, values in rows:
        lines.append(f"| {markdown_text(name)} | " + " | ".join(values) + " |")
    return "\n".join(lines) + "\n"


def show(cell: Cell | None) -> str:
    """`0.490 [0.394, 0.587] n=100`, with failures when there are any; a dash for no score."""
    if cell is None:
        return "not run"
    failures = f", {cell.failed} failed" if cell.failed else ""
    if cell.estimate is None:
        return f"{DASH}{failures}"
    bounds = "" if cell.lo is None or cell.hi is None else f" [{cell.lo:.3f}, {cell.hi:.3f}]"
    return f"{cell.estimate:.3f}{bounds} n={cell.n}{failures}"


def show_contrast(contrast: Contrast | None) -> str:
    """`+0.120 [0.030, 0.210] n=100, better (P 0.996)`."""
    if contrast is None:
        return "not run"
    if contrast.estimate is None:
        return verdict(contrast)
    lo, hi, p = contrast.lo, contrast.hi, contrast.p_better
    bounds = "" if lo is None or hi is None else f" [{lo:.3f}, {hi:.3f}]"
    odds = "" if p is None else f" (P {probability(p)})"
    return f"{contrast.estimate:+.3f}{bounds} n={contrast.n}, {verdict(contrast)}{odds}"


def probability(p: float) -> str:
    """A probability to three digits; never 0 or 1, of which nobody is that sure."""
    return "<0.001" if p < 0.0005 else ">0.999" if p >= 0.9995 else f"{p:.3f}"


def printable(text: str) -> str:
    """`text` on one line, with a replacement sign for what could hide or reorder its neighbours.

    Those are control characters, lone surrogates and marks of writing direction.
    """
    return HIDES.sub("\ufffd", " ".join(text.split()))


def markdown_text(text: str) -> str:
    """`text` on one line, in which nothing is markup."""
    return MARKUP.sub(r"\\\g<0>", printable(text))


def dumps(document: Json) -> str:
    """Indented JSON with a final newline."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _contrast(contrast: Contrast) -> dict[str, Json]:
    names = ("task", "kind", "metric", "estimate", "se", "lo", "hi", "level", "method", "p_better")
    counts = ("n", "n_clusters", "missing")
    whole = asdict(contrast)
    return {
        **{name: whole[name] for name in names + counts},
        "verdict": verdict(contrast),
        "warnings": list(contrast.warnings),
    }


def _joined(row: Cell | Contrast) -> str:
    return "; ".join(row.warnings)


def _inert(value: object) -> object:
    """Spreadsheets execute text that starts like a formula; a quote makes it text."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(FORMULA) else text
