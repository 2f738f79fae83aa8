"""Small task folders, written on the spot: every test starts from one that is right."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from bench.registry.folder import Task
from bench.registry.spec import read_spec
from bench.types import Json

settings.register_profile("bench", deadline=None)  # shared machines stutter
settings.load_profile("bench")

WriteTask = Callable[..., Task]
Row = Mapping[str, Json]

KEYS: dict[str, Json] = {
    "title": "Capitals",
    "kind": "qa",
    "language": "en",
    "version": 1,
    "source": {"licence": "CC0-1.0"},
    "data": {"files": {"train": "train.jsonl", "shots": "shots.jsonl", "test": "test.jsonl"}},
    "splits": {"train": "train", "shots": "shots", "test": "test"},
    "id": "id",
    "prompt": "What is the capital of {{ country }}?",
    "answer": "capital",
    "generate": {"max_tokens": 8},
    "scorers": ["exact_match"],
}
CAPITALS = {
    "train": ["France Paris", "Italy Rome", "Spain Madrid", "Greece Athens"],
    "shots": ["Norway Oslo", "Austria Vienna", "Ireland Dublin"],
    "test": ["Japan Tokyo", "Egypt Cairo", "Peru Lima", "Cuba Havana"],
}


def capitals(split: str) -> list[dict[str, Json]]:
    """`{"id": "test-1", "country": "Japan", "capital": "Tokyo"}` and so on."""
    pairs = enumerate((text.split() for text in CAPITALS[split]), start=1)
    return [
        {"id": f"{split}-{number}", "country": country, "capital": capital}
        for number, (country, capital) in pairs
    ]


def write_jsonl(path: Path, rows: Sequence[Row]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(autouse=True)
def _no_folders_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BENCH_TASKS", "BENCH_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write_task(tmp_path: Path) -> WriteTask:
    """Writes a task folder: rows by split replace the capitals, `keys` change task.yaml.

    A key given as None is left out. `code` becomes task.py.
    """

    def write(
        name: str = "capitals",
        rows: Mapping[str, Sequence[Row]] | None = None,
        code: str = "",
        into: Path = tmp_path / "tasks",
        **keys: Json,
    ) -> Task:
        folder = into / name
        folder.mkdir(parents=True)
        given = {key: value for key, value in {**KEYS, **keys}.items() if value is not None}
        (folder / "task.yaml").write_text(yaml.safe_dump(given, allow_unicode=True), "utf-8")
        (folder / "README.md").write_text("Origin, licence, limits.\n", "utf-8")
        for split in CAPITALS:
            write_jsonl(folder / f"{split}.jsonl", (rows or {}).get(split, capitals(split)))
        if code:
            (folder / "task.py").write_text(code, "utf-8")
        return Task(name, folder, read_spec(folder / "task.yaml"))

    return write
