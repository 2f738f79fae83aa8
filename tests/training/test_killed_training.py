"""kill -9, then the same training: the same log and the same weights."""

import random
import signal
import time
from pathlib import Path

import pytest

from bench.training.networks.network import Network
from bench.training.objectives.sft import train_sft
from bench.training.steps.log import LOG
from bench.training.steps.outcome import Outcome
from tests.training.recipes import FORK
from tests.training.values import (
    assert_same,
    demonstrations,
    log_of,
    network,
    settings,
    site,
    stream,
    weights,
)


def train(folder: Path, steps: int) -> tuple[Outcome, Network]:
    """A stage that saves at every other update."""
    trained = network()
    rows = demonstrations(60)
    chosen = settings("sft", steps=steps, save_every=2, ema=0.9, select={"by": "loss"})
    return train_sft(chosen, site(folder), trained, stream(rows[:50], rows[50:]), None), trained


def reports(folder: Path) -> int:
    """How many lines the log has."""
    path = folder / LOG
    return path.read_text().count("\n") if path.exists() else 0


def start_and_kill(folder: Path, steps: int, wanted: int, moment: float) -> None:
    """Train in a process, and kill it `moment` seconds after the log's line `wanted`."""
    process = FORK.Process(target=train, args=(folder, steps), daemon=True)
    process.start()
    deadline = time.monotonic() + 100
    while process.is_alive() and reports(folder) < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(moment)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_a_killed_stage_ends_as_one_left_alone(tmp_path, kills):
    draw, steps = random.Random(kills), 20 + 20 * kills
    for number in range(kills):
        wanted, moment = 20 * number + draw.randrange(5, 25), draw.random() / 50
        start_and_kill(tmp_path / "cut", steps, wanted, moment)
    assert 5 <= reports(tmp_path / "cut") < steps
    again, resumed = train(tmp_path / "cut", steps)
    outcome, trained = train(tmp_path / "whole", steps)
    assert again == outcome
    assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")
    assert_same(weights(resumed), weights(trained))
