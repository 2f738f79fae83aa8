"""What comes after the replies: intervals of many tasks, and the board of many models."""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from bench.statistics.bootstrap import bootstrap_interval
from tests.speed.common.dialogue import start_worker
from tests.speed.common.limit import Limit

DRAWS, TASKS, ITEMS, MODELS = 10_000, 30, 1_000, 20
ROUNDS = 3


def board_limits(folder: Path, threads: int) -> list[Limit]:
    """Seconds and memory; the site goes into `folder`, a new one."""
    sizes = [str(MODELS), str(TASKS), str(ITEMS)]
    command = [sys.executable, "-m", "tests.speed.workers.board", str(folder), *sizes]
    with start_worker(command, threads) as worker:
        told = worker.ask({})
    name = f"board of {MODELS} models, {TASKS} tasks, {ITEMS} items"
    note = f"{told['board_seconds']:.1f} s the board, the rest {told['files']} files of the site"
    drawn = f"{DRAWS} draws, {TASKS} tasks of {ITEMS} graded items"
    return [
        Limit(f"bootstrap: {drawn}", _bootstrap_seconds(), "s", at_most=1.0),
        Limit(name, told["seconds"], "s", at_most=60.0, note=note),
        Limit(f"{name}: memory", told["peak_gib"], "GiB", at_most=2.0),
    ]


def _bootstrap_seconds() -> float:
    scores = np.random.default_rng(0).beta(2.0, 5.0, (TASKS, ITEMS)).tolist()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for column in scores:
            bootstrap_interval(column, draws=DRAWS)
        taken.append(time.perf_counter() - begun)
    return median(taken)
