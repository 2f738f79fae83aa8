"""What a board says of one row or of many: samples of an item, and the best of several models."""

from dataclasses import replace
from random import Random

import pytest

from bench.reporting.comparison.board import make_board
from tests.reporting.comparison.made import METRIC, items, model, result


def sampled(rates, samples, seed=0):
    """A Result with so many samples of an item for each of `rates` of success."""
    random = Random(seed)
    scores = [float(random.random() < rate) for rate in rates for _ in range(samples)]
    names = tuple(f"q{place}" for place in range(len(rates)) for _ in range(samples))
    numbers = tuple(number for _ in rates for number in range(samples))
    made = items(scores, ids=names, digests=names, clusters=names, samples=numbers)
    return replace(result(model(), scores), items=made)


def headline(*results):
    return next(score for score in make_board(results).scores if score.headline)


def test_replies_that_hang_on_the_draw_alone_make_all_of_the_error():
    score = headline(sampled([0.5] * 200, samples=4))
    assert score.samples == 4
    assert score.from_sampling > 0.8


def test_items_that_all_samples_agree_on_leave_nothing_to_sampling():
    score = headline(sampled([0.0, 1.0] * 50, samples=4))
    assert score.from_sampling == 0.0


def test_one_reply_each_drawn_at_a_temperature_says_that_nobody_can_tell():
    drawn = result(model(), [1.0, 0.0] * 20, settings={"temperature": 0.7})
    score = headline(drawn)
    assert score.from_sampling is None
    assert any("one sample of each item" in told for told in score.warnings)
    assert headline(result(model(), [1.0, 0.0] * 20)).warnings == ()


def equal_models(count, n=60):
    return [
        result(
            model(f"m{place}"),
            [float(Random(f"{place}-{item}").random() < 0.5) for item in range(n)],
        )
        for place in range(count)
    ]


def test_the_best_of_equal_models_is_brought_down():
    board = make_board(equal_models(8))
    winner = board.winners["topic", ""]
    means = [score.estimate for score in board.scores if score.headline]
    assert winner.naive == max(means)
    assert winner.estimate < winner.naive
    assert winner.lo < 0.5 < winner.hi


def test_a_model_that_is_best_by_far_keeps_its_mean():
    far = result(model("far"), [1.0] * 59 + [0.0])
    winner = make_board([*equal_models(4), far]).winners["topic", ""]
    assert winner.estimate == pytest.approx(winner.naive, abs=0.01)


def test_where_lower_is_better_the_lowest_wins():
    metric = replace(METRIC, chance=1.0, lower_is_better=True)
    made = [replace(one, task=replace(one.task, metrics=(metric,))) for one in equal_models(5)]
    board = make_board(made)
    winner = board.winners["topic", ""]
    assert -winner.naive == min(score.estimate for score in board.scores if score.headline)


@pytest.mark.parametrize(("tasks", "known"), [(3, False), (6, True)])
def test_a_share_of_differences_between_tasks_is_told_only_where_it_is_estimated(tasks, known):
    """A handful of tasks are pooled by a method that gives no such share."""
    draw = Random(0)
    pairs = [(model(), 0.4), (model("sft", "base", "sft"), 0.6)]
    made = [
        result(who, [float(draw.random() < share) for _ in range(60)], f"task{number}")
        for who, share in pairs
        for number in range(tasks)
    ]
    (change,) = make_board(made).changes
    assert change.pooled.n_tasks == tasks
    assert (change.pooled.i2 is not None) is known
