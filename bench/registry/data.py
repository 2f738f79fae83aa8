"""Rows: from files in a task's folder, a local mirror of the Hub, or the Hub itself.

Tasks are read by role (`load_rows`), other training data by name (`read_file`, `load_hub_split`).
The mirror (`--data-root` or `BENCH_DATA_ROOT`) is tried before the Hub and is laid out as
`<org>/<name>/[<config>/]<split>-*.parquet|jsonl|csv`.
"""

import csv
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import TaskError, did_you_mean
from bench.network import stay_offline_without_network
from bench.registry.folder import Task
from bench.registry.hooks import load_hooks
from bench.regular import check_regular
from bench.types import Json
from bench.unique_keys import unique_keys

Role = Literal["train", "shots", "test"]
ROLES: tuple[Role, ...] = ("train", "shots", "test")
FORMATS = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of one row, and where it stands: `tasks/a/test.jsonl:12`."""

    values: dict[str, Json]
    where: str


def data_root(given: Path | None) -> Path | None:
    """The mirror folder: `given`, else `BENCH_DATA_ROOT`, else None.

    Raises:
        TaskError: it does not exist.
    """
    from_environment = os.environ.get("BENCH_DATA_ROOT", "")
    root = given or (Path(from_environment) if from_environment else None)
    if root is not None and not root.is_dir():
        raise TaskError(
            f"{root}: no such data folder",
            "give --data-root (BENCH_DATA_ROOT) a folder that exists",
        )
    return root


def load_rows(task: Task, role: Role, root: Path | None = None) -> list[Row]:
    """All rows of the split that plays `role`; empty when the task names no such split.

    Raises:
        TaskError: the split, file or data set is missing or cannot be read; the message says
            which file to put where.
    """
    split = getattr(task.spec.splits, role)
    if not split:
        return []
    hooks = load_hooks(task.folder)
    if hooks.load is not None:
        rows = _hook_rows(task, split, hooks.load)
    elif task.spec.data.files:
        rows = list(read_file(_local_file(task, split)))
    else:
        rows = _hub_rows(task, split, root)
    if not rows:
        raise TaskError(f"{task.name}: split {split!r} holds no rows", "add rows or drop the split")
    return [Row(_rendered(hooks.render, row), row.where) for row in rows] if hooks.render else rows


def count_rows(task: Task, role: Role, root: Path | None = None) -> int | None:
    """How many rows the split has, without parsing it; None where only loading could tell."""
    split = getattr(task.spec.splits, role)
    if not split or (task.folder / "task.py").is_file():
        return None
    mirror = data_root(root) if task.spec.data.hub else None
    try:
        if task.spec.data.files:
            paths = [_local_file(task, split)]
        else:
            paths = _mirrored(task.spec.data.hub, task.spec.data.config, split, mirror)
        return sum(_count(path) for path in paths) if paths else None
    except (OSError, ValueError, TaskError):
        return None  # loading will say what is wrong


def is_local(task: Task, root: Path | None = None) -> bool:
    """Whether the test rows can be read without asking the Hub."""
    if not task.spec.data.hub:
        return True
    data = task.spec.data
    return bool(_mirrored(data.hub, data.config, task.spec.splits.test, data_root(root)))


def read_file(path: Path) -> Iterator[Row]:
    """The rows of one data file.

    Raises:
        TaskError: no such file, a device, an unknown format, or a line that cannot be read.
    """
    if path.suffix not in FORMATS:
        raise TaskError(f"{path}: unknown data format", f"use one of {', '.join(FORMATS)}")
    check_regular(path, TaskError)
    try:
        if path.suffix == ".parquet":
            yield from _read_parquet(path)
        elif path.suffix == ".csv":
            yield from _read_csv(path)
        else:
            yield from _read_jsonl(path)
    except FileNotFoundError:
        raise TaskError(f"{path}: no such data file", "add the file or mend its path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: cannot be read: {error}", "restore or mend the file") from None


def load_hub_split(
    hub: str, config: str, revision: str, split: str, root: Path | None = None
) -> list[Row]:
    """All rows of a split of a Hub data set: from the mirror if it is there, else from the Hub.

    An empty `config` is the default one, an empty `revision` the newest.

    Raises:
        TaskError: neither has it, or it cannot be read; the message says which file to put where.
    """
    mirror = data_root(root)
    paths = _mirrored(hub, config, split, mirror)
    if paths:
        _require_all_shards(paths)
        return [row for path in paths for row in read_file(path)]
    stay_offline_without_network()
    try:
        import datasets  # heavy, and most tasks never need it

        datasets.disable_progress_bars()
        table = datasets.load_dataset(hub, config or None, revision=revision or None, split=split)
    except Exception as error:
        raise _unreachable(hub, config, split, mirror, error) from None
    return [
        Row(dict(values), f"{hub}@{revision or 'main'} {split} row {number}")
        for number, values in enumerate(table, start=1)
    ]


def _hook_rows(task: Task, split: str, load: Callable[[str], list[dict[str, Json]]]) -> list[Row]:
    path = task.folder / "task.py"
    try:
        return [
            Row(dict(values), f"{path} {split} row {number}")
            for number, values in enumerate(load(split), start=1)
        ]
    except (Exception, SystemExit) as error:
        raise TaskError(
            f"{path}: load({split!r}): {type(error).__name__}: {error}", "mend load in task.py"
        ) from error


def _rendered(render: Callable[[dict[str, Json]], dict[str, Json]], row: Row) -> dict[str, Json]:
    try:
        return {**row.values, **render(dict(row.values))}
    except (Exception, SystemExit) as error:
        raise TaskError(
            f"{row.where}: render: {type(error).__name__}: {error}", "mend render in task.py"
        ) from error


def _local_file(task: Task, split: str) -> Path:
    files = task.spec.data.files
    if split not in files:
        raise TaskError(
            f"{task.folder / 'task.yaml'}: splits names {split!r}, data.files has no such split",
            did_you_mean(split, files),
        )
    return task.folder / files[split]


def _count(path: Path) -> int:
    check_regular(path, TaskError)
    if path.suffix == ".csv":
        return sum(1 for _ in _read_csv(path))
    if path.suffix == ".parquet":
        import pyarrow.parquet as parquet  # heavy, and most folders hold JSONL

        return int(parquet.read_metadata(path).num_rows)
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line.decode("utf-8"), object_pairs_hook=unique_keys)
            except UnicodeDecodeError as error:
                raise TaskError(
                    f"{path}:{number}: not UTF-8: {error.reason} at byte {error.start + 1}",
                    "save the file as UTF-8",
                ) from None
            except json.JSONDecodeError as error:
                raise TaskError(
                    f"{path}:{number}: not JSON: {error.msg} at column {error.colno}",
                    "mend the line",
                ) from None
            except (ValueError, RecursionError) as error:  # numbers or nesting without end
                raise TaskError(
                    f"{path}:{number}: cannot be read: {error}", "mend or leave out the row"
                ) from None
            if not isinstance(values, dict):
                raise TaskError(f"{path}:{number}: expected a JSON object", "mend the line")
            yield Row(values, f"{path}:{number}")


def _read_csv(path: Path) -> Iterator[Row]:
    """Every value is text. A row stands where its first line does: quoted text may have several."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            for values in reader:
                texts = [text for text in values.values() if isinstance(text, str)]
                number = reader.line_num - sum(text.count("\n") for text in texts)
                if len(texts) < len(values):  # short rows are filled with None, long ones overflow
                    raise TaskError(
                        f"{path}:{number}: not as many fields as the header has", "mend the line"
                    )
                yield Row(dict(values), f"{path}:{number}")
        except csv.Error as error:
            where = f"{path}:{reader.line_num + 1}"  # line_num is where the last good row ended
            raise TaskError(f"{where}: not CSV: {error}", "mend the line") from None


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as arrow  # heavy, and most folders hold JSONL
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
    except arrow.ArrowException as error:
        raise TaskError(f"{path}: not readable as Parquet: {error}", "restore the file") from None
    for number, values in enumerate(table.to_pylist(), start=1):
        yield Row(values, f"{path} row {number}")


