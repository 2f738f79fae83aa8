"""Judgments of replies, by people or models -> a Result for each model and reference.

Called by `bench import judgments PATH`: JSON lines or CSV, one judgment a row.

    {"prompt": "Say hi", "model": "ppo", "reference": "sft", "winner": "ppo", "judge": "ann-3",
     "first": "sft", "model_reply": "Hi!", "reference_reply": "Hello."}

`prompt` (or `id`), `model`, `reference`, and `winner` (one of the two, "tie", or empty where nobody
decided) or `preference` (1 the model's reply, 0 the reference's) must be there; CONTRIBUTING.md
lists all columns. Texts are measured, not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.document import Document
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.judgment_checks import (
    NAMES,
    NUMBERS,
    TIE,
    UNSTATED,
    asked_of,
    check,
    check_same,
)
from bench.reporting.importers.latest import latest
from bench.reporting.importers.reading import read_lines, read_table
from bench.reporting.importers.rows import Row, digest_of, items_of, text_measures
from bench.reporting.results.schema import (
    CAME_FIRST,
    JUDGED_BY,
    JUDGES,
    LENGTH,
    REFERENCE,
    REFERENCE_LENGTH,
    SCHEMA_VERSION,
    WIN_RATE,
    WINS,
    Link,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.types import Json

REMEDY = "mend the row; columns stand in CONTRIBUTING.md under Judgments"
ENDINGS = (".jsonl", ".csv")
LOST = ("model_reply", "reference_reply", "prompt")
OPEN = "the judge gave no preference"
UNNAMED = "unnamed judge"
Match = tuple[str, str, str, str]  # task, model, its revision, reference
# Where a judge's (third) judgment of two models (last) on a prompt of a task stands.
Seen = dict[tuple[str, str, str, str, frozenset[str]], str]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row of the file with the task that it belongs to."""

    task: str
    row: Document


def read_judgments(path: Path) -> Imported:
    """The Results of the file at `path`, or of every .jsonl and .csv file below it.

    Raises:
        RunError: there is none, `judgment_checks` refuses a row, a winner is neither of the
            two, or one judge judged one pair on one prompt twice.
    """
    inside = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
    files = inside if path.is_dir() else [path]
    if not files or files[0].suffix not in ENDINGS:
        raise RunError(f"{path}: no file that ends in {' or '.join(ENDINGS)}", REMEDY)
    lost: set[str] = set()
    results = latest([result for file in files for result in _read(file, lost)], lost)
    return Imported(results, tuple(sorted(lost)))


def _read(file: Path, lost: set[str]) -> list[Result]:
    found = [_Judged(row.text("task", file.stem), row) for row in _rows(file)]
    if not found:
        raise RunError(f"{file}: holds no judgments", REMEDY)
    groups: dict[Match, list[Document]] = {}
    for one in found:
        row = one.row
        match = (one.task, row.text("model"), row.text("revision", UNSTATED), row.text(REFERENCE))
        groups.setdefault(match, []).append(row)
        lost |= {name for name in LOST if row.content.get(name) is not None}
    judges = sorted({one.row.text("judge", UNNAMED) for one in found})
    seen: Seen = {}
    return [_result(file, match, rows, judges, seen) for match, rows in groups.items()]


def _check_once(task: str, rows: Sequence[Document], seen: Seen) -> None:
    """Refuse a pair that one judge judged twice on a prompt, whichever of the two is the model."""
    for row in rows:
        pair = row.text("model"), row.text(REFERENCE)
        asked = row.text("id", "") or asked_of(row)
        judge, revision = row.text("judge", UNNAMED), row.text("revision", UNSTATED)
        first = seen.setdefault((task, asked, judge, revision, frozenset(pair)), row.where)
        if first != row.where:
            raise RunError(
                f"{row.where}: {judge} has judged {pair[0]} and {pair[1]} on this prompt already, "
                f"at {first}",
                "one judge judges a pair on a prompt once: name the judges, or keep one row",
            )


