"""A damaged run among many is named and left out; one that was asked for by itself is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.reporting.results.files import save_result
from bench.store import load_run, save_run
from tests.reporting.comparison.made import model, result
from tests.reporting.values import descended, records, task

SCORES = [1.0] * 30 + [0.0] * 10


@pytest.fixture
def runs(tmp_path) -> Path:
    """runs/ with a base, its sft, and a third that the tests damage."""
    for name, parent in (("base", ""), ("sft", "base"), ("third", "sft")):
        made = descended(name, parent, "sft", name=name, tasks=(task("facts", rows=40),))
        save_run(tmp_path / "runs" / name, made, records("facts", *SCORES))
    return tmp_path / "runs"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_task(path: Path) -> None:
    """run.json names a task that no record is of."""
    told = json.loads(path.read_text())
    told["tasks"][0]["task"] = "logic"
    path.write_text(json.dumps(told))


def twice(path: Path) -> None:
    """run.json names its task twice."""
    told = json.loads(path.read_text())
    told["tasks"] = [{**told["tasks"][0], "rows": 20}] * 2
    path.write_text(json.dumps(told))


DAMAGES = {
    "run.json cut in half": ("run.json", cut, "third/run.json: file: Invalid JSON"),
    "run.json empty": ("run.json", lambda path: path.write_bytes(b""), "third/run.json: file"),
    "run.json of another task": ("run.json", other_task, "third/run.json: tasks: found"),
    "run.json with a task twice": ("run.json", twice, "third/run.json: tasks: found one twice"),
    "records cut in half": ("records.jsonl", cut, "third/records.jsonl:"),
    "records gone": ("records.jsonl", Path.unlink, "third/records.jsonl: cannot be read"),
    "records no text": (
        "records.jsonl",
        lambda path: path.write_bytes(b"\xff\xfe"),
        "third/records.jsonl: cannot be read",
    ),
    "a record edited": (
        "records.jsonl",
        lambda path: path.write_text(path.read_text().replace("1.0", "0.0", 1)),
        "third/records.jsonl: is not the file that run.json was written with",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_among_many_is_named_once_and_the_others_are_shown(
    bench, runs, tmp_path, damage
):
    file, change, told = DAMAGES[damage]
    change(runs / "third" / file)
    shown = bench("board build runs -o site")
    assert shown.code == 0, shown.err
    (line,) = [line for line in shown.err.splitlines() if line.startswith("left out, damaged: ")]
    assert line.startswith(f"left out, damaged: runs/{told}")
    assert "; try: run the evaluation again" in line
    assert "sft" in shown.out
    methods = (tmp_path / "site/methods.html").read_text(encoding="utf-8")
    assert f"{told.split(':')[0]}:" in methods
    assert "runs/third" not in methods
    compared = bench("compare sft base")
    assert compared.code == 0, compared.err
    assert compared.err.count("left out, damaged: runs/third") == 1
    refused = bench("compare third base")
    assert refused.code == 1
    assert f"runs/{told.split(':')[0]}" in refused.err
    assert bench("compare runs/third runs/base").code == 1
    assert bench("board build runs/base runs/third -o other").code == 1
    assert not (tmp_path / "other").exists()


UNSOUND = {
    "a score below 0": ({"scores": {"accuracy": -1.0}}, "scores: items.scores.accuracy: found -1"),
    "no score": ({"scores": {}}, "counts: items.scores.accuracy: none at position 0"),
    "a score that is no number": ({"scores": {"accuracy": float("nan")}}, "finite: items.scores"),
    "a probability of 1e308": ({"probabilities": (1e308, 0.0)}, "is too large"),
}


@pytest.mark.parametrize("unsound", UNSOUND)
def test_a_run_that_is_whole_and_cannot_be_is_named_and_left_out(bench, runs, unsound):
    changes, told = UNSOUND[unsound]
    run, (first, *others) = load_run(runs / "third")
    save_run(runs / "third", run, [replace(first, **changes), *others])
    shown = bench("board build runs -o site")
    assert shown.code == 0, shown.err
    (line,) = [line for line in shown.err.splitlines() if line.startswith("left out, damaged: ")]
    assert told in line
    refused = bench("board build runs/third -o other")
    assert refused.code == 1
    assert told in refused.err


@pytest.mark.parametrize(
    "command", ["build -o site", "export -o eee --organization a --developer b"]
)
def test_sealed_results_that_cannot_be_are_refused_with_the_rule(bench, tmp_path, command):
    one = result(model(), SCORES)
    broken = replace(one, items=replace(one.items, scores={}))
    save_result(tmp_path / "leaderboard/results", broken)
    shown = bench(f"board {command}")
    assert shown.code == 1
    assert "topic.json: columns: items.scores: found []" in shown.err


def test_two_run_folders_are_compared_whatever_lies_beside_them(bench, runs):
    cut(runs / "third/run.json")
    shown = bench("compare runs/sft runs/base")
    assert shown.code == 0
    assert "left out" not in shown.err


def test_a_board_of_nothing_but_damaged_runs_names_them_all(bench, runs):
    for name in ("base", "sft", "third"):
        cut(runs / name / "run.json")
    shown = bench("board build runs -o site")
    assert shown.code == 1
    assert "nothing here can be read, 3 are damaged" in shown.err
    assert all(f"runs/{name}/run.json" in shown.err for name in ("base", "sft", "third"))


def test_a_damaged_ledger_does_not_stop_a_board(bench, runs):
    (runs / "ledger.sqlite").write_bytes(b"no ledger")
    assert bench("board build runs -o site").code == 0


@pytest.fixture
def edited(tmp_path):
    """A function that writes three results below a folder, one of them edited."""

    def write(folder: str) -> Path:
        for one in (model(), model("sft", "base", "sft"), model("third", "sft", "ppo")):
            path = save_result(tmp_path / folder, result(one, SCORES))
        path.write_text(path.read_text().replace("1.0", "0.0", 1))
        return path.relative_to(tmp_path)

    return write


def test_an_edited_file_of_results_is_named_and_left_out(bench, edited):
    path = edited("mine")
    shown = bench("board build mine -o site")
    assert shown.code == 0, shown.err
    assert f"left out, damaged: {path}: sha256: found" in shown.err
    assert bench("compare sft base --runs mine").code == 0
    assert f"{path}: sha256: found" in bench("compare third base --runs mine").err


def test_an_edited_file_where_results_are_published_is_refused(bench, edited, tmp_path):
    path = edited("leaderboard/results")
    for command in ("board build -o site", f"board build {tmp_path}/leaderboard/results -o site"):
        shown = bench(command)
        assert shown.code == 1
        assert f"{path}: sha256: found" in shown.err
    assert not (tmp_path / "site").exists()
