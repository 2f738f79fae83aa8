"""kill -9, then the same training: the same log and the same weights."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.training.log import LOG
from tests.training import trained_by_script
from tests.training.values import assert_same, log_of, weights

ROOT = Path(__file__).parents[2]


def reports(folder: Path) -> int:
    """How many lines the log has."""
    path = folder / LOG
    return path.read_text().count("\n") if path.exists() else 0


def start_and_kill(folder: Path, steps: int, wanted: int, moment: float) -> None:
    """Train in a process, and kill it `moment` seconds after the log's line `wanted`."""
    command = [sys.executable, trained_by_script.__file__, str(folder), str(steps)]
    alone = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=alone) as process:
        deadline = time.monotonic() + 100
        while process.poll() is None and reports(folder) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(moment)
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_a_killed_stage_ends_as_one_left_alone(tmp_path, kills):
    draw, steps = random.Random(kills), 20 + 20 * kills
    for number in range(kills):
        wanted, moment = 20 * number + draw.randrange(5, 25), draw.random() / 50
        start_and_kill(tmp_path / "cut", steps, wanted, moment)
    assert 5 <= reports(tmp_path / "cut") < steps
    again, resumed = trained_by_script.train(tmp_path / "cut", steps)
    outcome, trained = trained_by_script.train(tmp_path / "whole", steps)
    assert again == outcome
    assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")
    assert_same(weights(resumed), weights(trained))
