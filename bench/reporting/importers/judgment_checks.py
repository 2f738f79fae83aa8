"""What a row of judgments may not say: each is refused with file, row, key, found and expected.

Called by `bench.reporting.importers.judgments`, before anything is made of the row.

>>> check(Document({"prompt": "Hi", "model": "tie", "reference": "sft"}, "a.jsonl: line 1", "mend"))
Traceback (most recent call last):
    ...
bench.errors.RunError: a.jsonl: line 1: model: found "tie", expected a name; tie says nobody won
  try: mend
"""

from bench.errors import RunError, did_you_mean
from bench.reporting.comparison.lineage import STAGES
from bench.reporting.importers.document import Document
from bench.reporting.importers.unread import unread

NAMES = ("model", "reference")
NUMBERS = ("preference", "parameters", "model_characters", "reference_characters")
KNOWN = frozenset(
    {
        *("prompt", "id", *NAMES, "winner", "judge", "first", "task", "language", *NUMBERS),
        *("model_reply", "reference_reply", "revision", "stage", "parent", "parent_revision"),
    }
)
ABOUT_MODEL = ("stage", "parameters", "parent", "parent_revision", "language")
TIE = "tie"
UNSTATED = "unstated"  # a revision that nobody named


def check(row: Document) -> None:
    """Refuse what no judgment can mean, and what would be read as something else.

    Raises:
        RunError: the row, a key, the value found and what was expected.
    """
    _check_columns(row)
    _check_names(row)
    _check_lineage(row)
    if not asked_of(row).strip():
        raise row.refuse("id" if row.content.get("id") else "prompt", "a text, or an id")
    if "winner" in row.content and "preference" in row.content:
        raise row.refuse("preference", "nothing beside a winner")
    if "winner" not in row.content and "preference" not in row.content and not _is_csv(row):
        raise row.refuse("winner", f"the model's name, the reference's, {TIE!r} or null")


def check_same(row: Document, first: Document) -> None:
    """Refuse a row that says something else of its model than the `first` row of it.

    Raises:
        RunError: the row, a key, the value found and the value of the first.
    """
    for key in ABOUT_MODEL:
        stated = first.content.get(key)
        if row.content.get(key) != stated:
            told = "nothing" if stated is None else repr(stated)
            raise row.refuse(key, f"{told}, as {first.where} says of {first.text('model')}")


def asked_of(row: Document) -> str:
    """What was replied to: the prompt, or the name of it."""
    return row.text("prompt", "") or row.text("id", "")


def _check_columns(row: Document) -> None:
    for key in sorted(unread(dict(row.content), KNOWN)):
        raise RunError(f"{row.where}: no column is named {key!r}", did_you_mean(key, KNOWN))
    for key in NUMBERS:
        # Other tools' files mean 1 and 0 by them; here `true` may as well be meant as a winner.
        if isinstance(row.content.get(key), bool):
            raise row.refuse(key, "a number")


def _check_names(row: Document) -> None:
    for key in NAMES:
        name = row.text(key).strip()
        if not name:
            raise row.refuse(key, "a name")
        if name == TIE:
            raise row.refuse(key, f"a name; {TIE} says nobody won")
    if row.text("model") == row.text("reference"):
        raise row.refuse("reference", "another name than the model's")


def _check_lineage(row: Document) -> None:
    if row.text("stage", "") not in ("", *STAGES):
        raise row.refuse("stage", f"one of {', '.join(STAGES)}")
    if "parameters" in row.content:
        row.count("parameters")  # of a model's later rows, nothing reads it again
    if row.text("parent", "") != row.text("model"):
        return
    theirs = row.text("parent_revision", UNSTATED)
    if theirs in (UNSTATED, row.text("revision", UNSTATED)):
        key = "parent" if theirs == UNSTATED else "parent_revision"
        raise row.refuse(key, "another model, or another revision of it: nothing trains itself")


def _is_csv(row: Document) -> bool:
    """In a CSV file an empty winner is one that nobody decided."""
    return ".csv: row " in row.where
