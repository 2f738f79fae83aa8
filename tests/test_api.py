"""The Python API does what the command line does."""

import json
import subprocess
import sys

import pytest

import bench
from tests.evaluation.folders import CHOOSES, capitals, without_seconds, write_task


@pytest.fixture
def tasks(tmp_path):
    """A folder with the tasks `capitals` and `choices`."""
    write_task(tmp_path / "tasks")
    write_task(tmp_path / "tasks", "choices", **CHOOSES)
    return tmp_path / "tasks"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["capitals"], {"capitals"}),
        (["choices", "capitals", "choices"], {"choices", "capitals"}),
        (["zh"], {"zh_reading", "zh_sentiment"}),
        (["zh", "zh_reading"], {"zh_reading", "zh_sentiment"}),
    ],
)
def test_load_tasks_takes_tasks_and_suites_and_gives_each_once(tasks, names, found):
    loaded = [task.name for task in bench.load_tasks(names, [tasks])]
    assert set(loaded) == found
    assert len(loaded) == len(found)


def test_load_run_gives_what_evaluate_gave(tasks, tmp_path):
    (done,) = bench.evaluate("fake:random", ["choices"], output=tmp_path, task_folders=[tasks])
    assert bench.load_run(done.folder) == done
    assert bench.load_run(str(done.folder)) == done


def test_evaluate_gives_one_run_for_each_model_in_order(tasks, tmp_path):
    done = bench.evaluate(
        ["fake:empty", "fake:gold"], ["capitals"], output=tmp_path, task_folders=[tasks]
    )
    assert [(run.run.model, run.cells[0].estimate) for run in done] == [
        ("fake:empty", 0.0),
        ("fake:gold", 1.0),
    ]


def test_evaluate_and_the_command_line_write_the_same_run(tasks, tmp_path):
    (done,) = bench.evaluate(
        "fake:gold",
        ["capitals"],
        shots=2,
        seed=3,
        limit=5,
        output=tmp_path / "api",
        task_folders=[tasks],
    )
    options = ["--shots", "2", "--seed", "3", "--limit", "5", "--tasks", tasks, "--json"]
    command = ["eval", "fake:gold", "-t", "capitals", *options, "-o", tmp_path / "cli"]
    told = subprocess.run(
        [sys.executable, "-m", "bench", *command], capture_output=True, check=True, cwd=tmp_path
    )
    name = json.loads(told.stdout)["runs"][0]["run"]
    assert name == done.run.name
    both = (tmp_path / folder / name / "records.jsonl" for folder in ("api", "cli"))
    api, cli = map(without_seconds, both)
    assert api == cli


@pytest.mark.parametrize("setting", [{"shots": 1}, {"seed": 1}, {"limit": 3}, {"variant": "short"}])
def test_other_settings_are_another_run(tmp_path, setting):
    folder = write_task(tmp_path, variants={"short": {"prompt": "{{ country }}:"}}).parent
    runs = [
        bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[folder], **given)
        for given in ({}, setting)
    ]
    assert runs[0][0].folder != runs[1][0].folder


@pytest.mark.parametrize(
    ("chat", "opening"), [("auto", "<s>[user] "), ("on", "<s>[user] "), ("off", "The capital of ")]
)
def test_chat_auto_uses_the_template_where_there_is_one(tasks, tmp_path, chat, opening):
    from bench.evaluation.plan import Settings, make_plan
    from tests.models import tiny  # torch

    model = bench.open_model(str(tiny.save("llama", tmp_path / "model", chat=True)))
    (task,) = bench.load_tasks(["capitals"], [tasks])
    (ask,) = make_plan(model, task, Settings(limit=1, chat=chat)).asks
    assert ask.samples[0].prompt.startswith(opening)
    (done,) = bench.evaluate(
        model.name, ["capitals"], chat=chat, limit=1, output=tmp_path, task_folders=[tasks]
    )
    assert done.records[0].prompt_digest == ask.prompt_digest
    assert done.run.settings["chat"] is (chat != "off")


def test_a_task_folder_may_be_given_itself(tmp_path):
    folder = write_task(tmp_path, rows=capitals()[:2])
    (done,) = bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[str(folder)])
    assert len(done.records) == 2


def test_errors_are_bench_errors_with_cause_and_remedy(tmp_path):
    with pytest.raises(bench.BenchError) as raised:
        bench.evaluate("fake:gold", ["fcats"], output=tmp_path)
    assert raised.value.cause == "no task or suite is named 'fcats'"
    assert raised.value.remedy == "did you mean facts?"
