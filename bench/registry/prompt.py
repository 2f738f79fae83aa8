"""Rows -> Examples: the shots before each question, digests, and the prompt as text or as a chat.

Shots never depend on the order, shard or limit of the rows that are asked: they are drawn from
(seed, task) once, or from (seed, task, id) for each row.

>>> from bench.registry.folder import select
>>> task = select(["sentiment"])[0][0]
>>> examples, failures = examples_of(task, load_rows(task, "test")[:1], [])
>>> examples[0].choices
('negative', 'positive')
"""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.data import Row, load_rows
from bench.registry.folder import Task
from bench.registry.render import Rendered, Renderer
from bench.registry.spec import GenerateSpec, TaskSpec
from bench.types import Example, Extract, Generation, Json, Shot, Turn

ShotChoice = Literal["fixed", "per_example"]


@dataclass(frozen=True, slots=True)
class ShotSettings:
    """How many solved examples precede each question, and how they are drawn."""

    count: int = 0
    choice: ShotChoice = "fixed"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that could not be rendered, and why."""

    id: str
    where: str
    reason: str


def load_examples(
    task: Task,
    shots: ShotSettings = ShotSettings(),
    variant: str = "",
    limit: int | None = None,
    root: Path | None = None,
) -> tuple[list[Example], list[Failure]]:
    """The test Examples of `task` (the first `limit` rows) and the rows that failed to render.

    Raises:
        TaskError: data cannot be read, too few shots, or every row fails to render.
        UsageError: no such variant.
    """
    rows = load_rows(task, "test", root)[:limit]
    pool = load_rows(task, "shots", root) if shots.count else []
    examples, failures = examples_of(task, rows, pool, shots, variant)
    distinct = {example.id: example for example in reversed(examples)}
    failures += [
        Failure(f"{example.id} again", str(task.folder), f"id {example.id!r} stands in two rows")
        for example in examples
        if distinct[example.id] is not example
    ]
    return [example for example in examples if distinct[example.id] is example], failures


def examples_of(
    task: Task,
    rows: Sequence[Row],
    pool: Sequence[Row],
    shots: ShotSettings = ShotSettings(),
    variant: str = "",
) -> tuple[list[Example], list[Failure]]:
    """`rows` rendered, with shots drawn from `pool`; rows that fail are returned as Failures.

    Raises:
        TaskError: the templates do not compile, the pool is too small, or every row fails.
        UsageError: no such variant.
    """
    spec = with_variant(task, variant)
    render = Renderer(task, spec)
    solved = [render(row, number) for number, row in enumerate(pool)]
    examples: list[Example] = []
    failures: list[Failure] = []
    first: TaskError | None = None
    for number, row in enumerate(rows):
        try:
            rendered = render(row, number)
            chosen = _choose(task, rendered, solved, shots)
        except TaskError as error:
            identity = str(row.values.get(spec.id) or row.where) if spec.id else str(number)
            failures.append(Failure(identity, row.where, error.cause))
            first = first or error
            if len(failures) == len(rows):
                raise first from None
            continue
        examples.append(_example(task.name, variant, spec, rendered, chosen))
    return examples, failures


def with_variant(task: Task, variant: str) -> TaskSpec:
    """The task's spec with the wording of `variant` (empty: as written).

    Raises:
        UsageError: the task has no such variant.
    """
    if not variant:
        return task.spec
    if variant not in task.spec.variants:
        raise UsageError(
            f"task {task.name!r} has no variant {variant!r}",
            did_you_mean(variant, task.spec.variants),
        )
    changed = task.spec.variants[variant].model_dump(exclude_none=True)
    return task.spec.model_copy(update=changed)


def as_text(example: Example) -> str:
    """The prompt as plain text: instruction, shots and question, a blank line between them."""
    solved = [f"{shot.question}{example.delimiter}{shot.target}" for shot in example.shots]
    parts = [example.instruction, *solved, example.question]
    return "\n\n".join(part for part in parts if part)


def as_turns(example: Example, system: str = "", shots_as_turns: bool = True) -> tuple[Turn, ...]:
    """The prompt as a chat: shots as turns of their own, or everything in one user turn."""
    opening = (Turn("system", system),) if system else ()
    if not shots_as_turns:
        return (*opening, Turn("user", as_text(example)))
    questions = [shot.question for shot in example.shots] + [example.question]
    if example.instruction:
        questions[0] = f"{example.instruction}\n\n{questions[0]}"
    turns: list[Turn] = []
    for question, shot in zip(questions, example.shots, strict=False):
        turns += [Turn("user", question), Turn("assistant", shot.target)]
    return (*opening, *turns, Turn("user", questions[-1]))


def _choose(
    task: Task, asked: Rendered, pool: Sequence[Rendered], shots: ShotSettings
) -> tuple[Shot, ...]:
    """The shots before `asked`: never itself, never one of its cluster."""
    if not shots.count:
        return ()
    per_row = shots.choice == "per_example"
    key = f"{shots.seed}/{task.name}" + (f"/{asked.id}" if per_row else "")
    strangers = (
        other
        for other in _shuffled(pool, key)
        if other.group != asked.group and other.question != asked.question
    )
    chosen = tuple(Shot(other.question, other.target) for other in islice(strangers, shots.count))
    if len(chosen) < shots.count:
        raise TaskError(
            f"{task.name}: {shots.count} shots asked for, {len(chosen)} rows can be shown",
            f"use --shots {len(chosen)} or add rows to the shots split",
        )
    return chosen


def _shuffled(pool: Sequence[Rendered], key: str) -> Iterator[Rendered]:
    """`pool` in an order that `key` decides, at the cost of what is taken (Fisher and Yates)."""
    draw = random.Random(hashlib.sha256(key.encode()).digest())
    moved: dict[int, int] = {}
    for last in reversed(range(len(pool))):
        place = draw.randint(0, last)
        yield pool[moved.get(place, place)]
        moved[place] = moved.get(last, last)


def _example(
    task: str, variant: str, spec: TaskSpec, rendered: Rendered, shots: tuple[Shot, ...]
) -> Example:
    return Example(
        task=task,
        id=rendered.id,
        cluster=rendered.cluster,
        variant=variant,
        instruction=spec.instruction.strip(),
        shots=shots,
        question=rendered.question,
        delimiter=spec.delimiter,
        target=rendered.target,
        answers=rendered.answers,
        choices=rendered.choices,
        right=rendered.right,
        normalise=spec.normalise,
        extract=Extract(spec.extract.how, spec.extract.pattern),
        generation=_generation(spec.generate),
        samples=spec.generate.samples if spec.generate else 1,
        check=rendered.check,
        digest=digest(
            identity(rendered.question, rendered.answers, rendered.choices, rendered.check)
        ),
    )


def _generation(spec: GenerateSpec | None) -> Generation | None:
    if spec is None:
        return None
    return Generation(spec.max_tokens, spec.stops, spec.temperature, spec.top_p)


def identity(
    question: str, answers: Sequence[str], choices: Sequence[str], check: Mapping[str, Json]
) -> list[object]:
    """What the digest of an item is taken of, whatever shots or chat template surround it."""
    return [question, answers, choices, check]


def digest(value: object) -> str:
    """The first 16 hex digits of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
