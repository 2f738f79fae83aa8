"""What a crash, a full disk or a second process may do to files, and what survives."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench
from bench.errors import RunError
from bench.store import LEDGER, Ledger, find_runs, load_run, save_run, write_atomic
from bench.types import Record, Reply
from tests.evaluation.folders import CHOOSES, write_task

NUMBERS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=20)
REPLIES = st.builds(
    Reply,
    text=st.none() | TEXTS,
    logprobs=st.lists(NUMBERS, max_size=3).map(tuple),
    greedy=st.lists(st.booleans(), max_size=3).map(tuple),
    baseline=st.lists(NUMBERS, max_size=3).map(tuple),
    tokens_in=st.integers(0, 10**9),
    seconds=st.floats(0, 1e6),
    finish=st.sampled_from(["stop", "length", "scored", "error"]),
    error=st.none() | TEXTS,
)
RECORDS = st.builds(
    Record,
    **dict.fromkeys(("task", "id", "cluster", "digest", "gold", "reason"), TEXTS),
    **dict.fromkeys(("prompt_digest", "variant"), TEXTS),
    sample=st.integers(0, 99),
    status=st.sampled_from(["scored", "failed"]),
    scores=st.dictionaries(TEXTS, st.floats(0, 1), max_size=3),
    prediction=st.none() | TEXTS,
    **dict.fromkeys(("answers", "choices"), st.lists(TEXTS, max_size=3).map(tuple)),
    probabilities=st.lists(st.floats(0, 1), max_size=3).map(tuple),
    reply=REPLIES,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two tasks on disk; tests copy its folder before they damage it."""
    folder = tmp_path_factory.mktemp("store")
    write_task(folder / "tasks")
    write_task(folder / "tasks", "choices", **CHOOSES)
    (done,) = bench.evaluate(
        "fake:gold",
        ["capitals", "choices"],
        output=folder / "runs",
        task_folders=[folder / "tasks"],
    )
    return done


@pytest.fixture
def copied(run, tmp_path) -> Path:
    """A run folder to damage."""
    return Path(shutil.copytree(run.folder, tmp_path / "run"))


@settings(max_examples=30)
@given(st.lists(REPLIES, max_size=5))
def test_the_ledger_gives_back_what_was_put(tmp_path_factory, replies):
    path = tmp_path_factory.mktemp("ledger") / LEDGER
    kept = {f"key {place}": reply for place, reply in enumerate(replies)}
    ledger = Ledger(path)
    ledger.put(kept)
    ledger.close()
    assert Ledger(path).get([*kept, "unknown"]) == kept


@settings(max_examples=30)
@given(records=st.lists(RECORDS, max_size=4))
def test_records_come_back_as_they_were_saved(tmp_path_factory, run, records):
    folder = tmp_path_factory.mktemp("run")
    told = replace(run.run, tasks=(replace(run.run.tasks[0], rows=len(records)),))
    told = save_run(folder, told, records)
    assert load_run(folder) == (told, records)


def test_parquet_holds_the_scores_of_every_task(run):
    table = pd.read_parquet(run.folder / "records.parquet")
    filled = table.groupby("task")[[name for name in table if name.startswith("score.")]].count()
    assert filled.loc["capitals"].to_dict() == {
        "score.exact_match": 12,
        "score.contains": 12,
        "score.accuracy": 0,
    }
    assert filled.loc["choices", "score.accuracy"] == 12


def test_the_first_answer_to_a_key_stays(tmp_path):
    ledger = Ledger(tmp_path / LEDGER)
    ledger.put({"key": Reply(text="first")})
    ledger.put({"key": Reply(text="second")})
    assert ledger.get(["key"]) == {"key": Reply(text="first")}


def test_more_keys_than_sqlite_takes_variables_are_found(tmp_path):
    ledger = Ledger(tmp_path / LEDGER)
    kept = {str(number): Reply(tokens_in=number) for number in range(1203)}
    ledger.put(kept)
    assert ledger.get(kept) == kept


WRITER = """
import sys
from pathlib import Path
from bench.store import LEDGER, Ledger
from bench.types import Reply
folder, name = sys.argv[1:]
print("imported", flush=True)
for number in map(int, sys.stdin):
    ledger = Ledger(Path(folder) / str(number) / LEDGER)
    ledger.put({"shared": Reply(text=name), name: Reply()})
    ledger.close()
    print("done", flush=True)
"""


def test_processes_that_create_and_fill_one_ledger_at_once_all_succeed(tmp_path):
    names = ["a", "b", "c", "d"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for name in names
    ]
    for number in range(60):
        assert all(writer.stdout.readline() for writer in writers)
        for writer in writers:
            writer.stdin.write(b"%d\n" % number)
    for writer in writers:
        writer.communicate()
    for number in range(60):
        found = Ledger(tmp_path / str(number) / LEDGER).get(["shared", *names])
        assert found.keys() == {"shared", *names}
        assert found["shared"].text in names


