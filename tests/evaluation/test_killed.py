"""kill -9 at random moments, then the same command: the same records, and nothing asked twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import bench
from bench.store import LEDGER, Ledger
from tests.evaluation import slow_model
from tests.evaluation.folders import CHOOSES, without_seconds, write_task

BENCH = [sys.executable, "-m", "bench"]
ROWS = 3000
LOST = slow_model.PORTION


def many_rows(count: int) -> list[dict]:
    return [
        {"id": str(n), "country": f"land {n * n}", "capital": "x y", "options": [f"{n}", "x y"]}
        for n in range(count)
    ]


def known(output: Path) -> int:
    """How many answers the ledger holds."""
    return len(Ledger(output / LEDGER)) if (output / LEDGER).exists() else 0


def start_and_kill(command: Sequence[str], ripe: Callable[[], bool]) -> None:
    """Run `command` until `ripe`, then SIGKILL; a command that ends by itself has done its work."""
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=one_thread, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 100
        while process.poll() is None and not ripe():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    assert process.returncode in (0, -signal.SIGKILL)


def test_ten_kills_lose_only_what_was_in_flight(tmp_path):
    write_task(tmp_path / "tasks", rows=many_rows(ROWS))
    output, log, draw = tmp_path / "runs", tmp_path / "log", random.Random(0)
    command = [sys.executable, slow_model.__file__, *map(str, (tmp_path / "tasks", output, log))]
    log.touch()

    def asked() -> int:
        return log.read_text().count("\n")

    for _ in range(10):
        asked_before, known_before, more = asked(), known(output), draw.randrange(150)
        start_and_kill([*command, "0.002"], lambda: asked() > asked_before + more)  # noqa: B023
        lost = (asked() - asked_before) - (known(output) - known_before)
        assert 0 <= lost <= LOST
    asked_before, known_before = asked(), known(output)
    assert LOST < known_before < ROWS
    resumed = slow_model.evaluate(tmp_path / "tasks", output, log, 0)
    assert asked() - asked_before == ROWS - known_before
    whole = slow_model.evaluate(tmp_path / "tasks", tmp_path / "whole", tmp_path / "log2", 0)
    assert without_seconds(resumed) == without_seconds(whole)


@pytest.mark.parametrize(
    ("kills", "rows"), [(2, 520), pytest.param(10, 1040, marks=pytest.mark.slow)]
)
def test_a_killed_run_of_a_model_ends_with_the_records_of_a_whole_one(
    tmp_path, tiny_llama, kills, rows
):
    tasks, output, draw = tmp_path / "tasks", tmp_path / "runs", random.Random(kills)
    write_task(tasks, rows=many_rows(rows), generate={"max_tokens": 40})
    write_task(tasks, "choices", rows=many_rows(rows), **CHOOSES)
    options = ["-t", "choices", "-t", "capitals", "--tasks", str(tasks), "-o", str(output)]
    part = 3 * rows // (2 * kills)  # the last kill leaves a quarter of the requests: a portion
    for number in range(kills):
        wanted, moment = number * part + draw.randrange(part), draw.random() / 20
        start_and_kill(
            [*BENCH, "eval", tiny_llama, *options],
            lambda: known(output) >= wanted and time.sleep(moment) is None,  # noqa: B023
        )
    known_before = known(output)
    (resumed,) = bench.evaluate(
        tiny_llama, ["choices", "capitals"], output=output, task_folders=[tasks]
    )
    (whole,) = bench.evaluate(
        tiny_llama, ["choices", "capitals"], output=tmp_path / "whole", task_folders=[tasks]
    )
    assert 0 < known_before < whole.run.asked
    assert resumed.run.asked == whole.run.asked - known_before
    assert without_seconds(resumed.folder / "records.jsonl") == without_seconds(
        whole.folder / "records.jsonl"
    )
