"""Data on the spot: files of rows, a task folder, demonstrations; and the real data sets."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from bench.training.data.data_settings import Source
from bench.training.data.sources import Item, Loaded, Places, load_source
from bench.types import Demonstration, Json, Prompt, Turn

Rows = Sequence[Mapping[str, Json]]
ROOT = Path(os.environ.get("BENCH_DATA_ROOT") or "absent")
POEM = "the old mill by the river was built of red brick by two brothers who never spoke"

TASK: dict[str, Json] = {
    "title": "Capitals",
    "kind": "qa",
    "language": "en",
    "version": 1,
    "source": {"licence": "CC0-1.0"},
    "data": {"files": {"train": "train.jsonl", "test": "test.jsonl"}},
    "splits": {"train": "train", "test": "test"},
    "id": "id",
    "instruction": "Answer in one word.",
    "prompt": "What is the capital of {{ country }}?",
    "variants": {
        "short": {"prompt": "Capital of {{ country }}:"},
        "bare": {"instruction": "", "prompt": "{{ country }}:"},
    },
    "answer": "capital",
    "generate": {"max_tokens": 8},
    "scorers": ["exact_match"],
}
TRAIN: Rows = (
    {"id": "a", "country": "France", "capital": "Paris", "region": "west"},
    {"id": "b", "country": "Italy", "capital": "Rome", "region": "south"},
    {"id": "c", "country": "Spain", "capital": "Madrid", "region": "south"},
)
TEST: Rows = ({"id": "x", "country": "Japan", "capital": "Tokyo", "region": "east"},)


def write_rows(path: Path, rows: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_task(
    folder: Path, name: str = "capitals", train: Rows = TRAIN, test: Rows = TEST, **keys: Json
) -> Places:
    """A task folder in `folder`, and the Places that find it."""
    write_rows(folder / name / "train.jsonl", train)
    write_rows(folder / name / "test.jsonl", test)
    text = yaml.safe_dump({**TASK, **keys}, allow_unicode=True, sort_keys=False)
    (folder / name / "task.yaml").write_text(text, "utf-8")
    return Places(folder, (folder / name,))


def load_rows_of(folder: Path, rows: Rows, **source: Json) -> Loaded[Item]:
    """`rows` as a source, by way of a file in `folder`."""
    write_rows(folder / "data.jsonl", rows)
    return load_source(Source.model_validate({"file": "data.jsonl", **source}), Places(folder))


def demonstration(identity: str, asked: str, target: str, group: str = "") -> Demonstration:
    turns = (Turn("user", asked),)
    return Demonstration(Prompt("plain", identity, group or identity, turns, asked, "\n"), target)


def loaded(*items: Demonstration, label: str = "plain") -> Loaded[Item]:
    return Loaded(label, tuple((item,) for item in items), "digest")


def real_data(data_set: str) -> Places:
    """Places of the real data sets; the test is skipped where they are not there."""
    if not (ROOT / data_set).is_dir():
        pytest.skip(f"BENCH_DATA_ROOT holds no {data_set}")
    return Places(Path(), (), ROOT)
