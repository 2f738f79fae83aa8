"""Errors of YAML files: the key path is the one that was written, whatever the schema is made of."""
# ruff: noqa: E501  # a table is read by line

import math
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from pydantic import Field, ValidationError, model_validator

from bench.errors import TaskError
from bench.schema import Strict, read_yaml, validated

FILE = Path("file.yaml")
SEE = "see the manual"


class Leaf(Strict):
    """A value that is checked, and a key that is a word of Python."""

    size: Annotated[int, Field(gt=0)] = 1
    from_: str = Field(default="", alias="from")


class Metre(Strict):
    length: float


class Small(Strict):
    kind: Literal["small"]
    leaf: Leaf = Leaf()


class Large(Strict):
    kind: Literal["large", "huge"]
    leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = Field(default_factory=dict)
    pair: tuple[int, int] = (0, 0)

    @model_validator(mode="after")
    def rising(self) -> "Large":
        if self.pair[0] > self.pair[1]:
            raise ValueError("the pair falls")
        return self


Any = Annotated[Small | Large, Field(discriminator="kind")]


class Whole(Strict):
    title: str = ""
    one: Any | None = None
    named: dict[str, Any] = Field(default_factory=dict)
    listed: tuple[Any, ...] = ()
    words: str | tuple[str, ...] = ""
    leaf: Leaf | None = None


# what was written: (cause after the file's name, in the remedy)
BAD = {
    "{leaf: {siz: 2}}": ("leaf.siz: unknown key", "did you mean size?"),
    "{leaf: {form: x}}": ("leaf.form: unknown key", "did you mean from?"),
    "{leaf: {from: 2}}": ("leaf.from: found 2: expected text", 'quote it: "2"'),
    "{leaf: {size: 0}}": ("leaf.size: found 0: expected greater than 0", SEE),
    "{leaf: {size: much}}": ("leaf.size: found 'much': expected a whole number", SEE),
    "{one: {kind: small, leaf: {size: 0}}}": (
        "one.leaf.size: found 0: expected greater than 0",
        SEE,
    ),
    "{one: {kind: huge, leaves: [{}, {from: 2}]}}": (
        "one.leaves.1.from: found 2: expected text",
        'quote it: "2"',
    ),
    "{one: {kind: large, by_name: {small: {size: 0}}}}": (
        "one.by_name.small.size: found 0: expected greater than 0",
        SEE,
    ),
    "{one: {kind: large, by_name: {small: {siz: 0}}}}": (
        "one.by_name.small.siz: unknown key",
        "did you mean size?",
    ),
    "{one: {kind: small, leaves: []}}": ("one.leaves: unknown key", "did you mean leaf?"),
    "{one: {kind: smal}}": ("one.kind: found 'smal'", "did you mean small?"),
    "{one: {}}": ("one.kind: missing", "add the key one.kind"),
    "{one: 3}": ("one: found 3: expected a mapping of keys", SEE),
    "{named: {small: {kind: small, leaf: {size: 0}}}}": (
        "named.small.leaf.size: found 0: expected greater than 0",
        SEE,
    ),
    "{named: {large: {kind: huge, leaf: {}}}}": ("named.large.leaf: unknown key", "leaves"),
    "{named: {leaf: {kind: large, pair: [2, 1]}}}": (
        "named.leaf: found {'kind': 'large', 'pair': [2, 1]}: the pair falls",
        SEE,
    ),
    "{named: {a: {kind: large, pair: [x, 1]}}}": (
        "named.a.pair.0: found 'x': expected a whole number",
        SEE,
    ),
    "{named: {a: {kind: large, pair: [1]}}}": ("named.a.pair: found [1]: expected more items", SEE),
    "{named: {a: {kind: large, pair: [1, 2, 3]}}}": (
        "named.a.pair: found [1, 2, 3]: expected at most 2 items",
        SEE,
    ),
    "{named: {3: {kind: small}}}": ("named.3: found 3: expected text", 'quote it: "3"'),
    "{named: [a]}": ("named: found ['a']: expected a mapping of keys", SEE),
    "{listed: [{kind: small}, {kind: lage}]}": (
        "listed.1.kind: found 'lage'",
        "did you mean large?",
    ),
    "{listed: [{kind: small, leaf: {from: 2}}]}": (
        "listed.0.leaf.from: found 2: expected text",
        'quote it: "2"',
    ),
    "{listed: {kind: small}}": ("listed: found {'kind': 'small'}: expected a list", SEE),
    "{words: [a, 2]}": ("words.1: found 2: expected text", 'quote it: "2"'),
    "{words: no}": ("words: found False: expected text", "quote it: YAML reads yes, no"),
    "{titel: x}": ("titel: unknown key", "did you mean title?"),
    "{title: [x]}": ("title: found ['x']: expected text", SEE),
}


