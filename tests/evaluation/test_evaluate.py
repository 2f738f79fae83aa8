"""Requests -> records: asked once, the same again, and a run.json that says what was done."""

import json
import subprocess

import pytest

import bench
from bench.store import LEDGER, Ledger
from tests.evaluation.folders import CHOOSES, capitals, without_seconds, write_task


@pytest.fixture
def ask(tmp_path):
    """ask(model, tasks, output="runs", ...): one run over the folders in tmp_path/tasks."""

    def run(model: str, *tasks: str, output: str = "runs", **settings) -> bench.EvaluatedRun:
        folders, output = [tmp_path / "tasks"], tmp_path / output
        (done,) = bench.evaluate(model, tasks, output=output, task_folders=folders, **settings)
        return done

    return run


@pytest.fixture
def tasks(tmp_path):
    """Two folders: `capitals` generates, `choices` chooses."""
    write_task(tmp_path / "tasks")
    write_task(tmp_path / "tasks", "choices", **CHOOSES, aggregates=["nll"])


@pytest.mark.usefixtures("tasks")
def test_the_same_command_again_asks_nothing_and_writes_the_same_bytes(ask, tiny_llama):
    first = ask(tiny_llama, "capitals", "choices")
    bytes_before = (first.folder / "records.jsonl").read_bytes()
    again = ask(tiny_llama, "capitals", "choices")
    assert (first.run.asked, again.run.asked, again.run.reused) == (24, 0, 24)
    assert again.folder == first.folder
    assert (again.folder / "records.jsonl").read_bytes() == bytes_before


def cost(done):
    """What run.json says of when it was run, and what that cost."""
    told = json.loads((done.folder / "run.json").read_text())
    return [told[key] for key in ("started", "seconds", "peak_memory_bytes", "energy_joules")]


@pytest.mark.usefixtures("tasks")
def test_a_run_that_asks_nothing_keeps_the_cost_of_the_one_that_asked(ask):
    first = ask("fake:gold", "capitals")
    path = first.folder / "run.json"
    slow = {"started": "2026-01-01T00:00:00+00:00", "seconds": 99.5, "peak_memory_bytes": 7}
    path.write_text(json.dumps(json.loads(path.read_text()) | slow))
    before = cost(first)
    again = ask("fake:gold", "capitals")
    assert cost(again) == before
    assert again.run.seconds == 99.5
    path.write_text("{")
    assert cost(ask("fake:gold", "capitals"))[1] < 99.5


@pytest.mark.usefixtures("tasks")
def test_another_list_of_tasks_asks_only_for_what_is_new(ask, tiny_llama):
    alone = ask(tiny_llama, "capitals")
    both = ask(tiny_llama, "choices", "capitals")
    assert (both.run.asked, both.run.reused) == (12, 12)
    assert both.records[12:] == alone.records


@pytest.mark.usefixtures("tasks")
def test_a_run_in_another_folder_gives_the_same_records(ask, tiny_llama):
    here, there = (ask(tiny_llama, "capitals", output=name) for name in ("here", "there"))
    assert [record.reply.text for record in here.records] == [
        record.reply.text for record in there.records
    ]


@pytest.mark.parametrize("model", ["fake:gold", "fake:empty", "fake:constant=Lima"])
@pytest.mark.usefixtures("tasks")
def test_a_limit_gives_the_first_of_all_records(ask, model):
    few = without_seconds(ask(model, "capitals", limit=5).folder / "records.jsonl")
    assert few == without_seconds(ask(model, "capitals").folder / "records.jsonl")[:5]


def test_identical_requests_are_asked_once(ask, tmp_path, tiny_llama):
    rows = [row | {"id": f"{row['id']}-{copy}"} for row in capitals()[:3] for copy in range(4)]
    write_task(tmp_path / "tasks", rows=rows)
    done = ask(tiny_llama, "capitals")
    assert (done.run.asked, done.run.reused, len(done.records)) == (3, 9, 12)
    assert len(Ledger(tmp_path / "runs" / LEDGER)) == 3


