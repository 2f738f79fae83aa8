"""How quickly commands begin: help, a list of 200 tasks, the first request of an evaluation."""

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.registry.folder import embedded_folder
from tests.speed.common.dialogue import ROOT, environment, start_worker
from tests.speed.common.limit import Limit

RUNS = 5
TASKS = 200


def start_limits(folder: Path, threads: int) -> list[Limit]:
    """Seconds on the wall; `folder` is a new one for tasks."""
    count = _many_tasks(folder)
    return [
        _command_limit("bench --help", ["--help"], 0.3, threads),
        _command_limit(
            f"bench list, {count} tasks", ["list", "--tasks", str(folder)], 0.6, threads
        ),
        _first_request_limit(4.0, threads),
    ]


def _many_tasks(folder: Path) -> int:
    """Copy embedded tasks, again and again under other names, until there are 200 in all."""
    embedded = sorted(file.parent for file in embedded_folder().glob("*/task.yaml"))
    folder.mkdir(parents=True)
    for number in range(TASKS - len(embedded)):
        source = embedded[number % len(embedded)]
        shutil.copytree(source, folder / f"{source.name}_{number}")
    return max(TASKS, len(embedded))


def _command_limit(name: str, arguments: list[str], bound: float, threads: int) -> Limit:
    """The command's median seconds; the first run is not counted."""
    taken, used = [], []
    for _ in range(RUNS + 1):
        begun, before = time.perf_counter(), _children_cpu()
        subprocess.run(
            [sys.executable, "-m", "bench", *arguments],
            stdout=subprocess.DEVNULL,
            check=True,
            cwd=ROOT,
            env=environment(threads),
        )
        taken.append(time.perf_counter() - begun)
        used.append(_children_cpu() - before)
    return Limit(name, median(taken[1:]), "s", at_most=bound, note=f"{median(used[1:]):.2f} s CPU")


def _children_cpu() -> float:
    """Processor seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _first_request_limit(bound: float, threads: int) -> Limit:
    """From the start of the process to the first request, less the loading of weights."""
    told = []
    for _ in range(RUNS):
        command = [sys.executable, "-m", "tests.speed.workers.first_request", str(time.time())]
        with start_worker(command, threads) as worker:
            told.append(worker.ready)
    loading, used = (median(one[key] for one in told) for key in ("loading", "cpu_seconds"))
    return Limit(
        "first request, without loading weights",
        median(one["until"] - one["loading"] for one in told),
        "s",
        at_most=bound,
        note=f"loading {loading:.1f} s more, {used:.1f} s CPU in all",
    )