def read(text: str) -> Whole:
    return validated(FILE, yaml.safe_load(text), Whole, TaskError, SEE)


@pytest.mark.parametrize("text", BAD)
def test_an_error_names_the_keys_as_they_were_written(text):
    cause, remedy = BAD[text]
    with pytest.raises(TaskError) as caught:
        read(text)
    assert caught.value.cause == f"{FILE}: {cause}"
    assert remedy in caught.value.remedy


def test_a_missing_key_and_an_unknown_one_are_one_misspelling():
    class Needs(Strict):
        title: str

    with pytest.raises(TaskError, match=r"titel: unknown key\n.*did you mean title"):
        validated(FILE, {"titel": "x"}, Needs, TaskError, SEE)


def test_a_long_value_is_cut():
    with pytest.raises(TaskError) as caught:
        read("{leaf: {size: " + "x" * 500 + "}}")
    assert "found 'xxxxxx" in caught.value.cause
    assert len(caught.value.cause) < 150


def test_a_key_that_is_a_python_word_is_read_by_its_alias():
    assert read("{leaf: {from: x}}").leaf == Leaf(from_="x")


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_must_be_finite(number):
    with pytest.raises(ValidationError):
        Metre(length=number)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Leaf().size = 3


PARTS = some.sampled_from(["one", "named", "listed", "leaf", "kind", "small", "large", "by_name"])
ATOMS = some.one_of(some.none(), some.booleans(), some.integers(), PARTS)
TREES = some.recursive(
    ATOMS, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(PARTS, inner, max_size=4)
)


@given(some.dictionaries(PARTS, TREES, max_size=4))
def test_any_content_is_read_or_refused_in_one_line(raw):
    caught = None
    try:
        validated(FILE, raw, Whole, TaskError, SEE)
    except TaskError as error:
        caught = error
    assert caught is None or caught.cause.startswith(f"{FILE}: ")
    assert caught is None or ("\n" not in caught.cause and caught.remedy)


# Each line holds the one before nine times.
BOMB = b"a: &a [1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (key + 1, key + 1, b",".join([b"*%c" % key] * 9)) for key in b"abcdefgh"
)


@pytest.mark.parametrize(
    ("content", "cause", "remedy"),
    [
        (b"a: 1\nb: 2\na: 3\n", ":3: not readable as YAML: the key 'a' is written twice", "mend"),
        (b"a: {b: 1, b: 2}\n", ":1: not readable as YAML: the key 'b' is written twice", "mend"),
        (b"a: [1\n", ": not readable as YAML", "mend the line"),
        (b"a: 2020-99-99\n", ": not readable as YAML: month must be in", "mend the line"),
        (b"a: \xff\xfe\n", ": not readable as YAML", "mend the line"),
        (b"a: " + b"9" * 5000, ": not readable as YAML: Exceeds the limit", "mend the line"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, ": lists and mappings lie too deep", "the guide"),
        (BOMB, ": its aliases stand for more than 100000 values", "write them out"),
        (b"a: &a {b: *a}\n", ": its aliases stand for more than 100000 values", "write them out"),
        (b"- a\n", ": holds list, expected a mapping of keys", "the guide"),
        (b"", ": holds NoneType, expected a mapping of keys", "the guide"),
    ],
)
def test_what_is_no_mapping_in_yaml_is_told_with_its_line(tmp_path, content, cause, remedy):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(TaskError) as caught:
        read_yaml(path, TaskError, "create it", "the guide")
    assert caught.value.cause.startswith(str(path))
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TaskError, match=r"a\.yaml: no such file\n  try: create it"):
        read_yaml(tmp_path / "a.yaml", TaskError, "create it", "the guide")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(TaskError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path, TaskError, "create it", "the guide")


def test_a_merged_key_may_be_written_over(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("base: &b {x: 1, y: 2}\nmine: {<<: *b, x: 3}\n")
    assert read_yaml(path, TaskError, "", "")["mine"] == {"x": 3, "y": 2}
