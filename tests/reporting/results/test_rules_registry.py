"""Results are held against the task folders that are there, and each fault is found by its rule."""

from dataclasses import replace

import pytest

from bench.errors import TaskError
from bench.registry.known import KnownTask
from bench.reporting.results.audit import audit
from bench.reporting.results.files import load_result, save_result
from bench.reporting.results.rules_registry import registry_rules
from tests.reporting.results.values import BASE, result, write_board

TOPIC = f"small/{BASE}/topic.json"


def known(name, variant, limit):
    """The tasks of `values.result`, as their folders say."""
    one = result(task=name)
    return KnownTask(
        version=1,
        digest=one.task.digest,
        scorers=("accuracy",),
        aggregates=(),
        items=dict(zip(one.items.ids, one.items.digests, strict=True)),
        asked=20,
        whole=20,
        chance=0.0,
        rope=0.01,
        margin=0.02,
    )


@pytest.fixture
def board(tmp_path):
    return write_board(tmp_path / "results")


def found(board, known=known):
    """Rule, severity and what is told of the base model's topic."""
    findings = audit([board], registry_rules(known))
    return [(one.rule, one.severity, one.told) for one in findings if one.file.endswith(TOPIC)]


def test_results_that_are_as_their_tasks_say_have_no_finding(board):
    assert found(board) == []


CHANGES = {
    "other rows or scoring": ({"digest": "other"}, "task.digest: found rows-of-topic, other"),
    "other scorers": ({"scorers": ("f1",)}, "task.metrics: found accuracy, f1"),
    "other items": ({"items": {}}, "items.digests: other items than in the task folder: 'topic-0'"),
    "more items": ({"asked": 30}, "asked: found 20, 30"),
    "another chance": ({"chance": 0.25}, "task.metrics.accuracy.chance: found 0.0, 0.25"),
    "another rope": ({"rope": 0.1}, "task.metrics.accuracy.rope: found 0.01, 0.1"),
    "another margin": ({"margin": 0.1}, "task.metrics.accuracy.margin: found 0.02, 0.1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_result_that_its_task_folder_contradicts_is_an_error(board, change):
    changes, told = CHANGES[change]
    ((rule, severity, said),) = found(board, lambda *of: replace(known(*of), **changes))
    assert (rule, severity) == ("registry", "error")
    assert said.startswith(told)


def test_a_result_of_an_older_version_is_a_warning(board):
    told = "task.version: found 1, 2 by the task folder"
    newer = found(board, lambda *of: replace(known(*of), version=2, digest="other"))
    assert newer == [("outdated", "warning", told)]


def test_a_task_without_a_folder_is_a_warning(board):
    told = "task.name: no task folder of 'topic' here to hold it to"
    assert found(board, lambda *of: None) == [("outdated", "warning", told)]


def test_a_task_that_cannot_be_read_is_a_warning_with_its_cause(board):
    def broken(*of):
        raise TaskError("topic/task.yaml: kind: missing", "write one")

    told = "task.name: cannot be held to its task folder: topic/task.yaml: kind: missing"
    assert found(board, broken) == [("outdated", "warning", told)]


def test_a_task_of_another_tool_with_the_name_of_one_of_ours_is_left_alone(board):
    one = load_result(board / TOPIC)
    told = replace(one.provenance, tool="lm-eval 0.4.13")
    save_result(board, replace(one, provenance=told))
    assert found(board, lambda *of: replace(known(*of), digest="other")) == []
