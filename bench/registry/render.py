"""Templates: a Row -> question, target, answers and choices, before shots.

`prompt.py` compiles the templates of a task once and calls the Renderer for every row. A name that
is no column is an error; expressions give Python values, so an answer may be a list or a position.

>>> ENVIRONMENT.compile_expression("answers[0] ~ '!'")({"answers": ["Oslo", "Christiania"]})
'Oslo!'
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.errors import TaskError, did_you_mean
from bench.registry.data import Row
from bench.registry.folder import Task
from bench.registry.spec import TaskSpec
from bench.types import Json

Expression = Callable[[dict[str, Json]], object]
# Templates come with task folders: they read the row, and reach nothing else.
ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row after the templates, before shots.

    `group` is shared by rows that may not be shots of each other. Without id and cluster columns
    it is the row's place: equal row numbers in two splits mean nothing.
    """

    id: str
    cluster: str
    group: str
    question: str
    target: str
    answers: tuple[str, ...]
    choices: tuple[str, ...]
    right: tuple[int, ...]
    check: dict[str, Json]


class Renderer:
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

    def __call__(self, row: Row, number: int) -> Rendered:
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
        target = self._target(row) if self.target else answers[0]
        check: dict[str, Json] = {
            name: self._plain(row, f"check.{name}", expression)
            for name, expression in self.check.items()
        }
        try:
            "".join([question, target, *answers, *choices, _json(check)]).encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair, as JSON can hold
            raise self._at(row, "text", error) from None
        identity, cluster, group = self._groups(row, number)
        return Rendered(
            id=identity,
            cluster=cluster,
            group=group,
            question=question,
            target=target,
            answers=answers,
            choices=choices,
            right=right,
            check=check,
        )

    def _target(self, row: Row) -> str:
        assert self.target is not None
        return self._text(row, "target", self._value(row, "target", self.target))

    def _groups(self, row: Row, number: int) -> tuple[str, str, str]:
        """Id, cluster and group of a row."""
        identity = _id(self.spec, row, number)
        if not self.spec.cluster:
            return identity, identity, identity if self.spec.id else row.where
        cluster = row.values.get(self.spec.cluster)
        if cluster is None:
            raise TaskError(f"{row.where}: cluster: no column {self.spec.cluster!r}", "fill it")
        return identity, str(cluster), str(cluster)

    def _compile(self, key: str, source: str) -> Expression:
        try:
            compiled = ENVIRONMENT.compile_expression(source, undefined_to_none=False)
        except TemplateError as error:
            raise TaskError(
                f"{self.file}: {key}: {source!r} is no Jinja expression: {error}",
                "write an expression over the columns, such as answers[0]",
            ) from None
        return lambda values: compiled(values)

    def _value(self, row: Row, key: str, expression: Expression) -> object:
        try:
            value = expression(row.values)
            if isinstance(value, Undefined):
                str(value)  # raises, naming what is undefined
        except Exception as error:
            raise self._at(row, key, error) from None
        return value

    def _plain(self, row: Row, key: str, expression: Expression) -> Json:
        """The value as JSON data, whatever Jinja or Arrow made of it."""
        value = self._value(row, key, expression)
        try:
            return json.loads(_json(value))  # type: ignore[no-any-return]
        except Exception as error:
            raise self._at(row, key, error) from None

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
        reason = " ".join(str(error).split()) or type(error).__name__
        return TaskError(
            f"{row.where}: {key} ({self.file}): {reason}", f"the row has the columns {columns}"
        )


def _id(spec: TaskSpec, row: Row, number: int) -> str:
    value = row.values.get(spec.id) if spec.id else number
    if value is None:
        raise TaskError(
            f"{row.where}: id: no column {spec.id!r}", did_you_mean(spec.id, row.values)
        )
    return str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
