"""The loop: when it saves, where it goes on, and when it stops with the last state kept."""

import math

import pytest
import torch
from torch import nn

from bench.errors import RunError
from bench.training.networks.layout import Document
from bench.training.steps.loop import AstrayError, Loop
from bench.training.steps.state import load_state
from bench.training.steps.updates import Group
from tests.training.values import SilentWatcher, log_of, settings, site


class Told(SilentWatcher):
    """Remembers how stages began and ended, and what the steps measured."""

    def __init__(self) -> None:
        self.seen: list[tuple] = []
        self.steps: list[dict[str, float]] = []

    def step(self, step, metrics):
        self.steps.append(dict(metrics))

    def begin(self, stage, kind, total, done):
        self.seen.append((stage, kind, total, done))

    def end(self, stage):
        self.seen.append((stage,))


def loop_of(folder, total=10, inputs="same", watcher=None, **changes) -> tuple[Loop, nn.Parameter]:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(3, 2))
    chosen = settings("sft", **{"save_every": 4, **changes})
    return Loop(site(folder, watcher, inputs), chosen, [Group({"w": weight})], total), weight


def run(loop: Loop, weight: nn.Parameter, until: int = 99, **bad: float) -> None:
    """Updates whose gradient is the number of the step; at step `until - 1` something is bad."""
    for step in loop.steps():
        weight.grad = torch.full_like(weight, float(step + 1))
        loss = 1.0 / (step + 1)
        if step == until - 1:
            loss = bad.get("loss", loss)
            weight.grad.fill_(bad.get("grad", 1.0))
        loop.count([Document("a", (5,), ((7, 8), (9,))), Document("b", (5,), ((7,),))])
        loop.update(step, {"loss": loss})


def test_a_state_is_saved_every_so_often(tmp_path):
    loop, weight = loop_of(tmp_path)
    run(loop, weight)
    saved = load_state(loop.path)
    assert (saved.facts["step"], saved.facts["inputs"]) == (8, "same")
    assert saved.facts["tokens"] == {"a": 24, "b": 8}


@pytest.mark.parametrize(("total", "saved"), [(9, 8), (36, 33), (40, 36), (120, 108), (999, 950)])
def test_a_tenth_of_the_updates_at_most_is_lost_where_nothing_is_said(tmp_path, total, saved):
    loop, weight = loop_of(tmp_path, total, save_every=None)
    with pytest.raises(AstrayError):
        run(loop, weight, until=total, loss=math.nan)
    assert load_state(loop.path).facts["step"] == saved


def test_who_watches_is_told_the_speed_which_the_log_does_not_hold(tmp_path, monkeypatch):
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds) / 4)
    watcher = Told()
    run(*loop_of(tmp_path, watcher=watcher, save_every=99))
    speeds = [told["tokens_per_second"] for told in watcher.steps]
    assert speeds[1:] == [pytest.approx(4 / 1.0)] * 9  # four tokens; two looks at the clock
    assert not any("tokens_per_second" in line for line in log_of(tmp_path))


def test_the_next_loop_goes_on_from_the_saved_state(tmp_path):
    first, weight = loop_of(tmp_path)
    run(first, weight)
    again, other = loop_of(tmp_path)
    assert list(again.steps()) == [8, 9]
    assert again.tokens == {"a": 24, "b": 8}
    assert 0.0 < again.elapsed() - first.elapsed() < 1.0 or again.elapsed() > 0.0
    run(again, other)
    assert torch.equal(weight, other)
    assert [line["step"] for line in log_of(tmp_path)] == list(range(1, 11))


def test_the_state_of_other_inputs_is_passed_over(tmp_path):
    run(*loop_of(tmp_path))
    loop, weight = loop_of(tmp_path, inputs="other")
    torch.manual_seed(0)
    assert torch.equal(weight, torch.randn(3, 2))
    assert list(loop.steps()) == list(range(10))
    assert log_of(tmp_path) == []


