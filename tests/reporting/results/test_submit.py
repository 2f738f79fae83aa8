"""A run is published whole, unchanged and traceable, or every reason why not is named."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import bench
from bench.errors import RunError
from bench.evaluation.known import known_task
from bench.reporting.results.audit import audit
from bench.reporting.results.files import load_result, load_results, save_result
from bench.reporting.results.from_run import results_of
from bench.reporting.results.submission import write_bundle
from bench.reporting.results.submission_note import note_of
from bench.reporting.results.submit import prepare
from bench.store import load_run, save_run
from tests.evaluation.folders import CAPITALS, CHOOSES, capitals, write_task
from tests.reporting.values import as_a_model, records, run, task


@pytest.fixture
def tasks(tmp_path):
    """A folder with the tasks `capitals` and `choices`."""
    write_task(tmp_path / "tasks")
    write_task(tmp_path / "tasks", "choices", **CHOOSES)
    return tmp_path / "tasks"


@pytest.fixture
def ask(tasks, tmp_path):
    """A function that runs a fake on both tasks, and gives the folder of the run as a model's."""

    def run(model="fake:random", names=("capitals", "choices"), **settings) -> Path:
        (done,) = bench.evaluate(
            model, names, output=tmp_path / "runs", task_folders=[tasks], **settings
        )
        return as_a_model(done.folder)

    return run


@pytest.fixture
def known(tasks):
    """What the registry says of the tasks, when asked."""
    return partial(known_task, folders=[tasks])


def change(folder, **changes):
    """Write a run again with another run.json."""
    run, records = load_run(folder)
    save_run(folder, replace(run, **changes), records)


def change_records(folder, changed):
    """Write a run again with its first record changed."""
    run, (first, *others) = load_run(folder)
    save_run(folder, run, [changed(first), *others])


def broken(bundle):
    """(key, rule) of each problem."""
    return [(problem.key, problem.rule) for problem in bundle.problems]


def test_a_good_run_gives_a_result_for_each_task_and_no_problem(ask, known):
    bundle = prepare([ask()], known)
    assert bundle.problems == ()
    assert [result.task.name for result in bundle.results] == ["capitals", "choices"]


def test_what_is_written_is_a_board_without_errors(ask, known, tmp_path):
    written = write_bundle(prepare([ask()], known), tmp_path / "results")
    assert [one.state for one in written] == ["new", "new"]
    assert audit([tmp_path / "results"]) == []


def test_the_note_says_command_settings_and_digests(ask, known, tmp_path):
    write_bundle(prepare([ask()], known), tmp_path / "results")
    (note,) = tmp_path.glob("results/*/*/SUBMISSION.md")
    text = note.read_text("utf-8").replace("\\", "")
    one = load_results([tmp_path / "results"])[0]
    assert f"    {one.provenance.command}\n" in text
    for told in (one.task.digest, one.task.prompts_digest, "shots 0", "sha256"):
        assert told in text


def test_tasks_that_are_not_known_are_noted(ask):
    bundle = prepare([ask(names=["capitals"])], lambda entry: None)
    assert (bundle.problems, len(bundle.results)) == ((), 1)
    assert bundle.notes[0].startswith("capitals: not in the registry")


def fewer_rows(rows):
    """A task with one row less."""
    return {"rows": rows[:-1]}


def other_row(rows):
    """A task in which the capital of Japan moved."""
    return {"rows": [rows[0] | {"capital": "Kyoto"}, *rows[1:]]}


@pytest.mark.parametrize(
    ("keys", "key", "found"),
    [
        ({"version": 2}, "tasks.capitals.version", "1"),
        ({"scorers": ["exact_match"]}, "tasks.capitals.scorers", "exact_match, contains"),
        ({"aggregates": ["macro_f1"]}, "tasks.capitals.aggregates", "none"),
        ({"chance": 0.3}, "tasks.capitals.chance", "0.0"),
        ({"rope": 0.3}, "tasks.capitals.rope", "0.0"),
        ({"margin": 0.3}, "tasks.capitals.margin", "0.0"),
        (other_row(capitals()), "tasks.capitals.digest", "other rows: test-0"),
        ({"generate": {"max_tokens": 9}}, "tasks.capitals.digest", "same rows, other scoring"),
    ],
)
def test_a_task_that_changed_since_is_refused_with_what_changed(
    ask, tasks, known, keys, key, found
):
    folder = ask(names=["capitals"])
    write_task(tasks, **keys)
    (problem,) = prepare([folder], known).problems
    assert (problem.path, problem.key, problem.rule) == (folder / "run.json", key, "unchanged")
    assert found in problem.found


