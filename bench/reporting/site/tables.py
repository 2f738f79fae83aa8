"""A table and its five writers: CSV, JSON, Parquet, LaTeX (booktabs) and Markdown.

Called by `bench.reporting.site.downloads`. CSV, JSON and Parquet hold every digit; LaTeX and
Markdown are for papers and read well.

>>> print(markdown(Table("scores", ("model", "n"), (("sft", 120), ("ppo", None)))).decode())
| model | n |
|:---|---:|
| sft | 120 |
| ppo |  |
<BLANKLINE>
"""

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from csv import writer
from dataclasses import dataclass
from functools import lru_cache
from json import JSONEncoder

from bench.reporting.export import FORMULA, markdown_text, printable

Value = str | int | float | bool | None
ENCODER = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
TEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under names of columns; None is missing. `name` is that of its files."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]


def files_of(table: Table, endings: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The files of a table: names below a folder, and their contents."""
    for ending in endings:
        yield f"{table.name}.{ending}", WRITERS[ending](table)


def csv(table: Table) -> bytes:
    """Comma-separated, a header, missing values empty; no value is a formula."""
    sink = io.StringIO()
    write = writer(sink, lineterminator="\n")
    write.writerow(map(_inert, table.columns))
    write.writerows(map(_inert, row) for row in table.rows)
    return sink.getvalue().encode()


def json(table: Table) -> bytes:
    """{"name": ..., "columns": [...], "rows": [[...], ...]}, one row a line."""
    lines = ",\n".join(_row(row) for row in table.rows)
    name, columns = ENCODER.encode(table.name), ENCODER.encode(table.columns)
    head = f'{{"name":{name},"columns":{columns},"rows":['
    return f"{head}\n{lines}\n]}}\n".encode("utf-8", "replace")


def parquet(table: Table) -> bytes:
    """Apache Parquet, columns typed by their values."""
    import pyarrow as arrow
    import pyarrow.parquet as files

    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    arrays = [arrow.array(_whole(column)) for column in columns]
    sink = arrow.BufferOutputStream()
    files.write_table(arrow.table(arrays, names=_whole(table.columns)), sink)
    return bytes(sink.getvalue())


def tex(table: Table) -> bytes:
    """A booktabs `tabular`, numbers to the right, to four significant digits."""
    lines = [
        f"\\begin{{tabular}}{{{''.join('r' if right else 'l' for right in _numeric(table))}}}",
        "\\toprule",
        " & ".join(map(_tex, table.columns)) + r" \\",
        "\\midrule",
        *(" & ".join(_tex(_read(value)) for value in row) + r" \\" for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


def markdown(table: Table) -> bytes:
    """A pipe table, numbers to the right, to four significant digits."""
    lines = [
        _piped(table.columns),
        "|" + "".join("---:|" if right else ":---|" for right in _numeric(table)),
        *(_piped([_read(value) for value in row]) for row in table.rows),
    ]
    return ("\n".join(lines) + "\n").encode()


WRITERS: Mapping[str, Callable[[Table], bytes]] = {
    "csv": csv,
    "json": json,
    "parquet": parquet,
    "tex": tex,
    "md": markdown,
}
FORMATS = tuple(WRITERS)
# A table of items is for programs: nobody prints thousands of rows.
FOR_PROGRAMS = ("csv", "json", "parquet")


def _inert(value: Value) -> Value:
    """Spreadsheets execute text that starts like a formula; a quote makes it text."""
    return _inert_text(value) if isinstance(value, str) else value


@lru_cache(maxsize=1 << 16)
def _inert_text(text: str) -> str:
    told = printable(text)
    return f"'{told}" if told.startswith(FORMULA) else told


def _piped(values: Sequence[str]) -> str:
    return "| " + " | ".join(markdown_text(value) for value in values) + " |"


def _tex(text: str) -> str:
    return "".join(TEX.get(sign, sign) for sign in printable(text))


def _read(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _numeric(table: Table) -> list[bool]:
    """Which columns hold numbers and nothing else."""
    return [
        any(row[place] is not None for row in table.rows)
        and all(isinstance(row[place], int | float | None) for row in table.rows)
        for place in range(len(table.columns))
    ]


def _row(row: tuple[Value, ...]) -> str:
    try:
        return ENCODER.encode(row)
    except ValueError:  # JSON knows neither infinity nor NaN
        return ENCODER.encode([_finite(value) for value in row])


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _whole(column: Sequence[Value]) -> list[Value]:
    """Half of a surrogate pair is no text."""
    try:
        "".join(value for value in column if isinstance(value, str)).encode()
        return list(column)
    except UnicodeEncodeError:
        return [
            value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for value in column
        ]
