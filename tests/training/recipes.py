"""A small world for whole recipes: a tiny chat model, a task with a train split, a recipe.

world = make_world(tmp_path)
world.train()       what `bench train` does, below world.output
"""

import json
import multiprocessing
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
import yaml
from accelerate import PartialState

import bench
from bench.cli import main
from bench.training.stages import FinishedStage
from bench.training.steps.log import LOG
from bench.types import Json
from tests.evaluation.folders import CAPITALS, write_jsonl, write_task
from tests.models import tiny

torch.set_num_threads(1)
FORK = multiprocessing.get_context("fork")  # a fresh interpreter takes seconds to import torch
SCORE = "def score(example, reply):\n    return len(reply.text) % 7 / 6\n"  # none of them is rare
LORA: Json = {"rank": 2, "alpha": 4.0}
OPTIMIZER: Json = {"lr": 0.001, "schedule": "constant"}
ONE: Mapping[str, Json] = {"batch": 4, "save_every": 1, "optimizer": OPTIMIZER}
DRAWN: Mapping[str, Json] = {"max_reply": 6, "missing_eos": None}  # hardly a random reply ends
STAGES: Mapping[str, Mapping[str, Json]] = {
    "sft": {**ONE, "kind": "sft", "data": "tasks", "steps": 4, "select": {"by": "loss"}},
    "ranked": {
        "kind": "rank",
        "from": "sft",
        "prompts": "tasks",
        "by": {"scorer": "headline"},
        "replies": 3,
        "max_reply": 6,
    },
    "rm": {**ONE, "kind": "reward", "from": "sft", "rankings": "ranked"},
    "dpo": {**ONE, "kind": "dpo", "from": "sft", "rankings": "ranked", "ema": 0.5},
    "ppo": {
        **ONE,
        **DRAWN,
        "kind": "ppo",
        "from": "sft",
        "prompts": "tasks",
        "reward": [{"model": "rm"}],
        "steps": 3,
        "minibatch": 2,
        "kl_target": 1.0,
        "ptx": {"data": "tasks", "gamma": 1.0},
    },
    "rloo": {
        **ONE,
        **DRAWN,
        "kind": "rloo",
        "from": "sft",
        "prompts": "tasks",
        "reward": [{"scorer": "headline"}],
        "steps": 2,
        "group": 2,
    },
}


@dataclass(frozen=True, slots=True)
class World:
    """Everything lies in `folder`: base, tasks, recipe.yaml, and below `output` what is trained."""

    folder: Path
    stages: Mapping[str, Mapping[str, Json]]
    data: Mapping[str, Json]
    output: Path = field(default=Path())

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.yaml"

    @property
    def trained(self) -> Path:
        """The folder of the recipe's stages."""
        return self.output / "recipe"

    def train(self, *overrides: str, only: Sequence[str] = (), fresh: bool = False):
        """The stages that `bench train` finishes."""
        found: list[FinishedStage] = bench.train(
            self.recipe,
            overrides=overrides,
            only=only,
            output=self.output,
            fresh=fresh,
            task_folders=[self.folder / "tasks"],
        )
        return found

    @property
    def command(self) -> str:
        """The same on the command line."""
        return f"train {self.recipe} -o {self.output} --tasks {self.folder / 'tasks'}"


def make_world(
    folder: Path,
    names: Sequence[str] = tuple(STAGES),
    lora: bool = False,
    stages: Mapping[str, Mapping[str, Json]] = STAGES,
) -> World:
    """The world in `folder`, whose recipe has the stages `names`."""
    tiny.save("llama", folder / "base", chat=True, pad="own")
    write_lands(folder / "tasks")
    chosen = {name: {**stages[name]} for name in names}
    for stage in chosen.values():
        if lora and stage["kind"] != "rank":
            stage["lora"] = LORA
    data: dict[str, Json] = {
        "tasks": {
            "sources": [{"task": "lands"}],
            "clean": {"decontaminate": False},
            "holdout": {"share": 0.2, "most": 6},
        }
    }
    made = World(folder, chosen, data, folder / "checkpoints")
    write_recipe(made)
    return made


def write_recipe(world: World) -> None:
    """The recipe's file."""
    content = {
        "base": str(world.folder / "base"),
        "dtype": "float32",
        "device": "cpu",
        "data": world.data,
        "stages": world.stages,
    }
    world.recipe.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def write_lands(into: Path, name: str = "lands", **keys: Json) -> Path:
    """A task with 20 rows to train on; its scorer likes replies of certain lengths."""
    changes: dict[str, Json] = {
        "data": {"files": {"train": "train.jsonl", "test": "test.jsonl"}},
        "splits": {"train": "train", "test": "test"},
        "scorers": ["score"],
    }
    folder = write_task(into, name, code=SCORE, **{**CAPITALS, **changes, **keys})
    rows = [{"id": f"train-{n}", "country": f"land {n}", "capital": "the mat"} for n in range(20)]
    write_jsonl(folder / "train.jsonl", rows)
    return folder


def log_of(folder: Path) -> list[dict[str, float]]:
    """The lines of a stage's log without what a clock says."""
    lines = [json.loads(text) for text in (folder / LOG).read_text("utf-8").splitlines()]
    return [{name: line[name] for name in line if name != "seconds"} for line in lines]


def call(command: str) -> int:
    """The exit code of `bench command`, run in this process."""
    before, sys.argv = sys.argv, ["bench", *shlex.split(command)]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.argv = before
    raise AssertionError("main always exits")


def start(command: str, said: Path, environment: Mapping[str, str] = os.environ) -> BaseProcess:
    """`bench command` in a process of its own; what it writes goes to `said`."""
    process = FORK.Process(
        target=_run, args=(shlex.split(command), said, dict(environment)), daemon=True
    )
    process.start()
    return process


def _run(command: Sequence[str], said: Path, environment: Mapping[str, str]) -> None:
    os.environ |= environment
    PartialState._reset_state()
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell may have it ignored
    sys.stdout = sys.stderr = said.open("a", encoding="utf-8", buffering=1)
    sys.argv = ["bench", *command]
    main()
