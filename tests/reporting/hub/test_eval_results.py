"""`.eval_results`: what is written is read back by the Hub's own client, the rest is refused."""

from dataclasses import replace

import pytest
import yaml
from huggingface_hub import EvalResultEntry, parse_eval_result_entries

from bench.errors import RunError
from bench.reporting.hub.card_score import CardScore
from bench.reporting.hub.eval_results import (
    Benchmark,
    benchmarks_in,
    entries_of,
    read_eval_results,
    write_eval_results,
)
from bench.reporting.hub.model_folder import write_model_folder
from bench.reporting.results.schema import Metric
from tests.reporting.results.values import SFT_MODEL, result

REVISION = "0123456789abcdef0123456789abcdef01234567"
SCORE = CardScore("topic", "accuracy", 0.49, 0.394, 0.587, 100)
TOPIC = {"topic": Benchmark("org/suite", "topic", REVISION)}
BOARD = "https://huggingface.co/spaces/org/board"
# From the specification (hub-docs, eval_results.yaml), every key.
SPECIFIED = """
- dataset:
    id: cais/hle
    task_id: default
    revision: 0123456789abcdef0123456789abcdef01234567
  value: 20.90
  verifyToken: token
  date: "2025-01-15T10:30:00Z"
  source:
    url: https://huggingface.co/spaces/someone/logs
    name: Eval Logs
    user: someone
  notes: no-tools
"""


def test_a_file_says_n_interval_and_date(tmp_path):
    path = write_eval_results(tmp_path, entries_of([result(SFT_MODEL)], [SCORE], TOPIC, BOARD))
    assert path == tmp_path / ".eval_results/instruct-bench.yaml"
    assert yaml.safe_load(path.read_text("utf-8")) == [
        {
            "dataset": {"id": "org/suite", "task_id": "topic", "revision": REVISION},
            "value": 0.49,
            "date": "2026-01-01T12:00:00+00:00",
            "source": {"url": BOARD, "name": "instruct-bench"},
            "notes": "accuracy, n=100, 95% CI 0.394 to 0.587, 0-shot, "
            "rows and scoring rows-of-topic",
        }
    ]


def test_the_client_reads_what_was_written(tmp_path):
    entries = entries_of([result(SFT_MODEL)], [SCORE], TOPIC)
    path = write_eval_results(tmp_path, entries)
    assert parse_eval_result_entries(yaml.safe_load(path.read_text("utf-8"))) == entries
    assert read_eval_results(path.read_text("utf-8"), str(path)) == entries


def test_the_file_of_the_specification_is_read():
    (entry,) = read_eval_results(SPECIFIED, "hle.yaml")
    assert (entry.dataset_id, entry.value, entry.notes) == ("cais/hle", 20.9, "no-tools")


def test_only_headlines_of_tasks_in_a_benchmark_are_written():
    two = result(SFT_MODEL)
    metrics = (Metric("accuracy"), Metric("f1"))
    held = [replace(two, task=replace(two.task, metrics=metrics)), result(SFT_MODEL, "facts")]
    scores = [SCORE, replace(SCORE, metric="f1"), replace(SCORE, task="facts")]
    assert [entry.task_id for entry in entries_of(held, scores, TOPIC)] == ["topic"]
    everything = benchmarks_in("org/suite", held)
    assert [entry.task_id for entry in entries_of(held, scores, everything)] == ["topic", "facts"]


FAULTS = {
    "dataset.id": ({"dataset_id": "suite"}, "found 'suite'"),
    "dataset.task_id": ({"task_id": ""}, "found ''"),
    "dataset.revision": ({"dataset_revision": "main"}, "40 digits"),
    "value: text": ({"value": "0.49"}, "found '0.49'"),
    "value: nan": ({"value": float("nan")}, "found nan"),
    "value: true": ({"value": True}, "found True"),
    "date": ({"date": "yesterday"}, "found 'yesterday'"),
    "source.url": ({"source_url": "board"}, "found 'board'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_entry_against_the_format_is_refused_with_its_key(tmp_path, fault):
    changes, told = FAULTS[fault]
    entry = EvalResultEntry(**{"dataset_id": "org/a", "task_id": "t", "value": 1.0, **changes})
    with pytest.raises(RunError) as caught:
        write_eval_results(tmp_path, [entry])
    assert f"[0].{fault.partition(':')[0]}" in caught.value.cause
    assert told in caught.value.cause
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["- value: 1", "a: [", "7", "- 7", "- dataset: {id: org/a}"])
def test_a_file_that_is_no_list_of_entries_is_refused(text):
    with pytest.raises(RunError, match=r"a\.yaml: cannot be read"):
        read_eval_results(text, "a.yaml")


def test_the_folder_of_a_model_holds_card_and_scores(tmp_path):
    held = [result(SFT_MODEL)]
    write_model_folder(tmp_path, "# Mine\n", held, [SCORE], TOPIC, "org/small", BOARD)
    assert "base_model: org/small" in (tmp_path / "README.md").read_text("utf-8")
    assert (tmp_path / ".eval_results/instruct-bench.yaml").is_file()


def test_a_model_on_no_benchmark_gets_the_card_alone(tmp_path):
    write_model_folder(tmp_path, "", [result(SFT_MODEL)], [SCORE], {})
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
