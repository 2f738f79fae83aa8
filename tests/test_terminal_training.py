"""The live view of training: a panel on a terminal, lines elsewhere."""

import io
import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.terminal_training import BARS, TrainingView, main_metrics, sparkline
from bench.training.steps.watch import SilentWatcher, Watcher

NUMBERS = st.floats(-1e6, 1e6) | st.just(float("nan"))
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(monkeypatch) -> io.StringIO:
    monkeypatch.delenv("CI", raising=False)
    return io.StringIO()


def piped(written: io.StringIO, clock: Clock) -> TrainingView:
    return TrainingView(Console(file=written, width=200), clock)


def on_terminal(written: io.StringIO, clock: Clock) -> TrainingView:
    return TrainingView(Console(file=written, width=100, force_terminal=True), clock)


def train(view: Watcher, clock: Clock, steps: int, seconds: float) -> None:
    """A stage "warm" of `steps` steps that take `seconds` each."""
    view.begin("warm", "sft", steps, 0)
    for step in range(1, steps + 1):
        clock.seconds += seconds
        view.step(step, {"loss": 4.0 / step, "tokens_per_second": 812.0})
    view.end("warm")


def test_a_pipe_gets_a_line_every_ten_seconds_and_at_the_end(written, clock):
    with piped(written, clock) as view:
        train(view, clock, steps=8, seconds=4.0)
    first, *others, last = written.getvalue().splitlines()
    assert first == "warm  sft  8 steps"
    assert [line.split("  ")[1] for line in others] == ["3/8", "6/8"]
    assert others[0].endswith("tokens per second 812 (mean 812)  left 0:00:20")
    assert last == ("warm  8/8  loss 0.5 (mean 1.359)  tokens per second 812 (mean 812)  32.0 s")


def test_a_pipe_gets_no_escape_codes_and_notes_at_once(written, clock):
    with piped(written, clock) as view:
        view.note("12 rows were too long")
        train(view, clock, steps=2, seconds=20.0)
    assert written.getvalue().startswith("12 rows were too long\n")
    assert "\x1b" not in written.getvalue()


def test_a_stage_that_goes_on_says_after_which_step_and_times_only_its_own(written, clock):
    with piped(written, clock) as view:
        view.begin("warm", "sft", 100, 90)
        clock.seconds += 20.0
        view.step(92, {})
        view.end("warm")
    started, going, _ = written.getvalue().splitlines()
    assert started == "warm  sft  100 steps, going on after 90"
    assert going == "warm  92/100  left 0:01:20"


def test_a_terminal_gets_a_bar_a_stage_and_the_metrics_with_sparklines(written, clock):
    with on_terminal(written, clock) as view:
        train(view, clock, steps=4, seconds=1.0)
        view.begin("rl", "ppo", 50, 10)
        view.note("KL is high")
        view.step(11, {"reward": 0.5, "kl": 3.25, "entropy": 1.0})
        view.step(12, {"reward": 1.5, "kl": 3.25, "entropy": 1.0})
    shown = ESCAPES.sub("", written.getvalue())
    last = shown[shown.rindex("training") :]
    assert re.search(r"warm  sft .*4/4", last)
    assert re.search(r"rl  ppo .*12/50", last)
    assert re.search(r"reward +1\.5 +mean 1 +▁█", last)
    assert last.index("reward") < last.index("kl") < last.index("entropy")
    assert "loss" not in last
    assert "KL is high" in shown


def test_ci_gets_lines_even_when_it_claims_to_be_a_terminal(written, clock, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with on_terminal(written, clock) as view:
        train(view, clock, steps=1, seconds=1.0)
    assert len(written.getvalue().splitlines()) == 2


def test_a_metric_that_is_not_a_number_is_shown_and_left_out_of_the_mean(written, clock):
    with piped(written, clock) as view:
        view.begin("warm", "sft", 2, 0)
        view.step(1, {"loss": 3.0})
        view.step(2, {"loss": float("nan")})
        view.end("warm")
    assert "loss nan (mean 3)" in written.getvalue()


@given(st.lists(NUMBERS, max_size=40))
def test_a_sparkline_is_as_long_as_its_values_and_keeps_their_order(values):
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    heights = [
        (value, BARS.index(mark))
        for value, mark in zip(values, drawn, strict=True)
        if value == value
    ]
    assert [height for _, height in sorted(heights)] == sorted(height for _, height in heights)
    assert drawn.count(" ") == len(values) - len(heights)


def test_a_flat_sparkline_is_low():
    assert sparkline([2.0, 2.0, 2.0]) == "▁▁▁"


def test_the_usual_metrics_come_first_and_few_are_shown():
    names = ["a", "kl", "b", "loss", "c", "lr", "d", "e"]
    assert main_metrics(names) == ["loss", "kl", "lr", "a", "b", "c"]


def test_metrics_of_single_sources_are_left_to_the_curves():
    names = ["loss/topic", "held_out/loss", "held_out/loss/topic", "seconds", "loss"]
    assert main_metrics(names) == ["loss", "held_out/loss"]


def test_a_silent_watcher_writes_nothing(capsys, clock):
    train(SilentWatcher(), clock, steps=2, seconds=20.0)
    assert capsys.readouterr() == ("", "")


def test_the_watcher_needs_the_standard_library_only():
    code = "import sys, json, bench.training.steps.watch; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "pydantic", "rich"} & set(json.loads(done.stdout))
