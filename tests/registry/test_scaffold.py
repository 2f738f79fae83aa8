"""`bench new`: every kind gives a folder that passes `bench check` at once."""

import json
import keyword

import pytest

from bench.errors import SandboxError, TaskError, UsageError
from bench.registry.check import check_task
from bench.registry.prompt import ShotSettings, load_examples
from bench.registry.sample_rows import SCAFFOLDS
from bench.registry.scaffold import SPLITS, new_task
from bench.registry.spec import KINDS
from bench.scoring.sandbox.run import require_sandbox
from tests.tasks_at import tasks_at


def made(tmp_path, name: str, kind: str):
    new_task(name, kind, tmp_path)
    return tasks_at([str(tmp_path / name)])[0]


def test_every_kind_has_a_scaffold_with_a_row_for_every_split():
    assert set(SCAFFOLDS) == set(KINDS)
    for scaffold in SCAFFOLDS.values():
        assert len(scaffold.rows) == sum(SPLITS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_folder_passes_every_rule(tmp_path, kind):
    if kind == "code":
        try:
            require_sandbox()
        except SandboxError as error:
            pytest.skip(f"no sandbox here: {error.cause}")
    assert check_task(made(tmp_path, "my_task", kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_task_can_be_asked_with_a_shot(tmp_path, kind):
    task = made(tmp_path, "my_task", kind)
    examples, failed = load_examples(task, ShotSettings(1))
    assert (len(examples), failed) == (2, [])
    assert task.spec.kind == kind


@pytest.mark.parametrize("name", ["yes", "no", "null", "on", "true", "t9", "a_b"])
def test_a_name_that_yaml_reads_otherwise_is_a_title_all_the_same(tmp_path, name):
    assert made(tmp_path, name, "qa").spec.title == name.replace("_", " ").capitalize()


@pytest.mark.parametrize("name", ["", "My_task", "9lives", "my-task", "a b", "../a", "é", ".a"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with pytest.raises(UsageError) as caught:
        new_task(name, "qa", tmp_path)
    assert caught.value.cause == f"{name!r} is no task name"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_gets_the_nearest(tmp_path):
    with pytest.raises(UsageError) as caught:
        new_task("a", "sumarization", tmp_path)
    assert caught.value.cause == "'sumarization' is no kind"
    assert caught.value.remedy == "did you mean summarization?"


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(TaskError, match="a: exists already"):
        new_task("a", "qa", tmp_path)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("topic", "'topic' is a task that comes with bench"),
        ("a" * 300, f"{'a' * 20}...: 300 letters, expected at most 80"),
    ],
)
def test_a_name_that_is_taken_or_too_long_is_refused(tmp_path, name, cause):
    with pytest.raises(UsageError) as caught:
        new_task(name, "qa", tmp_path)
    assert caught.value.cause == cause
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TaskError, match="file/a: cannot be written: Not a directory") as caught:
        new_task("a", "qa", tmp_path / "file")
    assert caught.value.remedy == "choose another folder with -o"


def test_folders_above_are_made(tmp_path):
    assert new_task("a", "qa", tmp_path / "deep" / "er").is_dir()


def test_rows_are_one_json_object_a_line_with_unique_ids(tmp_path):
    folder = new_task("a", "truthfulness", tmp_path)
    ids = [
        json.loads(line)["id"]
        for split in SPLITS
        for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert ids == ["train-1", "train-2", "shots-1", "shots-2", "test-1", "test-2"]
    assert not any(keyword.iskeyword(name) for name in ids)
