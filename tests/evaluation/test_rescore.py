"""Scorers may change after the answers were given: stored replies are scored without a model."""

import json
import shutil
from pathlib import Path

import pytest

import bench
from bench.api import rescore_run
from tests.evaluation.folders import CHOOSES, capitals, write_task


@pytest.fixture
def answered(tmp_path, tiny_llama):
    """A run of a model that is gone."""
    model = shutil.copytree(tiny_llama, tmp_path / "model")
    write_task(tmp_path / "tasks")
    write_task(tmp_path / "tasks", "choices", **CHOOSES)
    (done,) = bench.evaluate(
        str(model),
        ["capitals", "choices"],
        output=tmp_path / "runs",
        task_folders=[tmp_path / "tasks"],
    )
    shutil.rmtree(model)
    return done


def rescored(folder: Path, tasks: Path) -> bench.EvaluatedRun:
    return rescore_run(folder, [tasks])


def test_unchanged_scorers_give_the_same_bytes(answered, tmp_path):
    before = (answered.folder / "records.jsonl").read_bytes()
    assert rescored(answered.folder, tmp_path / "tasks").records == answered.records
    assert (answered.folder / "records.jsonl").read_bytes() == before


def test_changed_scorers_are_applied_to_the_stored_replies(answered, tmp_path):
    code = "def score(example, reply):\n    return min(1.0, len(reply.text) / 100)\n"
    keys = {"scorers": ["score"], "aggregates": ["macro_f1"], "version": 2}
    write_task(tmp_path / "tasks", code=code, **keys)
    again = rescored(answered.folder, tmp_path / "tasks")
    for record in again.records[:12]:
        assert record.scores == {"score": min(1.0, len(record.prediction) / 100)}
    assert [record.reply for record in again.records] == [
        record.reply for record in answered.records
    ]
    assert again.records[12:] == answered.records[12:]


def test_run_json_has_what_scores_mean_by_now(answered, tmp_path):
    write_task(tmp_path / "tasks", chance=0.25, rope=0.03, margin=0.07)
    entry = rescored(answered.folder, tmp_path / "tasks").run.tasks[0]
    assert (entry.chance, entry.rope, entry.margin) == (0.25, 0.03, 0.07)


def test_run_json_names_the_new_scorers_version_and_digest(answered, tmp_path):
    write_task(tmp_path / "tasks", scorers=["contains"], version=2)
    again = rescored(answered.folder, tmp_path / "tasks")
    before, entry = answered.run.tasks[0], again.run.tasks[0]
    assert (entry.scorers, entry.version) == (("contains",), 2)
    assert entry.digest != before.digest
    (fresh,) = bench.evaluate(
        "fake:gold", ["capitals"], output=tmp_path, task_folders=[tmp_path / "tasks"]
    )
    assert entry.digest == fresh.run.tasks[0].digest
    assert bench.load_run(answered.folder).run == again.run


def test_a_scorer_that_now_fails_makes_failed_records_and_mending_it_brings_them_back(
    answered, tmp_path
):
    good = "def score(example, reply):\n    return 1.0\n"
    write_task(tmp_path / "tasks", code=good.replace("1.0", "1 / 0"), scorers=["score"])
    broken = rescored(answered.folder, tmp_path / "tasks")
    assert broken.run.tasks[0].failed == 12
    assert "division by zero" in broken.records[0].reason
    write_task(tmp_path / "tasks", code=good, scorers=["score"])
    assert rescored(answered.folder, tmp_path / "tasks").run.tasks[0].failed == 0


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "{{ country }}:"},
        {"rows": capitals()[1:]},
        {"instruction": "Now", "answer": "country"},
    ],
)
def test_items_that_changed_since_they_were_answered_are_refused(answered, tmp_path, change):
    write_task(tmp_path / "tasks", **change)
    with pytest.raises(bench.RunError, match=r"row test-0 is not what it was when answered"):
        rescored(answered.folder, tmp_path / "tasks")
    assert bench.load_run(answered.folder).records == answered.records


