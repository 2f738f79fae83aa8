"""`bench new`: a task folder of the wanted kind that passes `bench check` at once.

What differs between kinds stands in `sample_rows.py`.
"""

import json
import re
from pathlib import Path

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.folder import SUITES, embedded_folder
from bench.registry.sample_rows import SCAFFOLDS
from bench.registry.spec import KINDS

NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST = 80  # letters: file systems take 255 bytes, and a table has to hold the name
SPLITS = {"train": 2, "shots": 2, "test": 2}  # how the six sample rows are dealt

HEAD = """\
title: "{title}"
kind: {kind}
language: en
version: 1
source:
  licence: CC0-1.0
  citation: Written by the author of this task.
data:
  files: {{train: train.jsonl, shots: shots.jsonl, test: test.jsonl}}
splits: {{train: train, shots: shots, test: test}}
id: id
"""
TAIL = """\
margin: 0.03
rope: 0.02
suites: []
"""
README = """\
# {title}

What the task measures: (one sentence)

- Origin: six sample rows written by `bench new`; replace them.
- Licence: CC0-1.0
- Limits: (what a good score does not show)
"""


def new_task(name: str, kind: str, into: Path) -> Path:
    """Write the folder `into/name` and return it.

    Raises:
        UsageError: `name` is no folder name, is taken or too long, or `kind` is unknown.
        TaskError: the folder exists already, or cannot be written.
    """
    if len(name) > LONGEST:
        raise UsageError(
            f"{name[:20]}...: {len(name)} letters, expected at most {LONGEST}",
            "choose a shorter name",
        )
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no task name", "use lower-case letters, digits and underscores"
        )
    if name in SUITES:
        raise UsageError(f"{name!r} is the name of a suite", "choose another name")
    if (into / name).exists():
        raise TaskError(
            f"{into / name}: exists already", "choose another name, or edit that folder"
        )
    if (embedded_folder() / name).is_dir():
        raise UsageError(f"{name!r} is a task that comes with bench", "choose another name")
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind", did_you_mean(kind, KINDS))
    folder = into / name
    scaffold = SCAFFOLDS[kind]
    title = name.replace("_", " ").capitalize()
    try:
        folder.mkdir(parents=True)
        yaml = HEAD.format(title=title, kind=kind) + scaffold.body + TAIL
        (folder / "task.yaml").write_text(yaml, encoding="utf-8")
        (folder / "README.md").write_text(README.format(title=title), encoding="utf-8")
        rows = iter(scaffold.rows)
        for split, count in SPLITS.items():
            lines = [
                json.dumps({"id": f"{split}-{number}", **next(rows)}, ensure_ascii=False) + "\n"
                for number in range(1, count + 1)
            ]
            (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise TaskError(
            f"{folder}: cannot be written: {error.strerror}", "choose another folder with -o"
        ) from None
    return folder
