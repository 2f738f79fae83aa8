"""Two processes that `accelerate launch` starts learn what one alone learns, and write it once."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cards import read_card
from tests.training.recipes import STAGES, World, log_of, make_world, start

PROJECT = Path(__file__).parents[2]
SMALL = {name: {**stage, "micro_tokens": 64} for name, stage in STAGES.items()}
SMALL["ranked"] = STAGES["ranked"]
ALL = ("sft", "ranked", "rm", "dpo", "ppo", "rloo")
TOLERANCE = {"rel": 1e-4, "abs": 1e-4}


def files(world: World) -> set[str]:
    """Names of what was written, the time in those of TensorBoard left out."""
    found = (path for path in world.trained.rglob("*") if path.is_file())
    return {str(path.relative_to(world.trained)).split(".out.")[0] for path in found}


def assert_alike(pair: World, alone: World, names: Sequence[str]) -> None:
    """The same steps with the same numbers, the same files, the same card."""
    for name in names:
        ours, theirs = log_of(pair.trained / name), log_of(alone.trained / name)
        assert [line.keys() for line in ours] == [line.keys() for line in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one == pytest.approx(other, **TOLERANCE), name
        cards = [read_card(world.trained / name) for world in (pair, alone)]
        assert cards[0] is not None
        assert cards[1] is not None
        assert (cards[0].tokens, cards[0].steps) == (cards[1].tokens, cards[1].steps)
        assert [use.tokens for use in cards[0].data] == [use.tokens for use in cards[1].data]
        assert len(list((pair.trained / name / "tensorboard").iterdir())) == 1


def launched(world: World, said: Sequence[Path]) -> list[int | None]:
    """The exit codes of two processes with the surroundings that the launcher gives them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    shared |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    pair = [
        start(
            f"{world.command} --json",
            said[rank],
            shared | {"RANK": f"{rank}", "LOCAL_RANK": f"{rank}"},
        )
        for rank in range(2)
    ]
    for process in pair:
        process.join(200)
    return [process.exitcode for process in pair]


def test_two_processes_learn_what_one_does_and_one_of_them_tells(tmp_path):
    alone = make_world(tmp_path, ["sft"], stages=SMALL)
    alone.train()
    pair, said = replace(alone, output=tmp_path / "pair"), [tmp_path / "first", tmp_path / "second"]
    assert launched(pair, said) == [0, 0], [path.read_text() for path in said]
    assert_alike(pair, alone, ["sft"])
    assert files(pair) - files(alone) == {"curves.html"}
    assert '"name": "sft"' in said[0].read_text()
    assert said[1].read_text() == ""
    assert launched(pair, said) == [0, 0]
    assert "unchanged, kept" in said[0].read_text()


@pytest.mark.slow
@pytest.mark.parametrize("lora", [False, True])
def test_a_recipe_under_accelerate_launch(tmp_path, lora):
    alone = make_world(tmp_path, ALL, lora=lora, stages=SMALL)
    alone.train()
    pair = replace(alone, output=tmp_path / "pair")
    options = ["--cpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", *options, "-m", "bench"]
    done = subprocess.run(
        [*launcher, *pair.command.split()],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    assert_alike(pair, alone, [name for name in ALL if name != "ranked"])
    assert files(pair) - files(alone) == {"curves.html"}