def test_an_atomic_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "new folder" / "file"
    write_atomic(path, b"old and longer")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


SMALL_FILES = """
import resource, sys
from pathlib import Path
from bench.errors import RunError
from bench.store import write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path(sys.argv[1]), bytes(5000))
except RunError as error:
    print(error.cause)
"""


def test_an_atomic_write_that_fails_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", SMALL_FILES, path], capture_output=True, text=True, check=True
    )
    assert f"{path}: cannot be written: File too large; what was there is unchanged" in done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill(ledger: Ledger) -> int:
    """Put answers until the disk is full; how many were kept."""
    put = partial(ledger.put, {})
    for kept in count(step=4):
        put = partial(ledger.put, {f"{kept} {n}": Reply(text="x" * 500) for n in range(4)})
        try:
            put()
        except RunError:
            break
    with pytest.raises(RunError, match=r"full.*stay there\n.*free some space"):
        put()
    return kept


def test_a_full_disk_is_an_error_and_the_ledger_keeps_what_it_held(small_disk):
    path = small_disk / LEDGER
    ledger = Ledger(path)
    kept = fill(ledger)
    ledger.close()
    again = Ledger(path)
    assert len(again) == kept > 0
    assert again.get(["0 0"]) == {"0 0": Reply(text="x" * 500)}
    again.close()


def test_answers_go_on_once_a_full_disk_has_room_again(small_disk):
    (small_disk / "ballast").write_bytes(bytes(150_000))
    ledger = Ledger(small_disk / LEDGER)
    kept = fill(ledger)
    (small_disk / "ballast").unlink()
    ledger.put({"new": Reply()})
    assert len(ledger) == kept + 1
    ledger.close()


def cut(path: Path) -> None:
    """What a disk that lost its last block leaves."""
    path.write_bytes(path.read_bytes()[:-100])


def shortened(path: Path) -> None:
    """Whole lines are missing."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))


def changed(path: Path, old: str, new: str) -> None:
    """The first `old` becomes `new`."""
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "damage", "cause"),
    [
        ("run.json", os.remove, "run: holds no run.json"),
        ("run.json", lambda path: path.write_text(""), "run.json: file: Invalid JSON"),
        ("run.json", lambda path: path.write_bytes(b"\xff\0"), "run.json: file: Invalid JSON"),
        ("run.json", cut, "run.json: file: Invalid JSON"),
        ("run.json", lambda p: changed(p, '"seed"', '"seed'), "run.json: file: Invalid JSON"),
        ("run.json", lambda p: changed(p, '"asked"', '"x"'), "run.json: asked: Field required"),
        ("run.json", lambda p: changed(p, 'n": 1', 'n": 9'), "run.json: schema_version: found 9"),
        ("records.jsonl", os.remove, "records.jsonl: cannot be read"),
        ("records.jsonl", cut, "records.jsonl:24: file: Invalid JSON"),
        ("records.jsonl", shortened, "records.jsonl: holds 21 records, run.json counts 24"),
        ("records.jsonl", lambda p: changed(p, "\n", "\n{}\n"), "records.jsonl:2: task: Field"),
        ("records.jsonl", lambda p: p.write_bytes(b"\xff\0"), "records.jsonl: cannot be read"),
    ],
)
def test_a_damaged_run_names_file_line_or_key_and_a_remedy(copied, file, damage, cause):
    damage(copied / file)
    with pytest.raises(RunError) as raised:
        load_run(copied)
    assert cause in raised.value.cause
    assert raised.value.remedy


def overwrite(path: Path, start: int, content: bytes) -> None:
    """Garbage in the middle of a file."""
    whole = bytearray(path.read_bytes())
    whole[start : start + len(content)] = content
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("start", "content", "cause"),
    [
        (0, bytes(range(256)) * 32, "file is not a database"),
        (4096, b"\xff" * 4096, "database disk image is malformed"),
    ],
)
def test_a_damaged_ledger_is_named_with_a_way_on(tmp_path, start, content, cause):
    path = tmp_path / LEDGER
    ledger = Ledger(path)
    ledger.put({str(number): Reply(text="long " * 50) for number in range(50)})
    ledger.close()
    overwrite(path, start, content)
    with pytest.raises(RunError) as raised:
        Ledger(path).get(map(str, range(50)))
    assert raised.value.cause == f"{path}: damaged: {cause}"
    assert f"move {path} away" in raised.value.remedy
    path.rename(tmp_path / "damaged")
    assert len(Ledger(path)) == 0


def test_find_runs_takes_run_folders_and_folders_of_runs(run, copied):
    outer = run.folder.parent
    assert find_runs([outer, copied, run.folder]) == [run.folder, copied]
    with pytest.raises(RunError, match="no run here"):
        find_runs([run.folder.parent.parent / "tasks"])


def test_a_saved_run_is_json_for_anyone(run):
    told = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert told["schema_version"] == 1
    for line in (run.folder / "records.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line)["status"] == "scored"
