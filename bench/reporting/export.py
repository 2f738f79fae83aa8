"""Cells and tables as Markdown, CSV and JSON, in which no text is markup or a formula."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from bench.types import Cell, Json

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


def rows_csv(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A CSV text with the columns `names`, in which no value is a formula."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return sink.getvalue()


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


def _inert(value: object) -> object:
    """Spreadsheets execute text that starts like a formula; a quote makes it text."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(FORMULA) else text
