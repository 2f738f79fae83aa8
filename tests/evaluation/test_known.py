"""The registry's view of a task that a run asked: digests, scorers, how many records are whole."""

from dataclasses import replace

import pytest

import bench
from bench.errors import TaskError, UsageError
from bench.evaluation.known import known_task
from tests.evaluation.folders import write_task


@pytest.fixture
def tasks(tmp_path):
    """A folder with the task `capitals` of 12 rows."""
    write_task(tmp_path / "tasks")
    return tmp_path / "tasks"


@pytest.fixture
def entry(tasks, tmp_path):
    """What run.json says of `capitals`, of which 5 rows were asked."""
    (done,) = bench.evaluate(
        "fake:gold", "capitals", output=tmp_path, task_folders=[tasks], limit=5
    )
    return done.run.tasks[0]


def test_an_unchanged_task_is_what_was_asked(tasks, entry):
    known = known_task(entry, [tasks])
    assert (known.version, known.digest) == (entry.version, entry.digest)
    assert (known.scorers, known.aggregates) == (entry.scorers, entry.aggregates)
    assert (known.asked, known.whole) == (entry.rows, 12)
    assert list(known.items) == [f"test-{at}" for at in range(5)]


def test_without_a_limit_the_whole_task_was_asked(tasks, entry):
    known = known_task(replace(entry, limit=None), [tasks])
    assert known.asked == known.whole == len(known.items) == 12


def test_every_sample_of_an_item_is_a_record(tasks, entry):
    write_task(tasks, generate={"max_tokens": 6, "samples": 3, "temperature": 1.0})
    known = known_task(entry, [tasks])
    assert (known.asked, known.whole) == (15, 36)


def test_a_row_that_cannot_be_rendered_is_a_record_without_an_item(tasks, entry):
    rows = [{"id": "a", "country": "Japan", "capital": "Tokyo"}, {"id": "b", "country": "Peru"}]
    write_task(tasks, rows=rows)
    known = known_task(entry, [tasks])
    assert (known.asked, list(known.items)) == (2, ["a"])


def test_a_task_of_another_name_is_not_known(tasks, entry):
    assert known_task(replace(entry, task="rivers"), [tasks]) is None


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda tasks: (tasks / "capitals/test.jsonl").unlink(), TaskError),
        (lambda tasks: (tasks / "capitals/task.yaml").write_text("kind: qq"), TaskError),
    ],
)
def test_a_task_that_cannot_be_read_is_an_error(tasks, entry, damage, error):
    damage(tasks)
    with pytest.raises(error):
        known_task(entry, [tasks])


def test_a_wording_that_is_gone_is_an_error(tasks, entry):
    with pytest.raises(UsageError, match="no variant 'question'"):
        known_task(replace(entry, variant="question"), [tasks])
