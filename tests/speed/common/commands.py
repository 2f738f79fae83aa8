"""`bench eval` and `lm_eval` as one types them, from the start of the process to its end.

Both read the same JSONL file: `prompt`, `choices` and `gold`, the position of the right choice.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp

from bench.models.fake import open_fake
from bench.types import Json
from tests.speed.common.agreement import Answer, agreement
from tests.speed.common.dialogue import ROOT, WorkerError, environment
from tests.speed.common.made_tasks import write_task
from tests.speed.common.scoring import Means
from tests.speed.common.sides import Line, Turn, middle
from tests.speed.common.workloads import Place, plans_of, scaled, workload_of

NAME, TITLE, TARGET, ROWS = "commands", "command lines with start-up, text choices", 3.0, 100
BATCH = 16  # of lm-eval, where the survey of the same requests was not made
TASK = "speed_commands"
BENCH_YAML = """\
title: The rows of both command lines
data: {files: {test: test.jsonl}}
splits: {test: test}
prompt: "{{ prompt }}"
choices: choices
answer: gold
"""
LM_EVAL_YAML = """\
task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
output_type: multiple_choice
test_split: test
doc_to_text: prompt
doc_to_choice: choices
doc_to_target: gold
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""


def measure_commands(place: Place, means: Means, batch: int) -> Line:
    """The line of the two command lines; a first run of each, of two rows, is not counted.

    Raises:
        WorkerError: a command failed.
    """
    folder = Path(mkdtemp(dir=place.folder.parent))
    rows = _rows(place, scaled(ROWS, means.scale))
    write_task(folder / "bench" / TASK, BENCH_YAML, {"test": rows})
    file = folder / "bench" / TASK / "test.jsonl"
    (folder / "lm_eval").mkdir()
    (folder / "lm_eval" / "task.yaml").write_text(LM_EVAL_YAML.format(task=TASK, file=file))
    runs = {"bench": _Bench(folder, means), "lm_eval": _LmEval(folder, means, batch)}
    for run in runs.values():
        run.turn(2)
    turns: dict[str, list[Turn]] = {name: [] for name in runs}
    for number in range(means.rounds):
        for name in sorted(runs, reverse=bool(number % 2)):
            turns[name].append(runs[name].turn(len(rows)))
    alike = agreement(runs["bench"].answers(), runs["lm_eval"].answers(), means.dtype)
    ours, theirs = middle(turns["bench"]), middle(turns["lm_eval"])
    return Line(NAME, TITLE, TARGET, ours, theirs, batch, {}, alike)


def _rows(place: Place, count: int) -> list[Mapping[str, Json]]:
    plans = plans_of(workload_of("arc"), place, count, open_fake("fake:empty", {}))
    return [
        {
            "prompt": ask.requests[0].prompt,
            "choices": list(ask.example.choices),
            "gold": ask.example.right[0],
        }
        for plan in plans
        for ask in plan.asks
    ]


class _Bench:
    """`bench eval`, into a folder of its own each time."""

    def __init__(self, folder: Path, means: Means) -> None:
        self.folder, self.means = folder, means
        self.output = folder

    def turn(self, rows: int) -> Turn:
        self.output = Path(mkdtemp(dir=self.folder))
        command = [sys.executable, "-m", "bench", "eval", self.means.model, "--task", TASK]
        command += ["--tasks", str(self.folder / "bench"), "--limit", str(rows), "--chat", "off"]
        command += ["--dtype", self.means.dtype, "--device", self.means.device]
        command += ["-o", str(self.output)]
        return _run(command, rows, self.folder, self.means.threads)

    def answers(self) -> list[Answer]:
        """The log-likelihoods of the last turn, by row."""
        (file,) = self.output.glob("*/records.jsonl")
        records = [json.loads(line) for line in file.read_text().splitlines()]
        records.sort(key=lambda record: int(record["id"]))
        return [record["reply"]["logprobs"] for record in records]


class _LmEval:
    """`lm_eval run`, which writes its samples as `bench` does its records."""

    def __init__(self, folder: Path, means: Means, batch: int) -> None:
        self.folder, self.means, self.batch = folder, means, batch
        self.output = folder

    def turn(self, rows: int) -> Turn:
        self.output = Path(mkdtemp(dir=self.folder))
        opened = f"pretrained={self.means.folder},dtype={self.means.dtype}"
        command = [str(self.means.rival), "-m", "lm_eval", "run", "--model", "hf"]
        command += ["--model_args", opened, "--tasks", TASK, "--limit", str(rows)]
        command += ["--include_path", str(self.folder / "lm_eval"), "--device", self.means.device]
        command += ["--batch_size", str(self.batch), "--output_path", str(self.output)]
        return _run([*command, "--log_samples"], rows, self.folder, self.means.threads)

    def answers(self) -> list[Answer]:
        """The log-likelihoods of the last turn, by row."""
        (file,) = self.output.rglob("samples_*.jsonl")
        samples = [json.loads(line) for line in file.read_text().splitlines()]
        samples.sort(key=lambda sample: int(sample["doc_id"]))
        return [[float(reply[0][0]) for reply in sample["resps"]] for sample in samples]


def _run(command: Sequence[str], rows: int, folder: Path, threads: int) -> Turn:
    """What the command took, with all processes that it started and waited for."""
    log = folder / "log.txt"
    with log.open("w") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            cwd=ROOT,
            env={**environment(threads), "HF_DATASETS_CACHE": str(folder / "datasets")},
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = log.read_text()[-3000:]
        raise WorkerError(f"{' '.join(command)}: exit code {process.returncode}\n{end}")
    return Turn(rows, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)
