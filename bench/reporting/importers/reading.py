"""Files of other tools, read as Documents and tables; whatever is wrong with a file names it.

Called by the importers.

    read_lines(Path("samples_arc_easy_2026-01-21.jsonl"), "run lm_eval again with --log_samples")
"""

import csv
import json
import math
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Never

from bench.errors import RunError
from bench.reporting.importers.document import Document
from bench.types import Json
from bench.unique_keys import unique_keys

OTHER_SIGNS = (";", "\t", "|")  # that spreadsheets put between columns
MOST_DIGITS = 300  # of a whole number that fits a float


def read_object(path: Path, remedy: str) -> Document:
    """The JSON object in the file at `path`.

    Raises:
        RunError: the file is missing, is no JSON, or holds no object.
    """
    return as_object(_parsed(read_text(path, remedy), str(path), remedy), str(path), remedy)


def read_array(path: Path, remedy: str) -> list[Document]:
    """The objects of the JSON array in the file at `path`.

    Raises:
        RunError: the file is missing, is no JSON, or holds no array of objects.
    """
    found = _parsed(read_text(path, remedy), str(path), remedy)
    if not isinstance(found, list):
        _wrong_root(str(path), found, "an array", remedy)
    return [
        as_object(value, f"{path}: element {place}", remedy) for place, value in enumerate(found)
    ]


def read_lines(path: Path, remedy: str, as_written: bool = False) -> list[Document]:
    """The JSON objects in the lines of the file at `path`; empty lines are none.

    NaN, Infinity and numbers beyond all floats are null, as in `parse_json`, unless `as_written`:
    where null has a meaning of its own, they must not be taken for it.

    Raises:
        RunError: the file is missing, or a line is no JSON object.
    """
    found = []
    # Not splitlines(): JSON may hold U+2028 and its kind unescaped, which part no lines.
    for number, line in enumerate(read_text(path, remedy).split("\n"), start=1):
        if line.strip():
            where = f"{path}: line {number}"
            value = _parsed(line, where, remedy, as_written)
            found.append(as_object(value, where, remedy))
    return found


def read_table(path: Path, columns: Sequence[str], remedy: str) -> list[dict[str, str]]:
    """The rows of the CSV file at `path`, which must have `columns`.

    Raises:
        RunError: the file is missing or empty, a column is missing or there twice, or a row has
            not as many cells as the header.
    """
    csv.field_size_limit(sys.maxsize)  # a prompt may be longer than 128 KiB
    lines = read_text(path, remedy).splitlines(keepends=True)
    reader = csv.DictReader(lines, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise RunError(f"{path}: line {reader.line_num}: is no CSV: {error}", remedy) from None
    header = list(reader.fieldnames or ())
    missing = [name for name in columns if name not in header]
    if missing or not rows:
        told = f"has no column {missing[0]!r}" if missing else "holds no rows"
        found = ", ".join(header) or "nothing"
        if missing and (close := get_close_matches(missing[0], header, 1)):
            remedy = f"rename {close[0]!r}; {remedy}"
        if len(header) == 1 and any(sign in found for sign in OTHER_SIGNS):
            remedy = f"save it with commas between the columns; {remedy}"
        raise RunError(f"{path}: {told}; found {found}", remedy)
    twice = [name for place, name in enumerate(header) if name in header[:place]]
    if twice:
        raise RunError(f"{path}: two columns are named {twice[0]!r}", remedy)
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            told = "longer" if None in row else "shorter"
            raise RunError(f"{path}: row {number}: is {told} than the header", remedy)
    return rows


def read_text(path: Path, remedy: str) -> str:
    """The text of the file at `path`, without the mark that spreadsheets put before it.

    Raises:
        RunError: the file is missing, cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise RunError(f"{path}: not there", remedy) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}", remedy) from None


def parse_object(text: bytes, where: str, remedy: str) -> Document:
    """The JSON object that `text` is; `where` names it in errors.

    Raises:
        RunError: it is no JSON object.
    """
    try:
        decoded = text.decode("utf-8")
    except ValueError as error:
        raise RunError(f"{where}: is not UTF-8: {error}", remedy) from None
    return as_object(_parsed(decoded, where, remedy), where, remedy)


def as_object(value: Json, where: str, remedy: str) -> Document:
    """`value` as a Document.

    Raises:
        RunError: it is no object.
    """
    if not isinstance(value, dict):
        _wrong_root(where, value, "an object", remedy)
    return Document(value, where, remedy)


def parse_json(text: str | bytes) -> Json:
    """The JSON in `text`; NaN and Infinity, which some tools write, and numbers beyond them are
    null: there is no value.

    Raises:
        ValueError, RecursionError: it is none.
    """
    found: Json = json.loads(
        text,
        parse_constant=lambda name: None,
        parse_float=_float,
        parse_int=lambda digits: int(digits) if len(digits) <= MOST_DIGITS else None,
    )
    return found


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _as_written(text: str) -> Json:
    """The JSON in `text` that a person wrote: nothing in it may pass unseen."""
    found: Json = json.loads(text, parse_int=_whole, object_pairs_hook=unique_keys)
    return found


def _parsed(text: str, where: str, remedy: str, as_written: bool = False) -> Json:
    """The JSON in `text`."""
    try:
        found: Json = _as_written(text) if as_written else parse_json(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where}: is no JSON: {error}", remedy) from None
    return found


def _wrong_root(where: str, value: Json, expected: str, remedy: str) -> Never:
    raise RunError(f"{where}: found {type(value).__name__}, expected {expected}", remedy)
