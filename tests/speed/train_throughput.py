"""How many tokens of SFT a second of processor time trains: `bench` against TRL's SFTTrainer.

    make speed                                        or, from the repository:
    python -m tests.speed.train_throughput --rounds 3 --updates 2

Both finetune all of SmolLM2-135M-Instruct in fp32 on the same rows of six embedded tasks, 16 rows
to an update, with the same AdamW, two threads, no checkpointing and no dropout. Where they learn
the same rows their losses must agree. TRL is tried under several settings first; the two best take
turns with `bench`, and the better one is what it is held against. A turn is a process of its own,
which makes one update that is not counted and then those that are. What else runs on the machine
troubles all that take turns alike: only ratios count.

The prompts of a task begin alike, and `bench` runs a beginning once for all rows of an update. What
that gives shows beside rows whose first tokens were made to differ.

The table is printed, and kept as the section `training` of leaderboard/speed.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.speed.common.report import QUIET, machine, rounded, write_section

PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets")
TARGET = 1.8  # tokens per processor second, times TRL's
RIVALS = 2  # settings of TRL that take turns with `bench`, the best of the survey
NEAR = 1e-3  # nats by which the first losses of trainers on the same rows may differ
TRL: Mapping[str, Mapping[str, object]] = {
    "rows in order, padded": {
        "per_device_train_batch_size": 16,
        "train_sampling_strategy": "sequential",
    },
    "rows of like length, padded": {
        "per_device_train_batch_size": 16,
        "train_sampling_strategy": "group_by_length",
    },
    "rows in order, one by one": {
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "train_sampling_strategy": "sequential",
    },
    "packed into rows of 256": {
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 6,
        "packing": True,
        "max_length": 256,
    },
    "padding-free": {
        "per_device_train_batch_size": 16,
        "train_sampling_strategy": "sequential",
        "padding_free": True,
        "max_length": None,
    },
    "padding-free, four rows at once": {
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 4,
        "train_sampling_strategy": "sequential",
        "padding_free": True,
        "max_length": None,
    },
}
OURS, APART = "bench", "bench, no beginning shared"
SAME_ROWS = (OURS, *(name for name in TRL if name.startswith(("rows in order", "padding-free"))))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one process took: seconds to get ready, the loss of its first update, and processor and
    wall seconds of the updates behind that for each real token."""

    ready_seconds: float
    first_loss: float
    cpu_seconds_a_token: float
    seconds_a_token: float
    peak_gib: float


def main() -> None:
    chosen = read_options()
    survey = {name: take_turn(name, 1, chosen.threads) for name in TRL}
    rivals = sorted(survey, key=lambda name: survey[name].cpu_seconds_a_token)[:RIVALS]
    turns: dict[str, list[Turn]] = defaultdict(list)
    for _ in range(chosen.rounds):
        for name in (OURS, *rivals, APART):
            turns[name].append(take_turn(name, chosen.updates, chosen.threads))
    trainers = {name: middle(made) for name, made in turns.items()}
    require_same_losses(trainers | survey)
    best = min(rivals, key=lambda name: trainers[name].cpu_seconds_a_token)
    show(trainers, survey)
    write(trainers, survey, best, chosen)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="times that each trainer has a turn")
    parser.add_argument("--updates", type=int, default=2, help="updates that are counted in a turn")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def take_turn(name: str, updates: int, threads: int) -> Turn:
    """Let the trainer make one update, then those that are counted."""
    worker = "train_trl" if name in TRL else "train_bench"
    told = json.dumps(TRL.get(name, {"apart": name == APART}))
    done = subprocess.run(
        [sys.executable, "-m", f"tests.speed.workers.{worker}", str(threads), told],
        input=f"1\n{updates}\n",
        capture_output=True,
        text=True,
        env={**os.environ, **QUIET},
    )
    if done.returncode:
        sys.exit(f"{name}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    ready, first, counted = map(json.loads, done.stdout.splitlines())
    turn = Turn(
        ready["cpu_seconds"],
        first["losses"][0],
        counted["cpu_seconds"] / counted["tokens"],
        counted["seconds"] / counted["tokens"],
        counted["peak_gib"],
    )
    print(f"{name}: {1e3 * turn.cpu_seconds_a_token:.2f} CPU ms a token", flush=True)
    return turn


def require_same_losses(turns: Mapping[str, Turn]) -> None:
    """Trainers that learn the same rows have the same loss."""
    found = {name: made.first_loss for name, made in turns.items() if name in SAME_ROWS}
    if max(found.values()) - min(found.values()) > NEAR:
        sys.exit(f"the trainers do not learn the same: first losses {found}")


def middle(turns: Sequence[Turn]) -> Turn:
    """The median of each number over the turns."""
    columns = zip(*(asdict(turn).values() for turn in turns), strict=True)
    return Turn(*map(median, columns))


def show(trainers: Mapping[str, Turn], survey: Mapping[str, Turn]) -> None:
    """Print the medians, and below them the single turns by which TRL's best setting was found."""
    table = Table(
        "trainer", "CPU ms/token", "wall ms/token", "tokens/CPU s", "bench is", "peak GiB"
    )
    ours = trainers[OURS].cpu_seconds_a_token
    parts = ((trainers, ""), (survey, " (survey)"))
    for turns, note in parts:
        for name, turn in turns.items():
            table.add_row(
                f"TRL, {name}{note}" if name in TRL else name,
                f"{1e3 * turn.cpu_seconds_a_token:.2f}",
                f"{1e3 * turn.seconds_a_token:.2f}",
                f"{1 / turn.cpu_seconds_a_token:.1f}",
                f"{turn.cpu_seconds_a_token / ours:.2f} x",
                f"{turn.peak_gib:.1f}",
            )
        table.add_section()
    Console(width=110).print(table)


def write(
    trainers: Mapping[str, Turn],
    survey: Mapping[str, Turn],
    best: str,
    chosen: argparse.Namespace,
) -> None:
    """Put the numbers into the report, beside its other sections."""
    times = rounded(trainers[best].cpu_seconds_a_token / trainers[OURS].cpu_seconds_a_token)
    print(f"{times} x TRL ({best})")
    section = {
        "what": "full finetuning of SmolLM2-135M-Instruct in fp32, 16 rows to an update; medians",
        "rounds": chosen.rounds,
        "updates_a_round": chosen.updates,
        "threads": chosen.threads,
        "machine": machine(),
        "versions": {"python": platform.python_version()} | {k: version(k) for k in PACKAGES},
        "trl_at_its_best": best,
        "tokens_per_cpu_second_over_trl": times,
        "target": TARGET,
        "trainers": {name: numbers(turn) for name, turn in trainers.items()},
        "trl_survey": {name: numbers(turn) for name, turn in survey.items()},
    }
    write_section("training", section)


def numbers(turn: Turn) -> dict[str, float]:
    return {name: rounded(value) for name, value in asdict(turn).items()}


if __name__ == "__main__":
    main()
