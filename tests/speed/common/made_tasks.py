"""Task folders that only the benchmarks need, made of a mirror of the Hub: PIQA, subjects of MMLU.

    speed_piqa/{task.yaml, test.jsonl}
    speed_mmlu_nutrition/{task.yaml, shots.jsonl, test.jsonl}

A task has one set of shots for all its rows, so every subject is a task, as in lm-eval.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.registry.data import load_hub_split
from bench.store import to_json
from bench.types import Json

PIQA = "speed_piqa"
SUBJECTS = ("nutrition", "high_school_psychology", "miscellaneous")
MMLU = tuple(f"speed_mmlu_{subject}" for subject in SUBJECTS)
Rows = Sequence[Mapping[str, Json]]

COMMON = """\
kind: qa
language: en
version: 1
source: {licence: see the data set}
scorers: [accuracy]
"""
PIQA_YAML = """\
title: PIQA
data: {files: {test: test.jsonl}}
splits: {test: test}
prompt: |-
  Question: {{ goal }}
  Answer:
choices: "[sol1, sol2]"
answer: label
"""
MMLU_YAML = """\
title: MMLU
data: {files: {shots: shots.jsonl, test: test.jsonl}}
splits: {shots: shots, test: test}
instruction: The following are multiple choice questions (with answers) about SUBJECT.
prompt: |-
  {{ question.strip() }}
  A. {{ choices[0] }}
  B. {{ choices[1] }}
  C. {{ choices[2] }}
  D. {{ choices[3] }}
  Answer:
choices: [A, B, C, D]
answer: answer
"""


def make_tasks(folder: Path, mirror: Path) -> None:
    """Write the task folders into `folder`.

    Raises:
        TaskError: the mirror lacks a data set.
    """
    write_task(folder / PIQA, PIQA_YAML, {"test": _rows("ybisk/piqa", "", "validation", mirror)})
    splits = {
        "shots": _rows("cais/mmlu", "all", "dev", mirror),
        "test": _rows("cais/mmlu", "all", "test", mirror),
    }
    for subject, name in zip(SUBJECTS, MMLU, strict=True):
        own = {
            role: [row for row in rows if row["subject"] == subject]
            for role, rows in splits.items()
        }
        write_task(folder / name, MMLU_YAML.replace("SUBJECT", subject.replace("_", " ")), own)


def write_task(folder: Path, spec: str, splits: Mapping[str, Rows]) -> None:
    """A task folder: `spec` with what all have in common, and a file for each split."""
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(spec + COMMON)
    for name, rows in splits.items():
        (folder / f"{name}.jsonl").write_text("".join(to_json(row) + "\n" for row in rows))


def _rows(hub: str, config: str, split: str, mirror: Path) -> list[dict[str, Json]]:
    return [row.values for row in load_hub_split(hub, config, "", split, mirror)]
