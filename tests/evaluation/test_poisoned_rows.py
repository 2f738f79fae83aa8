"""A row that cannot be asked or scored becomes a failed record with its reason."""

import json

import pytest

import bench
from bench.cli import main
from tests.evaluation.folders import capitals, save_tiny_llama, write_task

FAILS_ON_PERU = """
def score(example, reply):
    if "Peru" in example.question:
        raise ZeroDivisionError("the scorer tripped")
    return 0.5
"""
FAILS_ON_ALL = """
def score(example, reply):
    raise KeyError("country" if "Peru" in example.question else "answer")
"""
EMPTY = {"id": "empty", "country": "", "capital": "x", "options": []}
LONG = {"id": "long", "country": "Eldorado " * 60, "capital": "x", "options": []}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny model that reads 64 tokens, asked twelve good rows and three bad ones."""
    folder = tmp_path_factory.mktemp("poisoned")
    model = save_tiny_llama(folder / "model", reads_tokens=64)
    rows = [EMPTY, *capitals()[:6], LONG, *capitals()[6:]]
    prompt = "{% if country %}The capital of {{ country }} is{% endif %}"
    keys = {"scorers": ["score", "exact_match"], "prompt": prompt}
    write_task(folder / "tasks", rows=rows, code=FAILS_ON_PERU, **keys)
    (done,) = bench.evaluate(
        str(model), ["capitals"], output=folder / "runs", task_folders=[folder / "tasks"]
    )
    return done


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("test-2", "scoring: ZeroDivisionError('the scorer tripped')"),
        ("empty", "test.jsonl:1: prompt: empty after rendering"),
        ("long", "over-long prompt: the question has"),
    ],
)
def test_a_poisoned_row_fails_with_its_reason_and_without_a_score(run, row, reason):
    (record,) = [record for record in run.records if record.id == row]
    assert record.status == "failed"
    assert reason in record.reason
    assert (record.scores, record.prediction) == ({}, None)


def test_the_other_rows_are_scored(run):
    good = {row["id"] for row in capitals()} - {"test-2"}
    assert {record.id for record in run.records if record.status == "scored"} == good
    headline = run.cells[0]
    assert (headline.estimate, headline.n, headline.failed) == (0.5, 11, 3)


def test_a_failed_row_counts_neither_as_asked_nor_as_reused_unless_it_was(run):
    assert (run.run.asked, run.run.reused) == (12, 0)


def test_records_on_disk_keep_the_reasons(run):
    lines = (run.folder / "records.jsonl").read_text().splitlines()
    reasons = {record["id"]: record["reason"] for record in map(json.loads, lines)}
    assert sum(map(bool, reasons.values())) == 3
    assert bench.load_run(run.folder).records == run.records


def test_the_summary_counts_failures_and_the_exit_code_is_zero(tmp_path, capsys, monkeypatch):
    write_task(tmp_path, rows=[EMPTY, *capitals()], prompt="{{ country }}")
    command = f"bench eval fake:gold -t capitals --tasks {tmp_path} -o {tmp_path}/runs"
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit) as ended:
        main()
    notes = capsys.readouterr().err
    assert ended.value.code == 0
    assert "capitals: 1 of 13 rows failed: " in notes
    assert "12 requests asked, 0 from the ledger, 1 row failed" in notes


def test_a_run_in_which_every_row_fails_is_an_error_once_it_is_written(bench, tmp_path):
    write_task(tmp_path / "t", scorers=["score"], code=FAILS_ON_ALL)
    shown = bench("eval fake:gold -t capitals --tasks t -o runs --json")
    assert shown.code == 1
    assert json.loads(shown.out)["runs"][0]["cells"][0]["failed"] == 12
    assert "all 12 rows failed, 11 of them with: scoring: KeyError('answer')" in shown.err
    (records,) = tmp_path.glob("runs/*/records.jsonl")
    assert f"try: see the reason of every row in {records.relative_to(tmp_path)}" in shown.err
    assert bench("rescore runs --tasks t").code == 1


def test_a_task_none_of_whose_rows_can_be_rendered_is_an_error(tmp_path):
    write_task(tmp_path, prompt="{{ contry }}")
    with pytest.raises(bench.TaskError, match=r"test.jsonl:\d+: prompt .*'contry' is undefined"):
        bench.evaluate("fake:gold", ["capitals"], output=tmp_path, task_folders=[tmp_path])


def test_a_second_row_with_an_id_is_failed_not_counted(tmp_path):
    import bench

    rows = capitals()[:3]
    rows[2] = rows[2] | {"id": rows[0]["id"]}
    write_task(tmp_path / "tasks", rows=rows)
    (done,) = bench.evaluate(
        "fake:gold", "capitals", output=tmp_path, task_folders=[tmp_path / "tasks"]
    )
    assert [record.status for record in done.records] == ["scored", "scored", "failed"]
    assert "two rows" in done.records[2].reason


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": -3}, {"shots": -1}])
def test_numbers_without_meaning_are_refused(tmp_path, wrong):
    import bench

    with pytest.raises(bench.UsageError):
        bench.evaluate("fake:gold", "facts", output=tmp_path, **wrong)