def _hub_rows(task: Task, split: str, root: Path | None) -> list[Row]:
    data = task.spec.data
    try:
        return load_hub_split(data.hub, data.config, data.revision, split, root)
    except TaskError as error:
        named = error.cause.startswith(data.hub)  # a file, or a data root, speaks for itself
        cause = f"{task.name}: {error.cause}" if named else error.cause
        raise TaskError(cause, error.remedy) from None


def _mirrored(hub: str, config: str, split: str, mirror: Path | None) -> list[Path]:
    """The files of a split, in one format: a second one would double the rows."""
    if mirror is None:
        return []
    folder = mirror / hub / config
    for suffix in FORMATS:
        whole = folder / f"{split}{suffix}"
        paths = [whole] if whole.is_file() else sorted(folder.glob(f"{split}-*{suffix}"))
        if paths:
            return paths
    return []


def _require_all_shards(paths: Sequence[Path]) -> None:
    """A file called `test-00000-of-00003.parquet` has two others beside it."""
    stated = re.search(r"-of-(\d+)\.", paths[0].name)
    if stated and int(stated[1]) != len(paths):
        raise TaskError(
            f"{paths[0]}: one of {int(stated[1])} files, of which {len(paths)} are there",
            f"put the others into {paths[0].parent}",
        )


def _unreachable(
    hub: str, config: str, split: str, mirror: Path | None, error: Exception
) -> TaskError:
    """Says which file would have been read, and which splits stand where it should."""
    place = "/".join(part for part in (hub, config) if part)
    wanted = f"{mirror or '$BENCH_DATA_ROOT'}/{place}/{split}-00000-of-00001.parquet (or .jsonl)"
    beside = (
        {re.split(r"[-.]", path.name)[0] for path in (mirror / place).glob("*.*")} if mirror else ()
    )
    reason = " ".join(str(error).split())[:200]
    return TaskError(
        f"{hub} split {split!r} is not mirrored and cannot be loaded from "
        f"the Hub ({type(error).__name__}: {reason})",
        f"put the rows at {wanted}, or connect to the network"
        + (f"; of the splits beside it, {did_you_mean(split, beside)}" if beside else ""),
    )
