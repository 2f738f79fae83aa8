"""kill -9 in any stage of a recipe, then the same command: the files of a run left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bench.cards import read_card
from bench.models.weights import CONTENT, NOT_CONTENT
from bench.training.steps.log import LOG
from tests.training.recipes import STAGES, World, log_of, make_world, start

LINES = ("*/log.jsonl", "*/training/rankings.partial.jsonl")
BY_CLOCK = ("seconds", "created", "command", "peak_memory_bytes", "environment", "git")
PROJECT = Path(__file__).parents[2]


@pytest.fixture(
    scope="module", params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["all", "lora"]
)
def whole(request, tmp_path_factory) -> World:
    """What the recipe leaves behind when nothing happens to it."""
    made = make_world(tmp_path_factory.mktemp("whole"), lora=request.param)
    made.train()
    return made


@pytest.fixture
def cut(whole, tmp_path) -> World:
    """The same recipe, nothing of it trained."""
    return replace(whole, output=tmp_path / "cut")


def progress(world: World) -> int:
    """How many lines the stages have written."""
    found = [path for pattern in LINES for path in world.trained.glob(pattern)]
    return sum(path.read_bytes().count(b"\n") for path in found)


def wait_for(ripe: Callable[[], bool], alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 200
    while alive() and not ripe():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def kill_at(world: World, process: BaseProcess, lines: int, moment: float) -> bool:
    """Kill `process` `moment` seconds after `lines` more lines; whether it was still running."""
    before = progress(world)
    wait_for(lambda: progress(world) >= before + lines, process.is_alive)
    time.sleep(moment)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def assert_same(found: World, expected: World) -> None:
    """Weights, tokenizers, logs and rankings byte for byte; cards but for what a clock says."""
    for name, stage in found.stages.items():
        here, there = found.trained / name, expected.trained / name
        files = {path.name for pattern in CONTENT for path in there.glob(pattern)}
        files |= {"rankings.jsonl"} if stage["kind"] == "rank" else set()
        assert len(files) > 1
        for file in files - set(NOT_CONTENT):
            assert (here / file).read_bytes() == (there / file).read_bytes(), (name, file)
        if stage["kind"] != "rank":
            assert log_of(here) == log_of(there), name
            assert lasting(here) == lasting(there)
            assert seconds(here) == sorted(seconds(here)), "the card counts all runs"


def seconds(folder: Path) -> list[float]:
    """What the log says, update by update, and at last the card."""
    card = read_card(folder)
    assert card is not None
    lines = [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]
    return [*(line["seconds"] for line in lines if "seconds" in line), card.seconds]


def lasting(folder: Path) -> dict[str, object]:
    """The card without what differs from run to run."""
    card = read_card(folder)
    assert card is not None
    return {name: value for name, value in asdict(card).items() if name not in BY_CLOCK}


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_a_recipe_that_was_killed_ends_as_one_left_alone(whole, cut, tmp_path, kills):
    draw, killed = random.Random(kills), 0
    for _ in range(kills):
        process = start(cut.command, tmp_path / "said")
        killed += kill_at(cut, process, draw.randrange(1, 36 // min(kills, 12)), draw.random() / 20)
    assert killed >= 4, (tmp_path / "said").read_text()
    cut.train()
    assert_same(cut, whole)


@pytest.mark.slow
def test_the_command_itself_can_be_killed_ten_times(whole, cut):
    draw, command = random.Random(0), [sys.executable, "-m", "bench", *cut.command.split()]
    for _ in range(10):
        before = progress(cut)
        with subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | {"OMP_NUM_THREADS": "1"}
        ) as process:
            more = draw.randrange(1, 6)
            wait_for(lambda: progress(cut) >= before + more, lambda: process.poll() is None)  # noqa: B023
            time.sleep(draw.random() / 10)
            process.kill()
    cut.train()
    assert_same(cut, whole)


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_says_so_exits_130_and_the_next_run_goes_on(whole, cut, tmp_path, stage):
    """After the first line of each stage in turn; those above are taken from the whole run."""
    above = list(STAGES)[: list(STAGES).index(stage)]
    for name in above:
        (cut.trained / name).parent.mkdir(parents=True, exist_ok=True)
        (cut.trained / name).symlink_to(whole.trained / name)
    said = tmp_path / "said"
    process = start(f"{cut.command} --only {stage}", said)
    before = progress(cut)
    wait_for(lambda: progress(cut) > before, process.is_alive)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130, said.read_text()
    assert "error: interrupted\n  try: run the same command again" in said.read_text()
    cut.train(only=[stage])
    assert_same(replace(cut, stages={stage: cut.stages[stage]}), whole)
