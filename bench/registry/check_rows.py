"""Rules of `bench check` about rows: ids, empty fields, balance of labels, overlap of splits."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator

from bench.registry.data import ROLES
from bench.registry.finding import Finding, Level, Loaded, Rule
from bench.registry.overlap import Gram, folded, grams_of_row

FEW = 20  # rows below which shares say nothing
LONGEST_ID = 200  # characters: an id stands in file names, addresses and tables


def _ids(loaded: Loaded) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    by_number = not loaded.task.spec.id
    for role in ROLES:
        if by_number:
            seen.clear()
        for row, example in zip(loaded.rows[role], loaded.examples[role], strict=True):
            if example.id in seen:
                yield Finding("ids", row.where, f"id {example.id!r} is also at {seen[example.id]}")
            elif odd := _odd(example.id):
                yield Finding("ids", row.where, f"id {example.id[:40]!r} {odd}")
            seen[example.id] = row.where


def _odd(name: str) -> str:
    """What is wrong with an id that stands in addresses and tables; "" where nothing is."""
    if not name.strip():
        return "is blank"
    if name != name.strip():
        return "begins or ends with a blank"
    if len(name) > LONGEST_ID:
        return f"has {len(name)} characters, expected {LONGEST_ID} at most"
    if any(unicodedata.category(sign).startswith("C") for sign in name):
        return "holds a sign that cannot be seen, such as a line break"
    return ""


def _empty(loaded: Loaded) -> Iterator[Finding]:
    for row, example in loaded.pairs():
        if not example.target.strip():
            yield Finding("empty", row.where, "the target is blank")
        if loaded.task.spec.data.files:
            for key, value in row.values.items():
                if value is None or value == "" or value == []:
                    yield Finding("empty", row.where, f"column {key!r} is empty")
                elif isinstance(value, float) and not math.isfinite(value):
                    yield Finding("empty", row.where, f"column {key!r} is {value}, no number")


def _balance(loaded: Loaded) -> Iterator[Finding]:
    """No label, or position of the right choice, outweighs the others."""
    for role in ("train", "test"):
        right = [example.right[0] for example in loaded.examples[role] if example.right]
        if len(right) < FEW:
            continue
        options = max(len(example.choices) for example in loaded.examples[role])
        place, count = Counter(right).most_common(1)[0]
        share = count / len(right)
        literal = isinstance(loaded.task.spec.choices, tuple)
        what = repr(loaded.task.spec.choices[place]) if literal else f"position {place + 1}"
        message = f"{what} is right in {count} of {len(right)} {role} rows ({options} choices)"
        split = getattr(loaded.task.spec.splits, role)
        where = f"{loaded.file}: splits.{role}: {split}"
        if share > (1 + 1 / options) / 2:
            yield Finding("balance", where, message)
        elif share > 1.35 / options:
            yield Finding("balance", where, message, "warning")


def _overlap(loaded: Loaded) -> Iterator[Finding]:
    """No test row is also a train or shots row, or shares 13 words in a row with one.

    Rows of the Hub are as they are: there an overlap is a warning.
    """
    level: Level = "warning" if loaded.task.spec.data.hub else "error"
    known: dict[str, str] = {}
    grams: dict[Gram, str] = {}
    for role in ("train", "shots"):
        for row, example in zip(loaded.rows[role], loaded.examples[role], strict=True):
            known[folded(example.question)] = row.where
            for gram in grams_of_row(row):
                grams[gram] = row.where
    shared = _boilerplate(loaded)
    for row, example in zip(loaded.rows["test"], loaded.examples["test"], strict=True):
        if folded(example.question) in known:
            twin = known[folded(example.question)]
            yield Finding("overlap", row.where, f"the same question is at {twin}", level)
            continue
        leaked = next(
            (gram for gram in grams_of_row(row) if gram in grams and gram not in shared), None
        )
        if leaked is not None:
            text = " ".join(leaked)
            message = f"13 words as at {grams[leaked]}: {text!r}"
            yield Finding("overlap", row.where, message, level)


def _boilerplate(loaded: Loaded) -> set[Gram]:
    """Word runs that more than a tenth of the train rows hold: phrasing of the data, not a leak."""
    counts = Counter(gram for row in loaded.rows["train"] for gram in set(grams_of_row(row)))
    bound = max(5, len(loaded.rows["train"]) // 10)
    return {gram for gram, count in counts.items() if count > bound}


ROW_RULES: dict[str, Rule] = {
    "ids": _ids,
    "empty": _empty,
    "balance": _balance,
    "overlap": _overlap,
}