def test_samples_differ_from_each_other_and_come_again_with_the_seed(ask, tmp_path, tiny_llama):
    drawn = {"max_tokens": 12, "samples": 3, "temperature": 1.0}
    write_task(tmp_path / "tasks", rows=capitals()[:4], generate=drawn)
    texts = [
        [record.reply.text for record in ask(tiny_llama, "capitals", seed=seed).records]
        for seed in (0, 1)
    ]
    assert len(set(texts[0] + texts[1])) == 24
    again = ask(tiny_llama, "capitals", seed=0, output="elsewhere")
    assert [record.sample for record in again.records] == [0, 1, 2] * 4
    assert [record.reply.text for record in again.records] == texts[0]


def test_pmi_subtracts_what_a_choice_is_worth_without_the_question(ask, tmp_path, tiny_llama):
    scorers = ["accuracy_pmi", "accuracy_none"]
    write_task(tmp_path / "tasks", **CHOOSES | {"scorers": scorers, "normalise": "pmi"})
    records = ask(tiny_llama, "capitals").records
    for record in records:
        gains = [a - b for a, b in zip(record.reply.logprobs, record.reply.baseline, strict=True)]
        assert record.prediction == record.choices[gains.index(max(gains))]
    paris = [record.reply.baseline[1] for record in records if record.choices[1] == "Paris"]
    assert len(paris) > 1
    assert max(paris) - min(paris) < 1e-4  # whichever row offers it; last bits differ by batch


@pytest.mark.usefixtures("tasks")
def test_run_json_says_what_was_done_where_and_at_what_cost(ask, tiny_llama):
    done = ask(tiny_llama, "capitals", "choices", shots=2, seed=5, limit=4)
    told = json.loads((done.folder / "run.json").read_text())
    assert told["settings"] | {"shots": 2, "seed": 5, "limit": 4} == told["settings"]
    assert told["model_description"]["dtype"] in ("float32", "bfloat16")
    assert told["model_digest"].startswith(told["model_description"]["weights"])
    assert told["environment"].keys() >= {"python", "platform", "torch", "transformers"}
    assert told["command"]
    assert told["started"].endswith("+00:00")
    assert told["seconds"] > 0
    assert told["peak_memory_bytes"] > 50 * 2**20
    assert told["energy_joules"] is None or told["energy_joules"] > 0


@pytest.mark.usefixtures("tasks")
def test_run_json_counts_tokens_seconds_and_digests_of_each_task(ask, tiny_llama):
    done = ask(tiny_llama, "capitals", "choices")
    writes, chooses = done.run.tasks
    assert [entry.rows for entry in done.run.tasks] == [12, 12]
    assert len({writes.digest, chooses.digest}) == 2
    assert writes.tokens_in == sum(record.reply.tokens_in for record in done.records[:12]) > 12
    assert 0 < writes.tokens_out <= 6 * 12
    assert chooses.tokens_out == 0
    assert min(writes.seconds, chooses.seconds) > 0


@pytest.mark.usefixtures("tasks")
def test_run_json_names_the_commit_of_the_working_directory(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ask("fake:gold", "capitals").run.git == {}
    (tmp_path / "repository").mkdir()
    monkeypatch.chdir("repository")
    commit = "-c user.name=a -c user.email=a@b.c commit --allow-empty -m one"
    for command in ("init", commit):
        subprocess.run(["git", *command.split()], check=True, capture_output=True)
    clean = ask("fake:gold", "capitals").run.git
    assert (len(clean["commit"]), clean["dirty"]) == (40, "no")
    (tmp_path / "repository/new.txt").touch()
    assert ask("fake:gold", "capitals").run.git["dirty"] == "yes"


def test_prompts_cut_on_the_left_are_counted(ask, tmp_path, tiny_llama):
    write_task(tmp_path / "tasks", rows=capitals()[:3], instruction="Please answer. " * 60)
    done = ask(tiny_llama, "capitals")
    assert done.run.tasks[0].truncated == 3
    assert [record.status for record in done.records] == ["scored"] * 3
