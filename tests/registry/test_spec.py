"""task.yaml: what is accepted, and the message that each mistake gets.

A message names the file, the key path, the value found and what to do.
"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TaskError
from bench.registry.spec import GenerateSpec, TaskSpec, VariantSpec, read_spec

GOOD = """\
title: Colours
kind: qa
language: en
version: 1
source: {licence: CC0-1.0}
data: {files: {test: test.jsonl}}
splits: {test: test}
prompt: "{{ question }}"
answer: answer
choices: [red, blue]
scorers: [accuracy]
"""
LAST = "scorers: [accuracy]\n"
QUOTE = 'quote it: YAML reads yes, no, on and off as true or false, "yes" as text'
SEE = "see the keys in CONTRIBUTING.md"

# what is wrong: (found in GOOD, written instead, cause after the file name, remedy)
MISTAKES: dict[str, tuple[str, str, str, str]] = {
    "unknown key": (LAST, LAST + "normalize: char\n", "normalize: unknown key", "normalise"),
    "unknown key that was required": ("prompt:", "promt:", "promt: unknown key", "prompt"),
    "unknown key like none": (LAST, LAST + "zzz: 1\n", "zzz: unknown key", "known: aggregates"),
    "unknown nested key": ("licence:", "license:", "source.license: unknown key", "licence"),
    "unknown key in data": ("{files:", "{file:", "data.file: unknown key", "files"),
    "unknown role": ("{test: test}", "{tset: test}", "splits.tset: unknown key", "test"),
    "unknown key in a variant": (
        LAST,
        LAST + "variants: {short: {promt: a}}\n",
        "variants.short.promt: unknown key",
        "prompt",
    ),
    "unknown key in generate": (
        LAST,
        LAST + "generate: {max_token: 5}\n",
        "generate.max_token: unknown key",
        "max_tokens",
    ),
    "missing key": ("title: Colours\n", "", "title: missing", "add the key title"),
    "missing nested key": ("{licence: CC0-1.0}", "{}", "source.licence: missing", "add the key"),
    "empty key": ("source: {licence: CC0-1.0}", "source:", "source: found None: expected a", SEE),
    "yes as a choice": ("[red, blue]", "[yes, no]", "choices.0: found True: expected text", QUOTE),
    "yes as a choice of a variant": (
        LAST,
        LAST + "variants: {asked: {choices: [yes, no]}}\n",
        "variants.asked.choices.0: found True: expected text",
        QUOTE,
    ),
    "yes as an answer": (
        "answer: answer",
        "answer: yes",
        "answer: found True: expected text",
        QUOTE,
    ),
    "Norway": ("language: en", "language: no", "language: found False: expected text", QUOTE),
    "number as a choice": ("[red, blue]", "[1, 2]", "choices.0: found 1: expected", 'it: "1"'),
    "number as a stop": (
        LAST,
        LAST + "generate: {max_tokens: 5, stops: [0.5]}\n",
        "generate.stops.0: found 0.5: expected text",
        'quote it: "0.5"',
    ),
    "text for a list": (
        "[accuracy]",
        "accuracy",
        "scorers: found 'accuracy': expected a list",
        SEE,
    ),
    "list for a mapping": (
        LAST,
        LAST + "variants: [short]\n",
        "variants: found ['short']: expected a mapping of keys",
        SEE,
    ),
    "word for a number": (
        "version: 1",
        "version: one",
        "version: found 'one': expected a whole number",
        SEE,
    ),
    "fraction for a whole number": (
        "version: 1",
        "version: 1.5",
        "version: found 1.5: expected a whole number",
        SEE,
    ),
    "version 0": ("version: 1", "version: 0", "version: found 0: expected greater than 0", SEE),
    "chance above 1": (
        LAST,
        LAST + "chance: 25\n",
        "chance: found 25: expected less than 1",
        SEE,
    ),
    "chance that is the best": (
        LAST,
        LAST + "chance: 1\n",
        "chance: found 1: expected less than 1",
        SEE,
    ),
    "kind misspelt": ("kind: qa", "kind: cod", "kind: found 'cod': expected 'qa',", "mean code?"),
    "normalise misspelt": (
        LAST,
        LAST + "normalise: chars\n",
        "normalise: found 'chars': expected 'none',",
        "did you mean char?",
    ),
    "language by name": ("language: en", "language: English", "language: found 'English'", SEE),
    "extract misspelt": (
        LAST,
        LAST + "extract: {how: regexp}\n",
        "extract.how: found 'regexp': expected 'text'",
        "did you mean regex?",
    ),
    "regex without a pattern": (
        LAST,
        LAST + "extract: {how: regex}\n",
        "extract: found {'how': 'regex'}: pattern goes with how: regex, and only with it",
        SEE,
    ),
    "pattern without regex": (
        LAST,
        LAST + "extract: {how: number, pattern: a}\n",
        "extract: found {'how': 'number', 'pattern': 'a'}: pattern goes with",
        SEE,
    ),
    "pattern that does not compile": (
        LAST,
        LAST + "extract: {how: regex, pattern: '(a'}\n",
        "extract: found {'how': 'regex', 'pattern': '(a'}: pattern is no regular",
        SEE,
    ),
    "files and hub": (
        "data: {",
        "data: {hub: org/name, revision: abc, ",
        "data: found {'hub': 'org/name', 'revision': 'abc',",
        SEE,
    ),
    "neither files nor hub": (
        "{files: {test: test.jsonl}}",
        "{}",
        "data: found {}: give exactly one of files and hub",
        SEE,
    ),
    "hub without a revision": (
        "{files: {test: test.jsonl}}",
        "{hub: org/name}",
        "data: found {'hub': 'org/name'}: hub data needs a revision",
        SEE,
    ),
    "config of files": (
        "test.jsonl}}",
        "test.jsonl}, config: main}",
        "data: found {'files': {'test': 'test.jsonl'}, 'config': 'main'}: config and",
        SEE,
    ),
    "many greedy samples": (
        LAST,
        LAST + "generate: {max_tokens: 5, samples: 2}\n",
        "generate: found {'max_tokens': 5, 'samples': 2}: samples > 1 needs a temperature above 0",
        SEE,
    ),
    "empty stop": (
        LAST,
        LAST + 'generate: {max_tokens: 5, stops: [""]}\n',
        "generate: found {'max_tokens': 5, 'stops': ['']}: an empty stop string stops at once",
        SEE,
    ),
    "neither choices nor generate": (
        "choices: [red, blue]\n",
        "",
        "needs choices (scored by log-likelihood) or generate (text)",
        SEE,
    ),
    "a letter without choices": (
        "choices: [red, blue]\n",
        "generate: {max_tokens: 5}\nextract: {how: choice_letter}\n",
        "extract: choice_letter needs choices",
        SEE,
    ),
    "one choice": ("[red, blue]", "[red]", "choices ['red'] are not two or more different", SEE),
    "a choice twice": ("[red, blue]", "[red, red]", "choices ['red', 'red'] are not two", SEE),
    "one choice in a variant": (
        LAST,
        LAST + "variants: {short: {choices: [red]}}\n",
        "choices ['red'] are not two or more different texts",
        SEE,
    ),
    "no scorer": ("[accuracy]", "[]", "scorers: found []: expected at least one item", SEE),
    "scorer twice": ("[accuracy]", "[accuracy, accuracy]", "a scorer is named twice", SEE),
    "key that is no text": (LAST, LAST + "1: a\n", "1: found 1: Keys should be strings", SEE),
}
# what is wrong: (found in GOOD, written instead, line, problem)
NOT_YAML: dict[str, tuple[str, str, int, str]] = {
    "open bracket": ("title: Colours", "title: [Colours", 2, "did not find expected ',' or ']'"),
    "tab": ("kind: qa", "\tkind: qa", 2, "found a tab character that violates indentation"),
    "braces unquoted": ('"{{ question }}"', "{{ question }}", 8, "found unhashable key"),
    "key twice": (LAST, LAST + "prompt: b\n", 12, "the key 'prompt' is written twice"),
    "nested key twice": ("CC0-1.0}", "CC0-1.0, licence: MIT}", 5, "the key 'licence' is written"),
    "code": ("Colours", "!!python/name:os.system", 1, "could not determine a constructor"),
}


def complaint(path: Path, text: str) -> TaskError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskError) as caught:
        read_spec(path)
    return caught.value


@pytest.mark.parametrize(("old", "new", "cause", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_with_file_key_value_and_remedy(tmp_path, old, new, cause, remedy):
    assert GOOD.count(old) == 1
    path = tmp_path / "task.yaml"
    error = complaint(path, GOOD.replace(old, new))
    assert error.cause.startswith(f"{path}: {cause}")
    assert remedy in error.remedy
    assert "\n" not in error.cause + error.remedy


@pytest.mark.parametrize(("old", "new", "line", "problem"), NOT_YAML.values(), ids=NOT_YAML)
def test_what_is_not_yaml_is_answered_with_file_and_line(tmp_path, old, new, line, problem):
    assert GOOD.count(old) == 1
    path = tmp_path / "task.yaml"
    error = complaint(path, GOOD.replace(old, new))
    assert error.cause.startswith(f"{path}:{line}: not readable as YAML: {problem}")
    assert error.remedy == "mend the line"


@pytest.mark.parametrize(("text", "found"), [("", "NoneType"), ("- a\n", "list"), ("a\n", "str")])
def test_a_file_that_is_no_mapping_says_what_it_holds(tmp_path, text, found):
    path = tmp_path / "task.yaml"
    assert complaint(path, text).cause == f"{path}: holds {found}, expected a mapping of keys"


def test_a_date_that_is_none_is_no_crash(tmp_path):
    error = complaint(tmp_path / "task.yaml", GOOD.replace("Colours", "2024-13-45"))
    assert "month must be in 1..12" in error.cause


def test_a_file_that_is_not_utf8_is_no_crash(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(TaskError, match=r"not readable as YAML.*utf-8"):
        read_spec(path)


def test_an_absent_file_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(TaskError) as caught:
        read_spec(tmp_path / "colours" / "task.yaml")
    assert caught.value.remedy == "bench new colours --kind qa"


def test_a_folder_in_place_of_the_file_is_no_crash(tmp_path):
    (tmp_path / "task.yaml").mkdir()
    with pytest.raises(TaskError, match=r"task.yaml: cannot be read: Is a directory"):
        read_spec(tmp_path / "task.yaml")


def test_the_good_file_is_accepted_with_its_defaults(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(GOOD, encoding="utf-8")
    spec = read_spec(path)
    assert spec.choices == ("red", "blue")
    assert (spec.normalise, spec.delimiter, spec.margin, spec.rope) == ("none", " ", 0.03, 0.02)
    assert spec.generate is None
    assert spec.extract.how == "text"


def test_many_samples_with_a_temperature_are_accepted():
    assert GenerateSpec(max_tokens=5, samples=10, temperature=0.2).samples == 10


# key path: (what opens it in YAML, what may stand there)
PLACES = {
    "": ("", TaskSpec),
    "generate.": ("generate: {", GenerateSpec),
    "variants.short.": ("variants: {short: {", VariantSpec),
}
LONG_KEYS = [
    (path, key) for path, (_, model) in PLACES.items() for key in model.model_fields if len(key) > 4
]


@given(st.sampled_from(LONG_KEYS), st.data())
def test_a_letter_left_out_of_any_key_is_found_and_the_key_named(tmp_path_factory, place, data):
    path, key = place
    lost = data.draw(st.integers(0, len(key) - 1))
    wrong = key[:lost] + key[lost + 1 :]
    line = f"{PLACES[path][0]}{wrong}: 1" + "}" * path.count(".")
    error = complaint(tmp_path_factory.getbasetemp() / "task.yaml", f"{GOOD}{line}\n")
    assert f"task.yaml: {path}{wrong}: unknown key" in error.cause
    assert re.search(rf"\b{key}\b", error.remedy)
