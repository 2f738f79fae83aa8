"""Finding tasks: embedded, `--tasks DIR`, BENCH_TASKS; suites; names that are close."""

import os
from pathlib import Path

import pytest

from bench.errors import TaskError, UsageError
from bench.registry.folder import (
    DERIVED_SUITES,
    all_tasks,
    embedded_folder,
    find_task_files,
    in_suite,
    of_kind,
    search_folders,
    select,
    suite_names,
)
from tests.tasks_at import tasks_at


def names(tasks) -> list[str]:
    return [task.name for task in tasks]


def break_task(folder: Path, name: str = "broken") -> Path:
    path = folder / name / "task.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("title: [", encoding="utf-8")
    return path


def test_the_embedded_tasks_are_found_without_any_argument():
    assert {"sentiment", "reading", "zh_reading"} <= set(names(all_tasks()))


def test_tasks_are_listed_by_name_wherever_they_lie(write_task, tmp_path):
    write_task("aardvark")
    write_task("zzz")
    found = names(all_tasks([tmp_path / "tasks"]))
    assert found == sorted(found)
    assert found[0] == "aardvark"
    assert found[-1] == "zzz"


def test_a_search_folder_may_be_a_task_folder_itself(write_task):
    task = write_task("capitals")
    assert find_task_files([task.folder]) == {"capitals": task.folder / "task.yaml"}


def test_the_environment_adds_folders_separated_like_a_path(write_task, tmp_path, monkeypatch):
    write_task("first", into=tmp_path / "a")
    write_task("second", into=tmp_path / "b")
    monkeypatch.setenv("BENCH_TASKS", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    assert {"first", "second"} <= set(names(all_tasks()))


def test_a_folder_given_twice_is_read_once(write_task, tmp_path, monkeypatch):
    write_task("capitals")
    monkeypatch.setenv("BENCH_TASKS", str(tmp_path / "tasks"))
    again = tmp_path / "tasks" / ".." / "tasks"
    assert names(all_tasks([again, embedded_folder()])).count("capitals") == 1


def test_two_tasks_of_one_name_are_an_error_that_names_both_files(write_task, tmp_path):
    ours = write_task("capitals", into=tmp_path / "ours")
    theirs = write_task("capitals", into=tmp_path / "theirs")
    with pytest.raises(TaskError) as caught:
        find_task_files([tmp_path / "ours", tmp_path / "theirs"])
    assert caught.value.cause == (
        f"two tasks are named 'capitals': {ours.folder}/task.yaml and {theirs.folder}/task.yaml"
    )
    assert caught.value.remedy == "rename one of the folders"


def test_a_task_may_not_take_the_name_of_an_embedded_one(write_task, tmp_path):
    write_task("sentiment")
    with pytest.raises(TaskError, match="two tasks are named 'sentiment'"):
        select(["sentiment"], [tmp_path / "tasks"])


def test_a_tasks_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(TaskError) as caught:
        search_folders([tmp_path / "absent"])
    assert caught.value.cause == f"{tmp_path}/absent: no such task folder"
    assert "--tasks" in caught.value.remedy


def test_a_folder_of_the_environment_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("BENCH_TASKS", "/absent")
    with pytest.raises(TaskError, match="/absent: no such task folder"):
        all_tasks()


def test_a_tasks_folder_without_a_task_says_how_to_make_one(tmp_path):
    with pytest.raises(TaskError) as caught:
        all_tasks([tmp_path])
    assert caught.value.cause == f"{tmp_path}: holds no task.yaml"
    assert caught.value.remedy == f"bench new NAME -o {tmp_path}"


def test_a_broken_folder_elsewhere_does_not_stop_a_task_asked_for_by_name(write_task, tmp_path):
    write_task("capitals")
    break_task(tmp_path / "tasks")
    assert names(task for task, _ in select(["capitals"], [tmp_path / "tasks"])) == ["capitals"]


def test_a_broken_folder_is_named_when_everything_is_asked_for(tmp_path):
    path = break_task(tmp_path / "tasks")
    with pytest.raises(TaskError, match=f"{path}:2: not readable as YAML"):
        all_tasks([tmp_path / "tasks"])


@pytest.mark.parametrize("suite", ["core", "qa", "classification", "summarization", "code", "zh"])
def test_a_suite_selects_every_task_that_names_it(suite):
    wanted = [task.name for task in all_tasks() if suite in task.spec.suites]
    assert names(task for task, _ in select([suite])) == wanted
    assert wanted


def test_smoke_is_twenty_rows_of_every_core_task():
    assert DERIVED_SUITES["smoke"].limit == 20
    smoke = {task.name: limit for task, limit in select(["smoke"])}
    assert smoke == {task.name: 20 for task in in_suite(all_tasks(), "core")}


def test_a_suite_can_be_made_by_a_task_outside_the_repository(write_task, tmp_path):
    write_task("capitals", suites=["geography"])
    chosen = select(["geography"], [tmp_path / "tasks"])
    assert names(task for task, _ in chosen) == ["capitals"]


@pytest.mark.parametrize("order", [["smoke", "sentiment"], ["sentiment", "smoke"]])
def test_a_task_asked_for_by_name_is_not_cut_short_by_smoke(order):
    limits = {task.name: limit for task, limit in select(order)}
    assert limits["sentiment"] is None
    assert limits["topic"] == 20


def test_a_task_in_two_suites_is_selected_once():
    chosen = names(task for task, _ in select(["zh", "core", "zh_reading"]))
    assert len(chosen) == len(set(chosen))


@pytest.mark.parametrize(
    ("asked", "meant"), [("sentimnet", "sentiment"), ("smok", "smoke"), ("clasification", "class")]
)
def test_a_name_that_is_neither_task_nor_suite_gets_the_nearest(asked, meant):
    with pytest.raises(UsageError, match=f"no task or suite is named '{asked}'") as caught:
        select([asked])
    assert caught.value.remedy.startswith("did you mean ")
    assert meant in caught.value.remedy


def test_names_joined_by_a_comma_are_taken_apart_in_the_remedy():
    with pytest.raises(UsageError, match="'core,qa'") as caught:
        select(["core,qa"])
    assert caught.value.remedy == "one option each: -t core -t qa"


def test_a_suite_name_that_is_wrong_gets_the_nearest():
    with pytest.raises(UsageError) as caught:
        in_suite(all_tasks(), "summarisation")
    assert caught.value.remedy == "did you mean summarization?"


def test_suite_names_hold_the_derived_ones():
    assert {"core", "smoke", "zh"} <= set(suite_names(all_tasks()))


def test_tasks_can_be_narrowed_to_a_kind_and_a_language():
    found = names(of_kind(all_tasks(), "qa", "zh"))
    assert found == ["zh_reading"]
    assert of_kind(all_tasks(), "", "") == all_tasks()


@pytest.mark.parametrize(
    ("kind", "language", "cause", "remedy"),
    [
        ("clasification", "", "'clasification' is no kind", "did you mean classification?"),
        ("", "de", "no task is in 'de'", "en"),
    ],
)
def test_a_kind_or_language_that_no_task_has_is_an_error(kind, language, cause, remedy):
    with pytest.raises(UsageError) as caught:
        of_kind(all_tasks(), kind, language)
    assert caught.value.cause == cause
    assert remedy in caught.value.remedy


def test_tasks_can_be_given_as_paths_of_a_task_or_of_a_folder_of_tasks(write_task, tmp_path):
    write_task("first")
    second = write_task("second")
    assert names(tasks_at([str(tmp_path / "tasks")])) == ["first", "second"]
    assert names(tasks_at([str(second.folder)])) == ["second"]


def test_a_folder_in_the_working_directory_needs_no_slash(write_task, tmp_path, monkeypatch):
    write_task("first")
    monkeypatch.chdir(tmp_path)
    assert names(tasks_at(["tasks"])) == ["first"]
    monkeypatch.chdir(tmp_path / "tasks")
    assert names(tasks_at(["first"])) == ["first"]


def test_names_and_paths_can_be_mixed_and_each_task_comes_once(write_task):
    task = write_task("first")
    path = str(task.folder)
    chosen = tasks_at([path, "zh", f"{path}/../first"])
    assert names(chosen) == ["first", "zh_reading", "zh_sentiment"]


def test_a_path_without_a_task_is_an_error(tmp_path):
    with pytest.raises(TaskError, match=r"holds no task\.yaml"):
        tasks_at([str(tmp_path)])