def test_rows_that_were_never_answered_stay_failed(tmp_path):
    rows = [{"id": "none", "country": "", "capital": "x"}, *capitals()]
    keys = {"rows": rows, "prompt": "{{ country }}"}
    write_task(tmp_path / "tasks", **keys)
    (done,) = bench.evaluate(
        "fake:gold", ["capitals"], output=tmp_path, task_folders=[tmp_path / "tasks"]
    )
    assert rescored(done.folder, tmp_path / "tasks").records == done.records
    assert json.loads((done.folder / "run.json").read_text())["tasks"][0]["failed"] == 1


def gold_mended(key: str) -> list[dict]:
    """The rows, the first with another right answer: "Paris", the second of its choices."""
    first, *others = capitals()
    return [first | {key: "Paris"}, *others]


@pytest.mark.parametrize("shots", [0, 2])
@pytest.mark.parametrize("keys", [{}, CHOOSES])
def test_a_gold_answer_that_was_mended_is_what_replies_are_scored_against(tmp_path, keys, shots):
    folder = tmp_path / "tasks"
    write_task(folder, **keys)
    (done,) = bench.evaluate(
        "fake:constant=Paris", ["capitals"], output=tmp_path, task_folders=[folder], shots=shots
    )
    write_task(folder, **keys, rows=gold_mended("capital"))
    again = rescored(done.folder, folder)
    first, before = again.records[0], done.records[0]
    (metric,) = {"accuracy", "exact_match"} & first.scores.keys()
    assert (before.scores[metric], first.scores[metric], again.new_references) == (0.0, 1.0, 1)
    assert (first.prompt_digest, first.reply) == (before.prompt_digest, before.reply)
    assert first.digest != before.digest
    assert again.records[1:] == done.records[1:]
    (fresh,) = bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[folder])
    assert again.run.tasks[0].digest == fresh.run.tasks[0].digest


def test_choices_that_changed_are_refused_though_the_prompt_is_the_same(tmp_path):
    folder = tmp_path / "tasks"
    write_task(folder, **CHOOSES)
    (done,) = bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[folder])
    first, *others = capitals()
    write_task(folder, **CHOOSES, rows=[first | {"options": ["Tokyo", "Lyon"]}, *others])
    with pytest.raises(bench.RunError, match="row test-0 is not what it was when answered"):
        rescored(done.folder, folder)


@pytest.fixture
def chatted(tmp_path):
    """A run through a chat template, its task and its model, which is still there."""
    from tests.models import tiny  # torch

    model = tiny.save("llama", tmp_path / "chat", chat=True)
    write_task(tmp_path / "tasks", instruction="Answer.")
    (done,) = bench.evaluate(
        str(model),
        ["capitals"],
        output=tmp_path / "runs",
        task_folders=[tmp_path / "tasks"],
        shots=2,
    )
    assert done.run.settings["chat"] is True
    return done


def test_a_gold_answer_of_a_chat_may_be_mended_while_its_template_says_the_prompt_is_the_same(
    chatted, tmp_path
):
    write_task(tmp_path / "tasks", instruction="Answer.", rows=gold_mended("capital"))
    again = rescored(chatted.folder, tmp_path / "tasks")
    assert again.new_references == 1
    assert again.records[0].answers == ("Paris",)
    assert [one.reply for one in again.records] == [one.reply for one in chatted.records]


@pytest.mark.parametrize("change", [{"instruction": "Say."}, {"prompt": "{{ country }}?"}])
def test_a_chat_that_asks_otherwise_is_refused(chatted, tmp_path, change):
    keys = {"instruction": "Answer.", "rows": gold_mended("capital")} | change
    write_task(tmp_path / "tasks", **keys)
    with pytest.raises(bench.RunError, match="is not what it was when answered") as refused:
        rescored(chatted.folder, tmp_path / "tasks")
    assert refused.value.remedy == "run the evaluation again: bench eval"


def test_a_chat_whose_template_is_gone_is_refused_with_where_it_was(chatted, tmp_path):
    shutil.rmtree(tmp_path / "chat")
    write_task(tmp_path / "tasks", instruction="Answer.", rows=gold_mended("capital"))
    with pytest.raises(bench.RunError, match="is not what it was when answered") as refused:
        rescored(chatted.folder, tmp_path / "tasks")
    assert refused.value.remedy.startswith(f"bring {tmp_path / 'chat'} back, whose chat template")
