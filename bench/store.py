"""Files that survive a crash: the request ledger, run folders, atomic writes.

    runs/ledger.sqlite                     every answer ever given, by content of the request
    runs/smollm2-135m-1f0c9a72/run.json    what was done
                              /records.jsonl, records.parquet

The ledger is shared by all runs in a folder: resume, deduplication and re-scoring are one look-up.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError, write_remedy
from bench.seal import seal_of
from bench.types import Record, Reply, Run

SCHEMA_VERSION = 1
LEDGER = "ledger.sqlite"
SEAL = "run_sha256"  # the key in run.json
ASK_AT_ONCE = 500  # keys in one SELECT; SQLite allows 999 variables everywhere


class Ledger:
    """Replies by request key, in SQLite with a write-ahead log: what was put survives a kill.

    Several processes may use one ledger; the first answer to a key stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=60.0, isolation_level=None)
            _use_write_ahead_log(self._base)
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL) "
                "WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise _ledger_error(path, error) from None

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The known answers among `keys`."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Reply] = {}
        try:
            for start in range(0, len(wanted), ASK_AT_ONCE):
                part = wanted[start : start + ASK_AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._base.execute(
                    f"SELECT key, reply FROM replies WHERE key IN ({marks})", part
                )
                found.update((key, _REPLY.validate_json(reply)) for key, reply in rows)
        except (sqlite3.Error, ValidationError) as error:
            raise _ledger_error(self.path, error) from None
        return found

    def put(self, replies: Mapping[str, Reply]) -> None:
        """Keep all of `replies` (by key), or after a kill or an error none of them.

        Raises:
            RunError: the disk is full or the file cannot be written; earlier answers stay.
        """
        rows = [(key, to_json(asdict(reply))) for key, reply in replies.items()]
        try:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?)", rows)
                self._base.execute("COMMIT")
            except BaseException:
                self._base.rollback()
                raise
        except sqlite3.Error as error:
            raise _ledger_error(self.path, error) from None

    def __len__(self) -> int:
        (count,) = self._base.execute("SELECT count(*) FROM replies").fetchone()
        return int(count)

    def close(self) -> None:
        """Fold the write-ahead log into the file."""
        self._base.close()


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds either the old or the new whole.

    Raises:
        RunError: the disk is full or the folder cannot be written; the old file stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(scratch, 0o644)
            os.replace(scratch, path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written: {error.strerror or error}; what was there is unchanged",
            write_remedy(error),
        ) from None


def save_run(folder: Path, run: Run, records: Sequence[Record]) -> Run:
    """Write records, then `run.json` with their digest and its own: a folder with a run.json is
    complete.

    Raises:
        RunError: a file cannot be written.
    """
    lines = "".join(to_json(asdict(record)) + "\n" for record in records).encode()
    sealed = replace(run, records_sha256=hashlib.sha256(lines).hexdigest())
    write_atomic(folder / "records.jsonl", lines)
    write_atomic(folder / "records.parquet", _parquet(records))
    content = asdict(sealed)
    content[SEAL] = seal_of(content, SEAL)
    write_atomic(folder / "run.json", (json.dumps(content, indent=2) + "\n").encode())
    return sealed


def load_run(folder: Path) -> tuple[Run, list[Record]]:
    """The run in `folder` and its records.

    Raises:
        RunError: files are missing or damaged; the message names file and line or key.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise RunError(
            f"{folder}: holds no run.json", "give a run folder, as `bench eval` printed it"
        )
    try:
        run = _RUN.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(f"{path}: {_first_problem(error)}", "run the evaluation again") from None
    if run.schema_version != SCHEMA_VERSION:
        raise RunError(
            f"{path}: schema_version: found {run.schema_version}, this bench reads "
            f"{SCHEMA_VERSION}",
            "run the evaluation again",
        )
    records = list(_read_records(folder / "records.jsonl"))
    stated = sum(entry.rows for entry in run.tasks)
    if len(records) != stated:
        raise RunError(
            f"{folder / 'records.jsonl'}: holds {len(records)} records, run.json counts {stated}",
            "run the evaluation again",
        )
    with (folder / "records.jsonl").open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != run.records_sha256:
        raise RunError(
            f"{folder / 'records.jsonl'}: is not the file that run.json was written with",
            "run the evaluation again: replies in the ledger are not asked twice",
        )
    return run, records


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Run folders among `paths` and one level below, sorted within each.

    Raises:
        RunError: a path holds no run.
    """
    found: list[Path] = []
    for path in paths:
        inner = sorted(file.parent for file in path.glob("*/run.json"))
        here = [path] if (path / "run.json").is_file() else inner
        if not here:
            raise RunError(
                f"{path}: no run here (no run.json)", f"bench eval MODEL -t core -o {path}"
            )
        found += here
    return list(dict.fromkeys(found))


def to_json(value: object) -> str:
    """Compact JSON, text as it is, keys in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_REPLY = TypeAdapter(Reply)
_RECORD = TypeAdapter(Record)
_RUN = TypeAdapter(Run)


def _read_records(path: Path) -> Iterator[Record]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield _RECORD.validate_json(line)
                except ValidationError as error:
                    raise RunError(
                        f"{path}:{number}: {_first_problem(error)}", "run the evaluation again"
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read: {error}", "run the evaluation again") from None


def _parquet(records: Sequence[Record]) -> bytes:
    """One flat row a record; each score is a column `score.NAME`, null for tasks without it."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    rows = [_flat(record) for record in records]
    columns = dict.fromkeys(name for row in rows for name in row)
    table = arrow.table({name: [row.get(name) for row in rows] for name in columns})
    sink = arrow.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _flat(record: Record) -> dict[str, Any]:
    row = asdict(record)
    reply = row.pop("reply")
    scores = row.pop("scores")
    row |= {f"reply.{key}": value for key, value in reply.items()}
    return row | {f"score.{name}": value for name, value in scores.items()}


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
    return str(error)


def _use_write_ahead_log(base: sqlite3.Connection) -> None:
    """Processes that create one ledger at once collide here, where SQLite does not wait."""
    for wait in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
        try:
            base.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(wait)
    base.execute("PRAGMA journal_mode=WAL")


def _ledger_error(path: Path, error: Exception) -> RunError:
    damaged = isinstance(error, ValidationError) or (
        isinstance(error, sqlite3.Error)
        and getattr(error, "sqlite_errorcode", None)
        in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    )
    if damaged:
        return RunError(
            f"{path}: damaged: {_first_problem(error)}",
            f"move {path} away (its answers will be asked again), then run the same command again",
        )
    if isinstance(error, OSError):
        return RunError(f"{path}: {error.strerror or error}", write_remedy(error))
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN:
        return RunError(f"{path}: {error}", "choose another folder with -o")
    return RunError(
        f"{path}: {error}; answers already kept stay there",
        "free some space, or choose another folder with -o; then run the same command again",
    )
