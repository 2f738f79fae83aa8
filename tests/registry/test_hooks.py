"""task.py: load, render and score are called, nothing else is public, and it runs only on use."""

import pytest

from bench.errors import TaskError
from bench.registry.data import count_rows, load_rows
from bench.registry.folder import all_tasks, select
from bench.registry.hooks import Hooks, load_hooks
from bench.registry.prompt import load_examples

MISTAKES = {
    "syntax": ("def load(split)", "task.py: cannot be imported: SyntaxError"),
    "raises": ("1 / 0", "task.py: cannot be imported: ZeroDivisionError: division by zero"),
    "absent import": ("import nothing_of_that_name", "cannot be imported: ModuleNotFoundError"),
    "stray function": (
        "def helper():\n    return 1",
        "task.py: defines helper; only load, render, score are called",
    ),
    "stray class": ("class Helper:\n    pass", "task.py: defines Helper; only load,"),
    "no function": ("score = 0.5", "task.py: score is 0.5, expected a function"),
}


def test_a_folder_without_task_py_has_no_hooks(write_task):
    assert load_hooks(write_task().folder) == Hooks()


def test_load_gives_the_rows_of_each_split(write_task):
    code = "def load(split):\n    return [{'id': split, 'country': 'Chile', 'capital': 'Santiago'}]"
    task = write_task(code=code)
    row = load_rows(task, "test")[0]
    assert row.values == {"id": "test", "country": "Chile", "capital": "Santiago"}
    assert row.where == f"{task.folder}/task.py test row 1"


def test_render_adds_fields_and_keeps_the_others(write_task):
    task = write_task(code="def render(row):\n    return {'country': row['country'].upper()}")
    assert load_rows(task, "test")[0].values["country"] == "JAPAN"
    examples, _ = load_examples(task)
    assert examples[0].question == "What is the capital of JAPAN?"
    assert examples[0].answers == ("Tokyo",)


def test_render_cannot_change_the_row_that_others_see(write_task):
    task = write_task(code="def render(row):\n    row.clear()\n    return {}")
    assert load_rows(task, "test")[0].values["capital"] == "Tokyo"


def test_score_is_handed_over_as_it_is(write_task):
    task = write_task(code="def score(example, reply):\n    return 0.5")
    score = load_hooks(task.folder).score
    assert score is not None
    assert score(None, None) == 0.5


def test_imports_constants_and_underscored_helpers_are_no_hooks(write_task):
    code = """
from __future__ import annotations
from collections import Counter
from dataclasses import dataclass
from math import sqrt
import json

LETTERS = "ABCD"

@dataclass(frozen=True)
class _Pair:
    left: str

def _helper(): return Counter()

def render(row): return {"left": _Pair("a").left}
"""
    assert load_rows(write_task(code=code), "test")[0].values["left"] == "a"


@pytest.mark.parametrize(("code", "cause"), MISTAKES.values(), ids=MISTAKES)
def test_a_task_py_that_cannot_be_used_is_an_error_that_names_it(write_task, code, cause):
    task = write_task(code=code)
    with pytest.raises(TaskError) as caught:
        load_rows(task, "test")
    assert caught.value.cause.startswith(f"{task.folder}/")
    assert cause in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def load(split):\n    raise KeyError(split)", "task.py: load('test'): KeyError: 'test'"),
        ("def load(split):\n    return [1]", "task.py: load('test'): TypeError"),
        ("def load(split):\n    return []", "capitals: split 'test' holds no rows"),
        ("def render(row):\n    return row['absent']", "test.jsonl:1: render: KeyError: 'absent'"),
        ("def render(row):\n    return None", "test.jsonl:1: render: TypeError"),
    ],
)
def test_a_hook_that_fails_is_an_error_that_says_where(write_task, code, cause):
    with pytest.raises(TaskError) as caught:
        load_rows(write_task(code=code), "test")
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_listing_and_counting_do_not_import_task_py(write_task, tmp_path):
    task = write_task(code="raise SystemExit('task.py was imported')")
    listed = all_tasks([tmp_path / "tasks"])
    assert task.name in [task.name for task in listed]
    assert select(["capitals"], [tmp_path / "tasks"])
    assert count_rows(task, "test") is None