def test_rows_that_were_not_asked_are_refused(ask, tasks, known):
    write_task(tasks, **fewer_rows(capitals()))
    folder = ask(names=["capitals"])
    write_task(tasks)
    assert ("tasks.capitals.rows", "complete") in broken(prepare([folder], known))


def test_a_task_that_cannot_be_read_is_a_problem(ask, tasks, known):
    folder = ask(names=["capitals"])
    (tasks / "capitals/test.jsonl").unlink()
    assert broken(prepare([folder], known)) == [("tasks.capitals", "unchanged")]


def test_a_limit_is_refused_unless_it_is_allowed_and_then_marked(ask, known):
    folder = ask(names=["capitals"], limit=5)
    assert broken(prepare([folder], known)) == [("tasks.capitals.limit", "limits")]
    bundle = prepare([folder], known, allow_limit=True)
    assert bundle.problems == ()
    assert bundle.results[0].settings["limit"] == 5
    assert "capitals: partial, only the first 5 rows were asked" in bundle.notes


def test_a_limit_that_leaves_nothing_out_is_no_limit(ask, known):
    bundle = prepare([ask(names=["capitals"], limit=500)], known)
    assert (bundle.problems, bundle.results[0].settings["limit"]) == ((), None)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"command": ""}, "command"),
        ({"environment": {}, "git": {"commit": "c0ffee"}}, "environment"),
        ({"environment": {"python": "3.12"}, "git": {}}, "git.commit"),
        ({"started": ""}, "started"),
        ({"model_digest": ""}, "model_description.weights"),
    ],
)
def test_missing_provenance_is_a_problem(ask, known, changes, key):
    folder = ask(names=["capitals"])
    change(folder, **changes)
    assert (key, "provenance") in broken(prepare([folder], known))


@pytest.mark.parametrize("started", ["yesterday", "2999-01-01T00:00:00+00:00"])
def test_a_run_that_started_at_no_past_time_is_told_once(ask, known, started):
    folder = ask()
    change(folder, started=started)
    assert broken(prepare([folder], known)) == [("provenance.started", "started")]


def test_failed_items_are_allowed_and_noted(ask, tasks, known):
    rows = [{**row, "country": None} if row["id"] == "test-3" else row for row in capitals()]
    rows[3].pop("country")
    write_task(tasks, rows=rows)
    bundle = prepare([ask(names=["capitals"])], known)
    assert bundle.problems == ()
    assert bundle.results[0].items.scores["contains"][-1] is None
    assert "capitals: 1 of 12 items failed and have no score" in bundle.notes


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        (lambda record: replace(record, scores={"exact_match": 7.0, "contains": 1.0}), "scores"),
        (lambda record: replace(record, scores={"contains": 1.0}), "counts"),
        (lambda record: replace(record, id="test-1"), "items"),
        (lambda record: replace(record, digest="x"), "unchanged"),
        (lambda record: replace(record, status="failed", scores={}), "counts"),
        (lambda record: replace(record, task="rivers"), "tasks"),
    ],
)
def test_records_that_contradict_the_run_are_problems(ask, known, changed, rule):
    folder = ask(names=["capitals"])
    change_records(folder, changed)
    assert rule in {problem.rule for problem in prepare([folder], known).problems}


def test_two_runs_of_one_model_on_one_task_are_a_problem(ask, known):
    first, second = (ask("fake:empty", ["capitals"], chat=chat) for chat in ("auto", "off"))
    (problem,) = prepare([first, second], known).problems
    assert (problem.path, problem.rule) == (second / "run.json", "duplicates")
    assert str(first) in problem.found


def test_runs_with_other_shots_are_published_side_by_side(ask, known, tmp_path):
    runs = [ask("fake:empty", ["capitals"], shots=shots) for shots in (0, 2)]
    written = write_bundle(prepare(runs, known), tmp_path / "results")
    assert [one.path.name for one in written] == ["capitals.json", "capitals~2-shot.json"]
    assert audit([tmp_path / "results"]) == []


def test_a_fake_is_not_published(tasks, known, tmp_path):
    (done,) = bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[tasks])
    (problem,) = prepare([done.folder], known).problems
    assert (problem.key, problem.rule) == ("model", "real")
    assert "fake:gold" in problem.found
    assert "bench eval MODEL -t capitals" in problem.remedy


