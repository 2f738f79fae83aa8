"""Every model in one number: the plain mean of tasks that all share, guessing 0 and perfect 1."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.results.schema import Metric
from bench.reporting.site.overall import overall_of
from tests.reporting.site.boards import Shape, board, family

SHAPE = Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading", "topic"), items=30)


def test_it_is_the_mean_of_the_tasks_with_the_distances_of_independent_bounds():
    made = board(SHAPE)
    found = overall_of(made).scores[1]
    scores = [score for score in made.scores if score.row == 1]
    assert found.estimate == pytest.approx(np.mean([score.estimate for score in scores]))
    below = math.hypot(*(score.estimate - score.lo for score in scores)) / 2
    assert found.lo == pytest.approx(found.estimate - below)


def test_guessing_is_zero_and_lower_is_turned_round():
    results = family(SHAPE)
    quarter = Metric("accuracy", chance=0.25)
    lower = Metric("accuracy", lower_is_better=True, chance=1.0)
    told = [
        replace(
            one, task=replace(one.task, metrics=(quarter if one.task.name == "topic" else lower,))
        )
        for one in results
    ]
    made = make_board(told)
    by_task = {score.task: score.estimate for score in made.scores if score.row == 0}
    expected = ((by_task["topic"] - 0.25) / 0.75 + 1 - by_task["reading"]) / 2
    assert overall_of(made).scores[0].estimate == pytest.approx(expected)


def test_a_row_that_lacks_a_task_is_left_out_and_changes_nobody_elses_mean():
    results = family(replace(SHAPE, stages=("base", "sft", "ppo")))
    whole = overall_of(make_board(results))
    less = overall_of(make_board(results[:-1]))
    assert 2 not in less.scores or less.tasks != whole.tasks


def test_one_task_is_no_mean():
    assert overall_of(board(replace(SHAPE, tasks=("reading",)))).scores == {}
    assert overall_of(make_board([])).scores == {}
