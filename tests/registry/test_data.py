"""Rows: the same from every format, from files, from a mirror; each failure names file and line."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as arrow
import pytest
from pyarrow import parquet

from bench.errors import TaskError
from bench.registry.data import Row, count_rows, data_root, is_local, load_rows
from bench.types import Json

ROWS: list[dict[str, Json]] = [
    {"id": "1", "country": "Japan", "capital": "Tokyo"},
    {"id": "2", "country": "中国", "capital": "北京"},
    {"id": "3", "country": 'with "quotes", commas', "capital": "two\nlines"},
    {"id": "4", "country": "Chad", "capital": "N'Djamena"},
]
HUB: dict[str, Json] = {"hub": "org/name", "revision": "abc"}


def write_jsonl(path: Path, rows: Sequence[dict[str, Json]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_csv(path: Path, rows: Sequence[dict[str, Json]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: Sequence[dict[str, Json]]) -> None:
    parquet.write_table(arrow.Table.from_pylist(list(rows)), path)


WRITERS: dict[str, Callable[[Path, Sequence[dict[str, Json]]], None]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}


def values(rows: Sequence[Row]) -> list[dict[str, Json]]:
    return [row.values for row in rows]


def mirrored(root: Path, name: str, rows: Sequence[dict[str, Json]], under: str = "") -> Path:
    path = root / "org" / "name" / under / name
    path.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[path.suffix[1:]](path, rows)
    return path


def with_test_file(write_task, name: str, content: bytes):
    task = write_task(data={"files": {"test": name}}, splits={"test": "test"})
    (task.folder / name).write_bytes(content)
    return task


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_rows_and_count(write_task, suffix):
    task = write_task(data={"files": {"test": f"rows.{suffix}"}}, splits={"test": "test"})
    WRITERS[suffix](task.folder / f"rows.{suffix}", ROWS)
    assert values(load_rows(task, "test")) == ROWS
    assert count_rows(task, "test") == len(ROWS)


@pytest.mark.parametrize(
    ("suffix", "places"),
    [
        ("jsonl", [":1", ":2", ":3", ":4"]),
        ("csv", [":2", ":3", ":4", ":6"]),
        ("parquet", [" row 1", " row 2", " row 3", " row 4"]),
    ],
)
def test_a_row_knows_the_line_where_it_starts(write_task, suffix, places):
    task = write_task(data={"files": {"test": f"rows.{suffix}"}}, splits={"test": "test"})
    path = task.folder / f"rows.{suffix}"
    WRITERS[suffix](path, ROWS)
    assert [row.where for row in load_rows(task, "test")] == [f"{path}{place}" for place in places]


def test_blank_lines_are_skipped_and_still_counted_as_lines(write_task):
    task = with_test_file(write_task, "rows.jsonl", b'{"id": 1}\n\n  \n{"id": 2}')
    rows = load_rows(task, "test")
    assert [row.where.rpartition(":")[2] for row in rows] == ["1", "4"]
    assert count_rows(task, "test") == 2


def test_the_byte_order_mark_of_a_spreadsheet_is_no_part_of_a_column(write_task):
    task = with_test_file(write_task, "rows.csv", "\ufeffid,country\n1,Perú\n".encode())
    assert values(load_rows(task, "test")) == [{"id": "1", "country": "Perú"}]


@pytest.mark.parametrize("role", ["train", "shots", "test"])
def test_each_role_reads_the_split_that_it_names(write_task, role):
    assert load_rows(write_task(), role)[0].values["id"] == f"{role}-1"


def test_a_role_without_a_split_has_no_rows(write_task):
    task = write_task(splits={"test": "test"})
    assert load_rows(task, "train") == []
    assert count_rows(task, "train") is None


# name of the file: (content, what the cause says after the folder, remedy)
UNREADABLE = {
    "not JSON": ("rows.jsonl", b'{"id": 1}\n{"id": 2\n', "rows.jsonl:2: not JSON: Expecting"),
    "a key twice": (
        "rows.jsonl",
        b'{"id": 1, "id": 2}\n',
        "rows.jsonl:1: cannot be read: the key 'id' is written twice",
    ),
    "no object": ("rows.jsonl", b'{"id": 1}\n\n[1]\n', "rows.jsonl:3: expected a JSON object"),
    "not UTF-8": (
        "rows.jsonl",
        b'{"id": 1}\n{"id": "caf\xe9"}\n',
        "rows.jsonl:2: not UTF-8: invalid continuation byte at byte 12",
    ),
    "open quote": ("rows.csv", b'id,country\n1,Peru\n2,"Cuba\n', "rows.csv:3: not CSV: unexpected"),
    "field too many": ("rows.csv", b"id,country\n1,Peru\n2,Cuba,x\n", "rows.csv:3: not as many"),
    "field too few": ("rows.csv", b"id,country\n1,Peru\n2\n", "rows.csv:3: not as many fields"),
    "CSV not UTF-8": ("rows.csv", b"id,country\n1,Per\xfa\n", "rows.csv: cannot be read: 'utf-8'"),
    "no Parquet": ("rows.parquet", b"PAR0", "rows.parquet: not readable as Parquet"),
    "no rows": ("rows.jsonl", b"\n", "capitals: split 'test' holds no rows"),
    "unknown format": ("rows.xlsx", b"", "rows.xlsx: unknown data format"),
}


@pytest.mark.parametrize(("name", "content", "cause"), UNREADABLE.values(), ids=UNREADABLE)
def test_data_that_cannot_be_read_is_named_with_its_line(write_task, name, content, cause):
    task = with_test_file(write_task, name, content)
    with pytest.raises(TaskError) as caught:
        load_rows(task, "test")
    assert cause in caught.value.cause
    assert caught.value.remedy
    assert "\n" not in caught.value.cause


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_an_unreadable_file_is_listed_without_a_count(write_task, name):
    assert count_rows(with_test_file(write_task, name, b"a,b\n1\n"), "test") is None


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet"])
def test_a_link_to_a_device_is_refused_and_not_read_for_ever(write_task, name):
    task = with_test_file(write_task, name, b"")
    (task.folder / name).unlink()
    (task.folder / name).symlink_to("/dev/zero")
    with pytest.raises(TaskError, match=rf"{name}: is a device or a pipe, expected a file"):
        load_rows(task, "test")
    assert count_rows(task, "test") is None


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_missing_file_is_named(write_task, suffix):
    task = write_task(data={"files": {"test": f"rows.{suffix}"}}, splits={"test": "test"})
    with pytest.raises(TaskError) as caught:
        load_rows(task, "test")
    assert caught.value.cause == f"{task.folder}/rows.{suffix}: no such data file"
    assert count_rows(task, "test") is None


def test_a_split_that_the_files_lack_gets_the_nearest(write_task):
    task = write_task(splits={"test": "tset"})
    with pytest.raises(TaskError) as caught:
        load_rows(task, "test")
    assert caught.value.cause == (
        f"{task.folder}/task.yaml: splits names 'tset', data.files has no such split"
    )
    assert caught.value.remedy == "did you mean test?"


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("name", ["test", "test-00000-of-00001"])
@pytest.mark.parametrize("config", ["", "main"])
def test_rows_come_from_the_mirror(write_task, tmp_path, config, name, suffix):
    mirrored(tmp_path, f"{name}.{suffix}", ROWS, under=config)
    task = write_task(data={**HUB, "config": config})
    assert is_local(task, tmp_path)
    assert values(load_rows(task, "test", tmp_path)) == ROWS
    assert count_rows(task, "test", tmp_path) == len(ROWS)


def test_rows_of_another_config_are_not_taken(write_task, tmp_path):
    mirrored(tmp_path, "test.jsonl", ROWS, under="other")
    assert not is_local(write_task(data={**HUB, "config": "main"}), tmp_path)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_shards_are_joined_in_order(write_task, tmp_path, suffix):
    for number in range(4):
        mirrored(tmp_path, f"test-0000{number}-of-00004.{suffix}", [ROWS[number]])
    rows = load_rows(write_task(data=HUB), "test", tmp_path)
    assert values(rows) == ROWS
    assert f"test-00003-of-00004.{suffix}" in rows[3].where


def test_a_mirror_that_lacks_a_shard_is_an_error(write_task, tmp_path):
    path = mirrored(tmp_path, "test-00000-of-00002.parquet", ROWS)
    with pytest.raises(TaskError) as caught:
        load_rows(write_task(data=HUB), "test", tmp_path)
    assert caught.value.cause == f"{path}: one of 2 files, of which 1 are there"


def test_rows_mirrored_in_two_formats_are_not_doubled(write_task, tmp_path):
    mirrored(tmp_path, "test-00000-of-00001.parquet", ROWS)
    mirrored(tmp_path, "test.jsonl", ROWS)
    task = write_task(data=HUB)
    assert values(load_rows(task, "test", tmp_path)) == ROWS
    assert count_rows(task, "test", tmp_path) == len(ROWS)


def test_the_mirror_can_be_named_by_the_environment(write_task, tmp_path, monkeypatch):
    mirrored(tmp_path, "test.jsonl", ROWS)
    monkeypatch.setenv("BENCH_DATA_ROOT", str(tmp_path))
    assert values(load_rows(write_task(data=HUB), "test")) == ROWS


def test_a_mirror_given_by_hand_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA_ROOT", "/absent")
    assert data_root(tmp_path) == tmp_path


def test_a_mirror_that_does_not_exist_is_an_error(write_task, tmp_path):
    with pytest.raises(TaskError) as caught:
        load_rows(write_task(data=HUB), "test", tmp_path / "absent")
    assert caught.value.cause == f"{tmp_path}/absent: no such data folder"
    assert "BENCH_DATA_ROOT" in caught.value.remedy


def test_a_task_with_its_own_rows_does_not_look_at_the_mirror(write_task, tmp_path):
    task = write_task()
    assert is_local(task, tmp_path / "absent")
    assert len(load_rows(task, "test", tmp_path / "absent")) == 4


def test_rows_of_the_hub_are_not_counted_without_a_mirror(write_task):
    task = write_task(data=HUB)
    assert count_rows(task, "test") is None
    assert not is_local(task)


def offline(task, root: Path) -> str:
    """What loading the test rows says in a process that may not reach the Hub."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from bench.errors import TaskError\n"
        "from bench.registry.data import load_rows\n"
        "from tests.tasks_at import tasks_at\n"
        "task, = tasks_at([sys.argv[1]])\n"
        "try:\n"
        "    load_rows(task, 'test', Path(sys.argv[2]))\n"
        "except TaskError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program, str(task.folder), str(root)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(root / "cache")}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_without_mirror_and_network_the_error_says_which_file_to_put_where(write_task, tmp_path):
    said = offline(write_task(data={**HUB, "config": "main"}), tmp_path)
    assert said.startswith("capitals: org/name split 'test' is not mirrored and cannot be loaded")
    assert f"put the rows at {tmp_path}/org/name/main/test-00000-of-00001.parquet" in said
    assert len(said.splitlines()) == 2


def test_a_wrong_split_of_a_mirrored_data_set_gets_the_nearest(write_task, tmp_path):
    mirrored(tmp_path, "test-00000-of-00001.parquet", ROWS)
    mirrored(tmp_path, "validation.jsonl", ROWS)
    said = offline(write_task(data=HUB, splits={"test": "tset"}), tmp_path)
    assert "org/name split 'tset' is not mirrored" in said
    assert "of the splits beside it, did you mean test?" in said
