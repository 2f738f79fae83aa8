"""Files that survive a crash: the request ledger, run folders, atomic writes.

    runs/ledger.sqlite                     every answer ever given, by content of the request
    runs/smollm2-135m-1f0c9a72/run.json    what was done
                              /records.jsonl, records.parquet

The ledger is shared by all runs in a folder: resume, deduplication and re-scoring are one look-up.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.types import Record, Reply, Run

SCHEMA_VERSION = 1
LEDGER = "ledger.sqlite"
ASK_AT_ONCE = 500  # keys in one SELECT; SQLite allows 999 variables everywhere


class Ledger:
    """Replies by request key, in SQLite with a write-ahead log: each answer is kept as it comes.

    Several processes may use one ledger; the first answer to a key stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=60.0, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
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

    def put(self, key: str, reply: Reply) -> None:
        """Keep one answer, at once.

        Raises:
            RunError: the disk is full or the file cannot be written; earlier answers stay.
        """
        try:
            self._base.execute(
                "INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, to_json(asdict(reply)))
            )
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
            "free some space or choose another folder with -o, then run the same command again",
        ) from None


def save_run(folder: Path, run: Run, records: Sequence[Record]) -> None:
    """Write records, then `run.json`: a folder with a run.json is complete.

    Raises:
        RunError: a file cannot be written.
    """
    lines = "".join(to_json(asdict(record)) + "\n" for record in records)
    write_atomic(folder / "records.jsonl", lines.encode())
    write_atomic(folder / "records.parquet", _parquet(records))
    write_atomic(folder / "run.json", (json.dumps(asdict(run), indent=2) + "\n").encode())


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
    return run, list(_read_records(folder / "records.jsonl"))


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
    """One flat row a record; each score is a column `score.NAME`."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.Table.from_pylist([_flat(record) for record in records]), sink)
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


def _ledger_error(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path}: {error}; answers already kept stay there",
        "free some space, or choose another folder with -o; then run the same command again",
    )
