"""The log of a stage: each step once, whatever was cut short; JSON without NaN; TensorBoard."""

import json
import math
import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from bench.errors import RunError
from bench.training.steps.log import LOG, Log
from bench.training.steps.watch import SilentWatcher
from tests.training.values import full_disk

SILENT = SilentWatcher()


def opened(folder: Path, step: int = 0, lines: int = 0) -> Log:
    return Log(folder, SILENT, True, step, lines)


def written(folder: Path, *steps: int) -> Log:
    """A fresh log that holds `steps`."""
    log = opened(folder)
    for step in steps:
        log.add(step, {"loss": 1.0 / (step + 1)})
    log.close()
    return log


def steps_of(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / LOG).read_text().splitlines()]


def events(folder: Path) -> list[Event]:
    """TensorBoard's events: records of a length, its checksum, the event, its checksum."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    return [
        (event.step, value.tag, round(value.simple_value, 6))
        for event in events(folder)
        for value in event.summary.value
    ]


def test_a_line_holds_the_step_and_what_is_finite(tmp_path):
    log = opened(tmp_path)
    log.add(3, {"loss": 1.5, "held_out/loss": math.nan, "grad_norm": math.inf, "lr": 1e-5})
    log.close()
    (line,) = (tmp_path / LOG).read_text().splitlines()
    assert json.loads(line) == {"step": 3, "loss": 1.5, "lr": 1e-5}


def test_a_resumed_log_drops_what_came_after_the_state(tmp_path):
    written(tmp_path, 0, 1, 2, 3, 4)
    log = opened(tmp_path, step=2, lines=3)
    for step in (3, 4, 5):
        log.add(step, {"loss": 0.0})
    log.close()
    assert steps_of(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert log.lines == 6


def test_what_was_measured_after_the_state_at_its_own_step_comes_once(tmp_path):
    written(tmp_path, 0, 1, 2, 2)  # update 2, the state, then a measurement
    log = opened(tmp_path, step=2, lines=3)
    log.add(2, {"held_out/loss": 1.0})
    log.close()
    assert steps_of(tmp_path) == [0, 1, 2, 2]


def test_a_log_from_the_start_forgets_what_was_there(tmp_path):
    written(tmp_path, 0, 1, 2)
    written(tmp_path, 0, 1)
    assert steps_of(tmp_path) == [0, 1]


@pytest.mark.parametrize("rest", ['{"step": 3, "lo', '{"step": 3, "loss": 1.0}', "\x00\x00\x00\n"])
def test_a_last_line_that_was_cut_short_is_dropped(tmp_path, rest):
    written(tmp_path, 0, 1, 2)
    with (tmp_path / LOG).open("a") as file:
        file.write(rest)
    opened(tmp_path, step=9, lines=9).close()
    assert steps_of(tmp_path) == [0, 1, 2]


def test_names_of_sources_may_hold_any_character(tmp_path):
    log = opened(tmp_path)
    log.add(1, {"loss/a\u2028b\n": 1.0})
    log.close()
    opened(tmp_path, step=1, lines=1).close()
    (line,) = (tmp_path / LOG).read_text().rstrip("\n").split("\n")
    assert json.loads(line) == {"step": 1, "loss/a\u2028b\n": 1.0}


def test_tensorboard_has_the_same_numbers(tmp_path):
    log = opened(tmp_path)
    log.add(1, {"loss": 0.5, "loss/topic": math.nan, "lr": 0.25})
    log.add(2, {"loss": 0.125})
    log.close()
    assert scalars(tmp_path) == [(1, "loss", 0.5), (1, "lr", 0.25), (2, "loss", 0.125)]


def test_tensorboard_is_told_from_where_a_resumed_stage_counts_again(tmp_path):
    written(tmp_path, 0, 1, 2, 3)
    log = opened(tmp_path, step=2, lines=3)
    log.add(3, {"loss": 0.0})
    log.close()
    starts = [event.step for event in events(tmp_path) if event.HasField("session_log")]
    assert starts == [1, 3]
    assert len(scalars(tmp_path)) == 5


def test_only_the_main_process_writes(tmp_path):
    log = Log(tmp_path / "log", SILENT, False, 0, 0)
    log.add(1, {"loss": 1.0})
    log.close()
    assert not (tmp_path / "log").exists()


def test_a_full_disk_is_a_run_error(tmp_path):
    log = opened(tmp_path)
    with full_disk(20), pytest.raises(RunError, match="cannot be written") as caught:
        log.add(1, {"loss": 1.0})
    assert "free some space" in caught.value.remedy
    log.close()


def test_what_tensorboard_cannot_write_is_a_run_error_too(tmp_path):
    log = opened(tmp_path)
    with full_disk(9000), pytest.raises(RunError, match="cannot be written"):
        [log.add(step, {"x": 1.0}) for step in range(400)]  # log.jsonl has room for all
    assert 100 < len(steps_of(tmp_path)) < 400
