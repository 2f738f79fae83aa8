"""Golden prompts: what a change to a task or to the renderer does to the prompts, seen in review.

`tests/golden/<task>.txt` holds the first test row of each task that brings its own rows, with one
shot (seed 0), as plain text and as a chat. After a change that is meant:

    BENCH_UPDATE_GOLDEN=1 pytest tests/registry/test_golden.py
"""

import os
from pathlib import Path

import pytest

from bench.registry.folder import Task, embedded_folder
from bench.registry.prompt import ShotSettings, as_text, as_turns, load_examples
from tests.tasks_at import tasks_at

GOLDEN = Path(__file__).parents[1] / "golden"
REFRESH = "BENCH_UPDATE_GOLDEN"
EMBEDDED = {task.name: task for task in tasks_at([str(embedded_folder())])}
# Rows of the Hub are not ours to copy into the repository.
TASKS = {name: task for name, task in EMBEDDED.items() if task.spec.data.files}


def shown(task: Task) -> str:
    """The prompt as text, then as turns, then the text that would answer it."""
    example = load_examples(task, ShotSettings(1, seed=0), limit=1)[0][0]
    turns = [f"[{turn.role}]\n{turn.text}" for turn in as_turns(example)]
    parts = [
        f"=== {example.id} as text ===",
        as_text(example),
        f"=== {example.id} as a chat ===",
        *turns,
        f"=== target after {example.delimiter!r} ===",
        example.target,
    ]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("name", TASKS)
def test_the_prompt_is_the_one_in_the_golden_file(name):
    path = GOLDEN / f"{name}.txt"
    found = shown(TASKS[name])
    if os.environ.get(REFRESH):
        path.write_text(found, encoding="utf-8")
    remedy = f"look at the change, then: {REFRESH}=1 pytest {Path(__file__).name}"
    assert path.is_file(), f"{path} is missing; {remedy}"
    assert found == path.read_text(encoding="utf-8"), remedy


def test_every_golden_file_belongs_to_a_task():
    assert {path.stem for path in GOLDEN.glob("*.txt")} <= set(TASKS)


def test_every_embedded_folder_is_a_task():
    folders = {path.name for path in embedded_folder().iterdir() if path.is_dir()}
    assert {name for name in folders if not name.startswith((".", "_"))} == set(EMBEDDED)