def _rows(file: Path) -> list[Document]:
    """The rows, numbers as numbers; what is empty in a CSV file is missing."""
    if file.suffix == ".csv":
        rows = [
            Document(
                {key: _value(key, text) for key, text in cells.items() if key and text},
                f"{file}: row {number}",
                REMEDY,
            )
            for number, cells in enumerate(read_table(file, NAMES, REMEDY), start=1)
        ]
    else:
        rows = read_lines(file, REMEDY, as_written=True)
    for row in rows:
        check(row)
    return rows


def _value(key: str, text: str) -> Json:
    if key not in NUMBERS:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _result(
    file: Path, match: Match, rows: Sequence[Document], judges: Sequence[str], seen: Seen
) -> Result:
    task, model, revision, reference = match
    for row in rows[1:]:
        check_same(row, rows[0])
    items = [_item(row, model, reference, judges) for row in rows]
    _check_once(task, rows, seen)
    digests: list[Json] = [item.digest for item in items]
    listed: list[Json] = list(judges)
    head = rows[0]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=ModelEntry(
            name=model,
            revision=revision,
            stage=head.text("stage", ""),
            parameters=head.count("parameters") if "parameters" in head.content else None,
            parents=_parents(head),
        ),
        task=TaskEntry(
            name=task,
            version=1,
            digest=digest_of([digests, reference, listed]),
            prompts_digest=digest_of(digests),
            kind="instruction",
            language=head.text("language", "en"),
            metrics=(WINS,),
            variant=f"against {reference}",
            title=f"{task}: who was preferred",
        ),
        settings={JUDGES: listed, REFERENCE: reference},
        provenance=Provenance(
            tool="judgments",
            scorer=", ".join(judges) if len(judges) < 4 else f"{len(judges)} judges",
            command=f"bench import judgments {file.name}",
            started="",
        ),
        asked=len(items),
        items=items_of(items, (WINS,), str(file), "one judge judges a pair on a prompt once"),
    )


def _item(row: Document, model: str, reference: str, judges: Sequence[str]) -> Row:
    digest = digest_of(asked_of(row))
    judge = judges.index(row.text("judge", UNNAMED))
    win = _win(row, model, reference)
    return Row(
        id=row.text("id", "") or digest,
        digest=digest,
        cluster=digest,
        sample=judge,
        failure="" if win is not None else OPEN,
        scores={} if win is None else {WIN_RATE: win},
        measures={
            JUDGED_BY: float(judge),
            CAME_FIRST: _came_first(row, model, reference),
            **_measured(row),
        },
    )


def _win(row: Document, model: str, reference: str) -> float | None:
    """1 for the model, 0 for the reference, None where the judge said neither."""
    if row.content.get("preference") is not None:
        found = row.number("preference")
        if not 0 <= found <= 1:
            raise row.refuse("preference", "a number from 0 (the reference) to 1 (the model)")
        return found
    winner = row.text("winner", "")
    named = {model: 1.0, reference: 0.0, TIE: 0.5, "": None}
    if winner not in named:
        raise row.refuse("winner", f"{model!r}, {reference!r}, {TIE!r} or null")
    return named[winner]


def _came_first(row: Document, model: str, reference: str) -> float | None:
    first = row.text("first", "")
    if first not in (model, reference, ""):
        raise row.refuse("first", f"{model!r} or {reference!r}")
    return None if not first else float(first == model)


def _measured(row: Document) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    if "model_reply" in row.content:
        found |= text_measures(row.text("model_reply"))
    elif "model_characters" in row.content:
        found[LENGTH] = float(row.count("model_characters"))
    if "reference_reply" in row.content:
        found[REFERENCE_LENGTH] = float(len(row.text("reference_reply")))
    elif "reference_characters" in row.content:
        found[REFERENCE_LENGTH] = float(row.count("reference_characters"))
    return found


def _parents(row: Document) -> tuple[Link, ...]:
    name = row.text("parent", "")
    return (Link("policy", name, row.text("parent_revision", UNSTATED)),) if name else ()