def test_one_run_given_twice_is_one_run(ask, known):
    folder = ask(names=["capitals"])
    bundle = prepare([folder, folder.parent, folder / ".." / folder.name], known)
    assert (bundle.problems, len(bundle.results)) == ((), 1)


EDITS = {
    "another model": lambda text: text.replace('"model": "', '"model": "gpt-5-', 1),
    "another time": lambda text: text.replace('"seconds": ', '"seconds": 1', 1),
    "no number": lambda text: re.sub(r'"seconds": [0-9.]+', '"seconds": NaN', text),
    "a key of its own": lambda text: text.replace("{", '{"x": 1,', 1),
    "a key twice": lambda text: text.replace("{", '{"name": "other",', 1),
    "no seal": lambda text: re.sub(r',\s*"run_sha256": "[0-9a-f]+"', "", text),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_run_whose_settings_were_edited_is_refused(ask, known, edit):
    file = ask() / "run.json"
    before = file.read_text()
    file.write_text(edit(before))
    assert file.read_text() != before
    bundle = prepare([file.parent], known)
    assert "sealed" in [problem.rule for problem in bundle.problems]


def test_all_problems_of_all_runs_are_told_at_once(ask, tasks, known, tmp_path):
    first, second = ask(), ask("fake:gold")
    (first / "records.jsonl").write_text("{}\n")
    change(second, command="")
    write_task(tasks, **{**CAPITALS, "version": 2})
    bundle = prepare([tmp_path / "nowhere", first, second], known)
    assert [(problem.path.name, problem.key, problem.rule) for problem in bundle.problems] == [
        ("nowhere", "", "readable"),
        (first.name, "", "readable"),
        ("run.json", "command", "provenance"),
        ("run.json", "tasks.capitals.version", "unchanged"),
    ]
    with pytest.raises(RunError, match="4 problems") as caught:
        write_bundle(bundle, tmp_path / "results")
    for problem in bundle.problems:
        assert str(problem) in caught.value.cause
    assert not (tmp_path / "results").exists()


def test_the_same_result_again_changes_nothing(ask, known, tmp_path):
    bundle = prepare([ask()], known)
    write_bundle(bundle, tmp_path / "results")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*.json")}
    assert {one.state for one in write_bundle(bundle, tmp_path / "results")} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_result_is_refused_and_stays_unless_replaced(ask, known, tmp_path):
    bundle = prepare([ask(names=["capitals"])], known)
    (one,) = write_bundle(bundle, tmp_path / "results")
    other = replace(bundle, results=(replace(bundle.results[0], settings={"shots": 0}),))
    with pytest.raises(RunError, match=r"settings.*expected none, or the same"):
        write_bundle(other, tmp_path / "results")
    assert load_result(one.path) == bundle.results[0]
    (again,) = write_bundle(other, tmp_path / "results", replace=True)
    assert (again.state, load_result(one.path)) == ("replaced", other.results[0])


def test_a_damaged_published_file_is_refused_and_can_be_replaced(ask, known, tmp_path):
    bundle = prepare([ask(names=["capitals"])], known)
    (one,) = write_bundle(bundle, tmp_path / "results")
    one.path.write_text("{")
    with pytest.raises(RunError, match="another result"):
        write_bundle(bundle, tmp_path / "results")
    assert write_bundle(bundle, tmp_path / "results", replace=True)[0].state == "replaced"


def test_the_note_names_what_was_published_before_too(ask, known, tmp_path):
    for name in ("capitals", "choices"):
        write_bundle(prepare([ask("fake:empty", [name])], known), tmp_path / "results")
    (note,) = tmp_path.glob("results/*/*/SUBMISSION.md")
    text = note.read_text("utf-8")
    assert "2 results of 24 items" in text
    assert text.index("| capitals |") < text.index("| choices |")


def test_the_file_holds_the_numbers_of_the_records(ask, known, tmp_path):
    folder = ask("fake:random", names=["choices"])
    (one,) = write_bundle(prepare([folder], known), tmp_path / "results")
    _, records = load_run(folder)
    content = json.loads(one.path.read_text("utf-8"))
    assert content["items"]["scores"]["accuracy"] == [r.scores["accuracy"] for r in records]


def test_the_note_of_results_is_the_same_once_they_were_read_from_their_files(tmp_path):
    made = results_of(run(task("facts", rows=2)), records("facts", 1.0, 0.0))
    assert list(made[0].settings) != sorted(made[0].settings)
    paths = [save_result(tmp_path, one) for one in made]
    assert note_of([load_result(path) for path in paths]) == note_of(made)