@pytest.mark.parametrize("bad", [{"loss": math.nan}, {"loss": math.inf}, {"grad": math.nan}])
def test_what_is_not_finite_stops_the_stage_and_the_last_state_is_kept(tmp_path, bad):
    loop, weight = loop_of(tmp_path)
    with pytest.raises(RunError) as caught:
        run(loop, weight, until=7, **bad)
    name = "loss" if "loss" in bad else "grad_norm"
    assert caught.value.cause.startswith(f"stage warm: {name} is {next(iter(bad.values()))} at")
    assert "at update 7" in caught.value.cause
    assert f"after update 4 is kept in {loop.path}" in caught.value.cause
    assert caught.value.remedy.startswith("lower its rate: --set stages.warm.optimizer.lr=0.0003")
    assert load_state(loop.path).facts["step"] == 4


@pytest.mark.parametrize(
    ("until", "good"), [(3, None), (5, None), (6, 4), (8, 4), (9, 4), (10, 8)], ids=str
)
def test_the_last_good_state_is_the_last_from_which_an_update_went_well(tmp_path, until, good):
    loop, weight = loop_of(tmp_path)
    with pytest.raises(AstrayError) as caught:
        run(loop, weight, until=until, loss=math.nan)
    found = caught.value.last_good
    assert (found and (found.step, found.astray)) == (good and (good, until))
    if good is not None:
        other, expected = loop_of(tmp_path / "alone", total=good)
        run(other, expected)
        assert torch.equal(weight, expected)
        assert found.tokens == {"a": 3 * good, "b": good}


def test_a_stage_that_has_saved_nothing_says_so(tmp_path):
    with pytest.raises(RunError, match="at update 2; no state had been saved"):
        run(*loop_of(tmp_path), until=2, loss=math.nan)


def test_a_state_of_other_inputs_is_not_called_kept(tmp_path):
    run(*loop_of(tmp_path))
    with pytest.raises(RunError, match="no state had been saved"):
        run(*loop_of(tmp_path, inputs="other"), until=2, loss=math.nan)


def test_a_loss_above_max_loss_stops_the_stage(tmp_path):
    loop, weight = loop_of(tmp_path, max_loss=2.0)
    with pytest.raises(RunError, match=r"loss is 2\.5, above max_loss 2 at update 6"):
        run(loop, weight, until=6, loss=2.5)
    assert [line["step"] for line in log_of(tmp_path)] == [1, 2, 3, 4, 5]


def test_an_update_without_a_loss_passes_max_loss(tmp_path):
    loop, weight = loop_of(tmp_path, max_loss=2.0)
    weight.grad = torch.ones_like(weight)
    loop.update(0, {})
    assert set(log_of(tmp_path)[0]) == {"step", "tokens", "grad_norm", "lr"}


def test_a_state_may_wait_for_its_caller(tmp_path):
    loop, weight = loop_of(tmp_path)
    for step in range(4):
        weight.grad = torch.ones_like(weight)
        loop.update(step, {"loss": 1.0}, may_save=False)
    assert load_state(loop.path) is None


def test_the_end_leaves_the_moving_average(tmp_path):
    loop, weight = loop_of(tmp_path, ema=0.5)
    run(loop, weight)
    average = loop.updates.average["w"].clone()
    assert not torch.equal(weight, average)
    loop.end()
    assert torch.equal(weight, average)


def test_who_watches_is_told_where_a_stage_begins_and_ends(tmp_path):
    watcher = Told()
    loop, weight = loop_of(tmp_path)
    run(loop, weight)
    again, _ = loop_of(tmp_path, watcher=watcher)
    again.end()
    assert watcher.seen == [("warm", "sft", 10, 8), ("warm",)]


def test_seconds_go_on_from_the_saved_ones(tmp_path):
    loop, _ = loop_of(tmp_path)
    loop.seconds = 100.0
    loop.save(4)
    assert 100.0 <= loop_of(tmp_path)[0].elapsed() < 110.0
