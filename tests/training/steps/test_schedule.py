"""The learning rate: its corners by hand, and what holds for every schedule."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bench.training.settings import Optimizer
from bench.training.steps.schedule import rate_at

KINDS = ("cosine", "linear", "constant")
OPTIMIZERS = some.builds(
    Optimizer,
    lr=some.floats(1e-7, 1.0),
    schedule=some.sampled_from(KINDS),
    warmup=some.integers(0, 30),
    warmup_from=some.floats(0.0, 0.99),
    final=some.floats(0.0, 0.99),
)
TOTALS = some.integers(1, 200)


def rates(total, **settings):
    chosen = Optimizer(lr=1.0, **settings)
    return [rate_at(chosen, step, total) for step in range(total)]


def test_the_warmup_rises_along_a_line_and_ends_at_the_peak():
    found = rates(5, schedule="constant", warmup=4, warmup_from=0.2)
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1.0, 1.0, 1.0, 1.0]),
        ("linear", [1.0, 0.8, 0.6, 0.4]),
        ("cosine", [1.0, 0.2 + 0.4 * (1 + math.sqrt(0.5)), 0.6, 0.2 + 0.4 * (1 - math.sqrt(0.5))]),
    ],
)
def test_the_rate_falls_towards_the_final_share(schedule, expected):
    assert rates(4, schedule=schedule, final=0.2) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_what_comes_after_the_last_update_would_have_the_final_share(schedule):
    chosen = Optimizer(lr=2.0, schedule=schedule, warmup=3, final=0.25)
    assert rate_at(chosen, 10, 10) == pytest.approx(0.5)


def test_a_warmup_longer_than_the_stage_only_rises():
    assert rates(3, warmup=10) == pytest.approx([0.0, 0.1, 0.2])


@given(OPTIMIZERS, TOTALS)
def test_no_rate_is_above_the_peak_or_below_nothing(optimizer, total):
    found = [rate_at(optimizer, step, total) for step in range(total)]
    assert all(0.0 <= rate <= optimizer.lr * (1 + 1e-12) for rate in found)


@given(OPTIMIZERS, TOTALS)
def test_the_rate_rises_over_the_warmup_and_never_after(optimizer, total):
    found = [rate_at(optimizer, step, total) for step in range(total + 1)]
    rising, falling = found[: optimizer.warmup + 1], found[optimizer.warmup :]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)


@given(OPTIMIZERS, TOTALS)
def test_no_step_is_a_jump(optimizer, total):
    found = [rate_at(optimizer, step, total) for step in range(total + 1)]
    left = max(1, total - optimizer.warmup)
    steepest = max(1 / max(1, optimizer.warmup), math.pi / 2 / left)
    for before, after in pairwise(found):
        assert abs(after - before) <= optimizer.lr * steepest * (1 + 1e-9)
