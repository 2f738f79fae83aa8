"""Every core task knows right from nothing, and chance from both."""

from functools import cache
from math import sqrt

import pytest

import bench
from bench.types import Cell

CORE = [task.name for task in bench.load_tasks(["core"])]
CHOICE = [task.name for task in bench.load_tasks(["core"]) if task.spec.generate is None]
SLOW = {"python_functions": 10}  # rows that run code


@pytest.fixture(scope="module")
def headline(tmp_path_factory):
    """headline(model, task): the first cell of a run of all rows (few where code is run)."""
    output = tmp_path_factory.mktemp("runs")

    @cache
    def found(model: str, task: str) -> Cell:
        (run,) = bench.evaluate(model, [task], limit=SLOW.get(task), output=output)
        return next(cell for cell in run.cells if cell.headline)

    return found


def test_core_holds_at_least_fifteen_tasks():
    assert len(CORE) >= 15


@pytest.mark.parametrize("task", CORE)
def test_the_gold_answer_scores_one(headline, task):
    cell = headline("fake:gold", task)
    assert (cell.estimate, cell.failed) == (1.0, 0)


@pytest.mark.parametrize("task", CORE)
def test_an_empty_reply_scores_zero(headline, task):
    cell = headline("fake:empty", task)
    assert (cell.estimate, cell.failed) == (0.0, 0)


@pytest.mark.parametrize("task", CHOICE)
def test_random_choices_land_near_the_stated_chance(headline, task):
    cell = headline("fake:random", task)
    assert cell.n >= 100
    error = sqrt(cell.chance * (1 - cell.chance) / cell.n)
    assert abs(cell.estimate - cell.chance) < 3 * error
