"""YAML files with a schema: frozen settings, and errors that name file, key, value and remedy.

`task.yaml` (`bench.registry.spec`) and recipes (`bench.training.settings`) are read through here.
"""

import re
import types
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bench.errors import BenchError, did_you_mean
from bench.regular import check_regular

Yaml = dict[str, Any]
MOST_VALUES = 100_000
Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """Frozen, unknown keys and infinite numbers are errors; a key that is a Python word has an
    alias."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )


def read_yaml(path: Path, fault: type[BenchError], absent: str, guide: str) -> Yaml:
    """The mapping in the YAML file at `path`.

    Raises:
        fault: no such file (remedy `absent`), a device, not YAML, a key written twice, no mapping
            (remedy `guide`), or aliases that stand for more values than anybody can mean.
    """
    check_regular(path, fault)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        values = _count(raw, {})
    except FileNotFoundError:
        raise fault(f"{path}: no such file", absent) from None
    except OSError as error:
        raise fault(f"{path}: cannot be read: {error.strerror}", "restore the file") from None
    except RecursionError:
        raise fault(f"{path}: lists and mappings lie too deep in each other", guide) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: bytes or dates that are none
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or str(error)
        raise fault(f"{path}{line}: not readable as YAML: {problem}", "mend the line") from None
    if not isinstance(raw, dict):
        raise fault(f"{path}: holds {type(raw).__name__}, expected a mapping of keys", guide)
    if values > MOST_VALUES:
        raise fault(
            f"{path}: its aliases stand for more than {MOST_VALUES} values", "write them out"
        )
    return raw


def _count(value: object, known: dict[int, int]) -> int:
    """The values in `value`, those behind an alias as often as it stands there."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_VALUES  # of one that holds itself
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(one, known) for one in inner)
    return known[id(value)]


def validated(
    path: Path, raw: Yaml, model: type[Model], fault: type[BenchError], see: str
) -> Model:
    """`raw`, read from `path`, as a `model`.

    Raises:
        fault: an unknown key, a missing one, or a value of the wrong type; `see` is the remedy
            where nothing better is known.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise fault(*_explain(path, model, error, see)) from None


class _Loader(yaml.CSafeLoader):
    """Refuses a key written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value!r} is written twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


KEY = "[key]"  # how pydantic says that the key of a mapping is wrong, not what stands under it
EXPECTED = {
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "too_short": "at least one item",
}


def _explain(
    path: Path, model: type[BaseModel], error: ValidationError, see: str
) -> tuple[str, str]:
    """The most telling problem as (cause, remedy)."""
    problem = _most_telling(error.errors())
    kind, found = problem["type"], problem["input"]
    keys, around = _follow(model, problem["loc"])
    where = ".".join(keys)
    if kind == "extra_forbidden":
        return f"{path}: {where}: unknown key", did_you_mean(keys[-1], _keys(around))
    if kind == "missing" and isinstance(problem["loc"][-1], int):
        where = ".".join(keys[:-1])
        return f"{path}: {where}: found {_shown(found)}: expected more items", see
    if kind == "missing":
        return f"{path}: {where}: missing", f"add the key {where}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _no_such_kind(path, where, problem)
    message = problem["msg"].removeprefix("Value error, ").replace("Input should be ", "expected ")
    if kind == "too_long":
        message = f"expected at most {problem['ctx']['max_length']} items"
    expected = f"expected {EXPECTED[kind]}" if kind in EXPECTED else message
    found_there = f"{path}: {where}: found {_shown(found)}: {expected}"
    cause = found_there if where else f"{path}: {expected}"
    if kind == "string_type" and isinstance(found, bool):
        return cause, 'quote it: YAML reads yes, no, on and off as true or false, "yes" as text'
    if kind == "string_type" and isinstance(found, int | float):
        return cause, f'quote it: "{found}"'
    if kind == "literal_error":
        return cause, did_you_mean(str(found), re.findall(r"'(.*?)'", problem["ctx"]["expected"]))
    return cause, see


def _shown(found: object) -> str:
    """The value found, cut where it is long."""
    return repr(found) if len(repr(found)) <= 60 else repr(found)[:57] + "..."


def _no_such_kind(path: Path, where: str, problem: ErrorDetails) -> tuple[str, str]:
    """The key that says which schema holds is missing or names none."""
    context = problem["ctx"]
    key = str(context["discriminator"]).strip("'")
    known = re.findall(r"'(.*?)'", str(context.get("expected_tags", "")))
    if problem["type"] == "union_tag_not_found":
        return f"{path}: {where}.{key}: missing", f"add the key {where}.{key}"
    found = str(context["tag"])
    return f"{path}: {where}.{key}: found {found!r}", did_you_mean(found, known)


def _most_telling(problems: list[ErrorDetails]) -> ErrorDetails:
    """An unknown key explains a missing one; an item of a list says more than the whole list."""
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            return problem
    same_key = [problem for problem in problems if problem["loc"][:1] == problems[0]["loc"][:1]]
    return max(same_key, key=lambda problem: len(problem["loc"]))


def _follow(
    model: type[BaseModel], place: Sequence[int | str]
) -> tuple[list[str], list[type[BaseModel]]]:
    """The key path as the user wrote it, and the schemas that may hold around its last key.

    Pydantic's path also names branches of unions: the type's name, or the tag that chose it.
    """
    keys: list[str] = []
    here: object = model
    around: list[type[BaseModel]] = []
    for part in place:
        schemas = list(_schemas(here))
        tagged = [schema for schema in schemas if part in _tags(schema)]
        if len(schemas) > 1 and tagged:
            here = tagged[0]
            continue
        if part in ("str", "tuple[str, ...]", "tuple[str,...]", KEY):
            continue
        keys.append(str(part))
        around = schemas
        here = _inside(here, part)
    return keys, around


def _schemas(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a type may stand for: itself, or the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _schemas(member)
    elif hasattr(annotation, "__metadata__"):
        yield from _schemas(get_args(annotation)[0])


def _inside(annotation: object, part: int | str) -> object:
    """The type of what stands under key or position `part`."""
    for schema in _schemas(annotation):
        for name, field in schema.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
    if hasattr(annotation, "__metadata__"):
        return _inside(get_args(annotation)[0], part)
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [_inside(member, part) for member in get_args(annotation)]
        return next((found for found in inner if found is not None), None)
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if get_origin(annotation) is tuple else None


def _tags(schema: type[BaseModel]) -> tuple[object, ...]:
    """The literal values of its `kind`."""
    field = schema.model_fields.get("kind")
    is_literal = field is not None and get_origin(field.annotation) is Literal
    return get_args(field.annotation) if field is not None and is_literal else ()


def _keys(schemas: Sequence[type[BaseModel]]) -> list[str]:
    """The keys of all `schemas`, as a user writes them."""
    return [
        field.alias or name for schema in schemas for name, field in schema.model_fields.items()
    ]
