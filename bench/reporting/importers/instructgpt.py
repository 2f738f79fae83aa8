"""OpenAI's released samples of InstructGPT -> Results: 12 models on four tasks, the same items.

Called by `bench import instructgpt DIR` with the CSV files of
https://github.com/openai/following-instructions-human-feedback in DIR. Replies are scored here
(SQuAD, ROUGE) or were by the authors (Perspective's toxicity, the judges of TruthfulQA); texts
carry no licence and stay out of the Results. Ouyang et al. 2022, arXiv 2203.02155, appendix D.

    squadv2@fewshot   gpt-175b .6785   sft-175b .6411   ppo-175b .4803   ppo-ptx-175b .6583
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.environment import environment
from bench.errors import RunError, did_you_mean
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.instructgpt_tasks import TASKS, Cells, Released
from bench.reporting.importers.reading import read_table, read_text
from bench.reporting.importers.rows import Row, digest_of, items_of
from bench.reporting.results.diversity import diversity
from bench.reporting.results.schema import (
    SCHEMA_VERSION,
    Items,
    Link,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)

SOURCE = "https://github.com/openai/following-instructions-human-feedback"
REMEDY = f"download the CSV files again: {SOURCE}"
REVISION = "released"
# The day the paper and the samples came out; when the models were asked was not said.
STARTED = "2022-01-27"
SCORED_WITH = ("instruct-bench", "rouge-score")
# Name in the files -> our name, stage, what it was trained from.
STAGES: Mapping[str, tuple[str, str, str]] = {
    "gpt": ("gpt", "base", ""),
    "sft": ("sft", "sft", "gpt"),
    "ppo-noptx": ("ppo", "ppo", "sft"),
    "ppo-ptx": ("ppo-ptx", "ppo_ptx", "sft"),
}
SIZES: Mapping[str, tuple[str, int]] = {
    "xl": ("1.3B", 1_300_000_000),
    "6b": ("6B", 6_000_000_000),
    "175b": ("175B", 175_000_000_000),
}
NOTES = (
    "the samples carry no licence: only scores and lengths are published",
    "sampled at temperature 0 and cut at the first line break (paper, appendix D)",
    "PPO started from a fine-tuning of its own (2 epochs, 10% pretraining text; paper, appendix "
    "C.3) that was not released; the SFT model of its size stands for it",
    "PPO was trained against a 6B reward model that was not released",
)

Asked = tuple[str, str]  # model and wording, as the files call them


def read_instructgpt(path: Path) -> Imported:
    """The Results of the folder, or of one of its CSV files.

    Raises:
        RunError: there is no such file, a column is missing, a model or wording is unknown, a
            score leaves its bounds, or models were not asked the same items.
    """
    files = [path] if path.is_file() else [path / f"{name}.csv" for name in TASKS]
    there = [file for file in files if file.is_file()]
    known = ", ".join(f"{name}.csv" for name in TASKS)
    if not there or any(file.stem not in TASKS for file in there):
        raise RunError(f"{path}: expected one or more of {known}", REMEDY)
    results = [result for file in there for result in _read(file)]
    lost = [f"{file.name}: {column}" for file in there for column in sorted(TASKS[file.stem].lost)]
    return Imported(tuple(results), tuple(lost))


def rows_by_model(path: Path) -> dict[Asked, list[Cells]]:
    """The rows of one of the CSV files for each model and wording, the same items in each.

    Raises:
        RunError: as `read_instructgpt` says.
    """
    task = TASKS[path.stem]
    groups: dict[Asked, list[Cells]] = {}
    for number, row in enumerate(read_table(path, task.columns, REMEDY), start=1):
        _check_names(f"{path}: row {number}", row, task)
        groups.setdefault((row["model_type"], row.get("prompt_type", "")), []).append(row)
    _check_items(path, task, groups)
    return groups


def items_of_rows(path: Path, rows: Sequence[Cells]) -> Items:
    """The rows of one model in one wording, scored; a question is one cluster in all wordings."""
    task = TASKS[path.stem]
    digests = [_identity(task, row) for row in rows]
    found = [
        Row(
            id=str(number),
            digest=digest,
            cluster=digest,
            scores=task.score(row, f"{path}: row {row['']}"),
            measures=task.measure(row[task.reply]),
        )
        for number, (row, digest) in enumerate(zip(rows, digests, strict=True))
    ]
    return items_of(found, task.metrics, str(path), REMEDY)


def _read(path: Path) -> list[Result]:
    task = TASKS[path.stem]
    text = read_text(path, REMEDY).encode()
    content = f"{path.name} sha256 {hashlib.sha256(text).hexdigest()}"
    return [
        _result(path, task, asked, rows, content) for asked, rows in rows_by_model(path).items()
    ]


def _result(
    path: Path, task: Released, asked: Asked, rows: Sequence[Cells], content: str
) -> Result:
    items = items_of_rows(path, rows)
    variant = task.variants.get(asked[1], "")
    installed = environment()
    return Result(
        schema_version=SCHEMA_VERSION,
        model=_model(asked[0]),
        task=TaskEntry(
            name=path.stem,
            version=1,
            digest=digest_of([list(items.digests), [metric.name for metric in task.metrics]]),
            prompts_digest=digest_of([variant, list(items.digests)]),
            kind=task.kind,
            language="en",
            metrics=task.metrics,
            variant=variant,
            title=task.title,
            source=SOURCE,
        ),
        settings={"temperature": 0.0, "stops": ["\n"]},
        provenance=Provenance(
            tool="OpenAI's released samples",
            scorer=f"instruct-bench {installed.get('instruct-bench', '')}".strip(),
            command=f"bench import instructgpt {path.name}",
            started=STARTED,
            environment={name: installed[name] for name in SCORED_WITH if name in installed},
            notes=(*NOTES, *task.notes, content),
        ),
        asked=len(rows),
        items=items,
        aggregates=dict(diversity([row[task.reply] for row in rows])),
    )


def _model(name: str) -> ModelEntry:
    prefix, _, suffix = name.rpartition("-")
    (ours, stage, parent), (size, parameters) = STAGES[prefix], SIZES[suffix]
    return ModelEntry(
        name=f"{ours}-{size.lower()}",
        revision=REVISION,
        stage=stage,
        family="InstructGPT",
        size=size,
        parameters=parameters,
        parents=(Link("policy", f"{parent}-{size.lower()}", REVISION),) if parent else (),
    )


def _identity(task: Released, row: Cells) -> str:
    """The digest of question and references: what makes an item the same item."""
    return digest_of([row[column] for column in task.identity])


def _check_names(where: str, row: Cells, task: Released) -> None:
    models = [f"{stage}-{size}" for stage in STAGES for size in SIZES]
    for column, known in (("model_type", models), ("prompt_type", list(task.variants))):
        if column in task.columns and row[column] not in known:
            found = row[column]
            raise RunError(f"{where}: {column}: {found!r} is unknown", did_you_mean(found, known))


def _check_items(path: Path, task: Released, groups: Mapping[Asked, Sequence[Cells]]) -> None:
    """All models were asked the same items in the same order, in each wording."""
    first: dict[str, tuple[str, list[str]]] = {}
    for (model, wording), rows in groups.items():
        found = [_identity(task, row) for row in rows]
        other, expected = first.setdefault(wording, (model, found))
        if found != expected:
            place = next(
                (
                    at
                    for at, pair in enumerate(zip(found, expected, strict=False))
                    if len(set(pair)) > 1
                ),
                min(len(found), len(expected)),
            )
            raise RunError(
                f"{path}: {model} {wording}: item {place} is not the one that {other} was asked; "
                f"found {len(found)} items, expected the {len(expected)} of {other}",
                REMEDY,
            )
