"""The board audits itself: every file of results is read, every rule of RULES is asked.

Called by `bench board check FOLDER`, which exits 1 where there is an error. A file that cannot be
read is a finding, and all others are still read.

    leaderboard/results/m/1f0c/topic.json: seal: the content gives 'ab12...', the file states ...
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.errors import RunError
from bench.reporting.results.files import SEAL, dumped, load_result, path_of
from bench.reporting.results.rule import Board, Check, Entry, Finding, Rule, Rules, Told, Unread
from bench.reporting.results.rules_aggregates import AGGREGATE_RULES
from bench.reporting.results.rules_board import BOARD_RULES
from bench.reporting.results.rules_folder import FOLDER_RULES
from bench.reporting.results.rules_lineage import LINEAGE_RULES
from bench.reporting.results.rules_numbers import NUMBER_RULES
from bench.reporting.results.rules_record import RECORD_RULES
from bench.reporting.results.schema import SCHEMA_VERSION
from bench.seal import seal_of
from bench.unique_keys import unique_keys

PLACE_PARTS = ("MODEL", "REVISION", "TASK.json")
PLACE = f"results lie at {'/'.join(PLACE_PARTS)}"


def audit(folders: Iterable[Path], extra: Rules | None = None) -> list[Finding]:
    """All findings about the results below `folders`, by file; `extra` rules are asked as well.

    Raises:
        RunError: there is no file of results below a folder.
        ValueError: an extra rule has the name of another.
    """
    board = read_board(folders)
    rules = dict(RULES)
    for name, rule in (extra or {}).items():
        if name in rules:
            raise ValueError(f"two rules are named {name!r}")
        rules[name] = rule
    return _findings(board, rules)


def audit_read(entries: Sequence[Entry]) -> list[Finding]:
    """What the audit finds in files that are read already, by all rules but those for reading."""
    rules = {name: rule for name, rule in RULES.items() if name not in READING_RULES}
    return _findings(Board(tuple(entries)), rules)


def read_board(folders: Iterable[Path]) -> Board:
    """All Results below `folders`, and the files that are none.

    Raises:
        RunError: there is no file of results below a folder.
    """
    entries: list[Entry] = []
    unread: list[Unread] = []
    for folder in folders:
        paths = sorted(path for path in folder.rglob("*.json") if path.is_file())
        if not paths:
            raise RunError(f"{folder}: no results here", f"bench submit RUN -o {folder}")
        for path in paths:
            found = _read(path, folder)
            if isinstance(found, Entry):
                entries.append(found)
            else:
                unread.append(found)
    return Board(tuple(entries), tuple(unread))


def failed(findings: Iterable[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(finding.severity == "error" for finding in findings)


def _findings(board: Board, rules: Rules) -> list[Finding]:
    found = [
        Finding(file, name, rule.severity, told)
        for name, rule in rules.items()
        for file, told in rule.check(board)
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.severity, finding.rule))


def _read(path: Path, folder: Path) -> Entry | Unread:
    place = path.relative_to(folder)
    if len(place.parts) != len(PLACE_PARTS):
        return Unread(str(path), "place", f"is not read there: {PLACE}")
    try:
        return Entry(str(path), place, load_result(path))
    except RunError as error:
        told = error.cause.removeprefix(f"{path}: ")
        return Unread(str(path), _broken_rule(path), told)


def _unread(rule: str) -> Check:
    """The files that could not be read for the reason `rule`."""
    return lambda board: ((file.file, file.told) for file in board.unread if file.rule == rule)


def _place(board: Board) -> Told:
    """A file is called what its content is called."""
    yield from _unread("place")(board)
    for entry in board.entries:
        expected = path_of(entry.result)
        if entry.place != expected:
            yield entry.file, f"by its content it is {expected.as_posix()}"


def _form(board: Board) -> Told:
    """Keys that nobody reads, and numbers written as text, would be lost without a word."""
    for entry in board.entries:
        written = dumped(entry.result).encode("utf-8", "surrogatepass")
        if Path(entry.file).read_bytes() != written:
            yield entry.file, "is not, byte for byte, what bench submit writes of its content"


READING_RULES: Rules = {
    "readable": Rule(_unread("readable"), "a file is a JSON object in UTF-8"),
    "schema-version": Rule(
        _unread("schema-version"), f"a file has schema_version {SCHEMA_VERSION}"
    ),
    "seal": Rule(_unread("seal"), "the digest in a file is that of its content"),
    "schema": Rule(_unread("schema"), "the keys of a file are those of a Result, columns alike"),
    "place": Rule(_place, PLACE),
    "form": Rule(_form, "a file is byte for byte what bench submit writes"),
}
RULES: Rules = {
    **READING_RULES,
    **RECORD_RULES,
    **NUMBER_RULES,
    **AGGREGATE_RULES,
    **BOARD_RULES,
    **LINEAGE_RULES,
    **FOLDER_RULES,
}


def _broken_rule(path: Path) -> str:
    """Which of the rules for reading a file breaks that `load_result` refuses."""
    try:
        content: object = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=unique_keys
        )
    except (OSError, ValueError, RecursionError):
        return "readable"
    if not isinstance(content, dict):
        return "readable"
    if content.get("schema_version") != SCHEMA_VERSION:
        return "schema-version"
    return "seal" if content.get(SEAL) != seal_of(content, SEAL) else "schema"
