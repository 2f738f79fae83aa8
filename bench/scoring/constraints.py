r"""Verifiable instructions: does a reply do what a program can check that it was told to?

The scorers constraints_strict and constraints_loose call `strict` and `loose`. A constraint
is a JSON object, its kind with that kind's parameters: the row that asks for "two bullet
points without commas" carries `[{"kind": "bullets", "n": 2}, {"kind": "no_commas"}]`, and
`strict("- tea\n- milk", constraints)` is 1.0. The kinds are in `constraint_kinds.py`.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from bench.errors import TaskError, did_you_mean
from bench.scoring.constraint_kinds import CONSTRAINTS, Constraint, Parameters
from bench.types import Example, Reply

__all__ = [
    "CONSTRAINTS",
    "check_constraint",
    "constraints_loose",
    "constraints_strict",
    "loose",
    "satisfied",
    "strict",
]


def constraints_strict(example: Example, reply: Reply) -> float:
    """The scorer: `strict` over the constraints in `check.constraints`.

    Raises TaskError if `check.constraints` is not a list of objects, or as `strict` does.
    """
    return strict(reply.text or "", _constraints(example))


def constraints_loose(example: Example, reply: Reply) -> float:
    """The scorer: `loose` over the constraints in `check.constraints`.

    Raises TaskError as `constraints_strict` does.
    """
    return loose(reply.text or "", _constraints(example))


def strict(text: str, constraints: Sequence[Mapping[str, object]]) -> float:
    """1.0 if the reply is not blank and every constraint holds, else 0.0.

    Raises TaskError if there is no constraint, or one is not as its kind wants it.
    """
    return float(all(satisfied(text, constraints)))


def loose(text: str, constraints: Sequence[Mapping[str, object]]) -> float:
    """1.0 if every constraint holds for some variant of the reply, else 0.0.

    The eight variants are those of IFEval's loose accuracy (Zhou et al. 2023,
    arXiv:2311.07911): the reply as it is, without its first line, without
    its last, without both; and these four without asterisks. As there, two constraints may
    hold for different variants, and a blank variant counts for nothing.

    Raises TaskError as `strict` does.
    """
    by_variant = [satisfied(variant, constraints) for variant in _variants(text)]
    return float(all(any(held) for held in zip(*by_variant, strict=True)))


def satisfied(text: str, constraints: Sequence[Mapping[str, object]]) -> list[bool]:
    """For each constraint whether it holds; for a blank reply none does.

    Raises TaskError as `strict` does.
    """
    if not constraints:
        raise TaskError("constraints: found an empty list", "give at least one constraint")
    return [check_constraint(text, constraint) for constraint in constraints]


def check_constraint(text: str, constraint: Mapping[str, object]) -> bool:
    """Whether one constraint, such as {"kind": "max_words", "n": 9}, holds for a reply.

    A blank reply satisfies nothing, not even "at most nine words".

    Raises TaskError for an unknown kind, or a missing, unknown or wrong parameter.
    """
    kind = _kind(constraint)
    return kind.check(text, _parameters(kind, constraint)) and text.strip() != ""


def _constraints(example: Example) -> list[Mapping[str, object]]:
    found = example.check.get("constraints")
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise TaskError(
            f"{example.task} row {example.id}: check.constraints: found {found!r}",
            "give a list of objects with a kind",
        )
    return cast(list[Mapping[str, object]], found)


def _variants(text: str) -> list[str]:
    rows = text.split("\n")
    cut = [text, *("\n".join(part).strip() for part in (rows[1:], rows[:-1], rows[1:-1]))]
    return [*cut, *(variant.replace("*", "") for variant in cut)]


def _kind(constraint: Mapping[str, object]) -> Constraint:
    name = constraint.get("kind")
    if not isinstance(name, str) or name not in CONSTRAINTS:
        cause = f"constraint {dict(constraint)}: kind: found {name!r}, which is no kind"
        raise TaskError(cause, did_you_mean(str(name), CONSTRAINTS))
    return CONSTRAINTS[name]


def _parameters(kind: Constraint, constraint: Mapping[str, object]) -> Parameters:
    where = f"constraint {dict(constraint)}"
    given = {name: value for name, value in constraint.items() if name != "kind"}
    for name, value in given.items():
        if name not in kind.parameters:
            raise TaskError(
                f"{where}: {name}: not a parameter of this kind",
                did_you_mean(name, kind.parameters),
            )
        if not kind.parameters[name].accepts(value):
            wanted = kind.parameters[name].description
            raise TaskError(f"{where}: {name}: found {value!r}", f"give {wanted}")
    for name, parameter_type in kind.parameters.items():
        if name not in given and name not in kind.optional:
            raise TaskError(f"{where}: {name}: missing", f"give {parameter_type.description}")
    return cast(Parameters, given)
