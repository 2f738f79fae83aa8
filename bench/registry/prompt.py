"""Rows -> Examples: Jinja templates compiled once a task, few-shot choice, answers and digests.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined, TemplateError, Undefined

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.data import Row, load_rows
from bench.registry.folder import Task
from bench.registry.spec import GenerateSpec, TaskSpec
from bench.types import Example, Extract, Generation, Json, Shot, Turn

ShotChoice = Literal["fixed", "per_example"]
Expression = Callable[[dict[str, Json]], object]
ENVIRONMENT = Environment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)


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


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A row after the templates, before shots."""

    id: str
    cluster: str
    question: str
    target: str
    answers: tuple[str, ...]
    choices: tuple[str, ...]
    right: tuple[int, ...]
    check: dict[str, Json]


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
    return examples_of(task, rows, pool, shots, variant)


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
    render = _Renderer(task, spec)
    solved = [render(row, number) for number, row in enumerate(pool)]
    examples: list[Example] = []
    failures: list[Failure] = []
    for number, row in enumerate(rows):
        try:
            rendered = render(row, number)
            chosen = _choose(task, rendered, solved, shots)
        except TaskError as error:
            failures.append(Failure(_id(spec, row, number), row.where, error.cause))
            if len(failures) == len(rows):
                raise
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


class _Renderer:
    """The compiled templates and expressions of one task."""

    def __init__(self, task: Task, spec: TaskSpec) -> None:
        self.file = task.folder / "task.yaml"
        self.spec = spec
        try:
            self.prompt = ENVIRONMENT.from_string(spec.prompt)
        except TemplateError as error:
            raise TaskError(f"{self.file}: prompt: {error}", "mend the template") from None
        answers = (spec.answer,) if isinstance(spec.answer, str) else spec.answer
        self.answers = [self._compile("answer", source) for source in answers]
        self.target = self._compile("target", spec.target) if spec.target else None
        choices = spec.choices
        self.choices = self._compile("choices", choices) if isinstance(choices, str) else None
        self.check = {
            name: self._compile(f"check.{name}", source) for name, source in spec.check.items()
        }

    def __call__(self, row: Row, number: int) -> _Rendered:
        try:
            question = self.prompt.render(row.values)
        except Exception as error:
            raise self._at(row, "prompt", error) from None
        if not question.strip():
            raise TaskError(
                f"{row.where}: prompt: empty after rendering", "fill the columns it uses"
            )
        choices = self._choices(row)
        answers, right = self._answers(row, choices)
        target = self._text(row, "target", self.target(row.values)) if self.target else answers[0]
        check: dict[str, Json] = {
            name: _plain(self._value(row, f"check.{name}", expression))
            for name, expression in self.check.items()
        }
        cluster = row.values.get(self.spec.cluster) if self.spec.cluster else None
        if self.spec.cluster and cluster is None:
            raise TaskError(f"{row.where}: cluster: no column {self.spec.cluster!r}", "fill it")
        identity = _id(self.spec, row, number)
        return _Rendered(
            id=identity,
            cluster=identity if cluster is None else str(cluster),
            question=question,
            target=target,
            answers=answers,
            choices=choices,
            right=right,
            check=check,
        )

    def _compile(self, key: str, source: str) -> Expression:
        try:
            compiled = ENVIRONMENT.compile_expression(source, undefined_to_none=False)
        except TemplateError as error:
            raise TaskError(
                f"{self.file}: {key}: {source!r} is no Jinja expression: {error}",
                "write an expression over the columns, such as answers[0]",
            ) from None
        return lambda values: compiled(**values)

    def _value(self, row: Row, key: str, expression: Expression) -> object:
        try:
            value = expression(row.values)
            if isinstance(value, Undefined):
                str(value)  # raises, naming what is undefined
        except Exception as error:
            raise self._at(row, key, error) from None
        return value

    def _text(self, row: Row, key: str, value: object) -> str:
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise TaskError(f"{row.where}: {key}: found {value!r}, expected text", "mend the row")

    def _choices(self, row: Row) -> tuple[str, ...]:
        if self.choices is None:
            assert not isinstance(self.spec.choices, str)
            return self.spec.choices
        value = self._value(row, "choices", self.choices)
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise TaskError(
                f"{row.where}: choices: found {value!r}, expected a list of two or more", "mend it"
            )
        return tuple(self._text(row, "choices", item) for item in value)

    def _answers(
        self, row: Row, choices: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Accepted texts and, for choices, their positions."""
        values: list[object] = []
        for expression in self.answers:
            value = self._value(row, "answer", expression)
            values += value if isinstance(value, list | tuple) else [value]
        if not values:
            raise TaskError(f"{row.where}: answer: empty list", "give at least one answer")
        if not choices:
            return tuple(self._text(row, "answer", value) for value in values), ()
        right = tuple(dict.fromkeys(self._position(row, value, choices) for value in values))
        return tuple(choices[position] for position in right), right

    def _position(self, row: Row, value: object, choices: tuple[str, ...]) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(choices):
            return value
        if isinstance(value, str) and value in choices:
            return choices.index(value)
        raise TaskError(
            f"{row.where}: answer: found {value!r}, expected one of {list(choices)} or a position "
            f"below {len(choices)}",
            "mend the row",
        )

    def _at(self, row: Row, key: str, error: Exception) -> TaskError:
        columns = ", ".join(sorted(row.values))
        return TaskError(
            f"{row.where}: {key} ({self.file}): {error}", f"the row has the columns {columns}"
        )


def _id(spec: TaskSpec, row: Row, number: int) -> str:
    value = row.values.get(spec.id) if spec.id else number
    if value is None:
        raise TaskError(
            f"{row.where}: id: no column {spec.id!r}", did_you_mean(spec.id, row.values)
        )
    return str(value)


def _choose(
    task: Task, asked: _Rendered, pool: Sequence[_Rendered], shots: ShotSettings
) -> tuple[Shot, ...]:
    """The shots before `asked`: never itself, never one of its cluster."""
    if not shots.count:
        return ()
    per_row = shots.choice == "per_example"
    key = f"{shots.seed}/{task.name}" + (f"/{asked.id}" if per_row else "")
    order = list(pool)
    random.Random(hashlib.sha256(key.encode()).digest()).shuffle(order)
    strangers = [
        other
        for other in order
        if other.cluster != asked.cluster and other.question != asked.question
    ]
    if len(strangers) < shots.count:
        raise TaskError(
            f"{task.name}: {shots.count} shots asked for, {len(strangers)} rows can be shown",
            f"use --shots {len(strangers)} or add rows to the shots split",
        )
    return tuple(Shot(other.question, other.target) for other in strangers[: shots.count])


def _example(
    task: str, variant: str, spec: TaskSpec, rendered: _Rendered, shots: tuple[Shot, ...]
) -> Example:
    identity = [rendered.question, rendered.answers, rendered.choices, rendered.check]
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
        digest=digest(identity),
    )


def _generation(spec: GenerateSpec | None) -> Generation | None:
    if spec is None:
        return None
    return Generation(spec.max_tokens, spec.stops, spec.temperature, spec.top_p)


def digest(value: object) -> str:
    """The first 16 hex digits of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> Json:
    """`value` as JSON data, whatever Jinja or Arrow made of it."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=str))  # type: ignore[no-any-return]
