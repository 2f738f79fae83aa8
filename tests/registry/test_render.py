"""Templates and expressions: what a row becomes, and what is said of a row that cannot be asked."""

from datetime import date
from pathlib import Path

import pytest

from bench.errors import TaskError, UsageError
from bench.registry.data import Row
from bench.registry.folder import Task
from bench.registry.prompt import Failure, examples_of, with_variant
from bench.registry.spec import TaskSpec
from bench.types import Example, Json

FILE = "tasks/colours/task.yaml"
SKY: dict[str, Json] = {
    "id": "sky",
    "question": "What colour is the sky?",
    "answers": ["blue", "azure"],
    "place": 1,
    "options": ["red", "blue"],
    "year": 1999,
    "truth": True,
    "blank": "",
    "nothing": [],
}


def task(**keys: Json) -> Task:
    """A task in memory that generates text; `keys` replace those of its task.yaml."""
    given: dict[str, Json] = {
        "title": "Colours",
        "kind": "qa",
        "language": "en",
        "version": 1,
        "source": {"licence": "CC0-1.0"},
        "data": {"files": {"test": "test.jsonl"}},
        "splits": {"test": "test"},
        "prompt": "{{ question }}",
        "answer": "answers",
        "generate": {"max_tokens": 8},
        "scorers": ["exact_match"],
    }
    return Task("colours", Path("tasks/colours"), TaskSpec.model_validate({**given, **keys}))


def row(values: dict[str, Json], line: int = 1) -> Row:
    return Row(values, f"test.jsonl:{line}")


def rendered(values: dict[str, Json], **keys: Json) -> Example:
    examples, _ = examples_of(task(**keys), [row(values)], [])
    return examples[0]


def complaint(values: dict[str, Json], **keys: Json) -> TaskError:
    with pytest.raises(TaskError) as caught:
        rendered(values, **keys)
    return caught.value


def failures(rows: list[dict[str, Json]], **keys: Json) -> list[Failure]:
    numbered = [row(values, line) for line, values in enumerate(rows, start=1)]
    return examples_of(task(**keys), numbered, [])[1]


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("answers[0]", ("blue",)),
        ("answers", ("blue", "azure")),
        ("'sky ' ~ answers[0]", ("sky blue",)),
        ("year", ("1999",)),
        (["answers[1]", "year"], ("azure", "1999")),
        (["answers", "'cyan'"], ("blue", "azure", "cyan")),
    ],
)
def test_answers_are_a_text_a_number_a_list_or_several_expressions(answer, accepted):
    assert rendered(SKY, answer=answer).answers == accepted


@pytest.mark.parametrize(
    ("answer", "right"),
    [("place", (1,)), ("answers[0]", (1,)), ("[0, 1]", (0, 1)), ("['blue', 'blue']", (1,))],
)
def test_the_right_choice_is_named_by_text_or_position(answer, right):
    example = rendered(SKY, answer=answer, choices="options", generate=None)
    assert example.right == right
    assert example.answers == tuple(("red", "blue")[place] for place in right)


@pytest.mark.parametrize("choices", [["red", "blue"], "options", "['red', answers[0]]"])
def test_choices_are_literal_or_an_expression(choices):
    example = rendered(SKY, answer="place", choices=choices, generate=None)
    assert example.choices == ("red", "blue")
    assert example.generation is None


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("truth", "answer: found True, expected text"),
        ("blank", "answer: found '', expected text"),
        ("nothing", "answer: empty list"),
        ("options[5]", f"answer ({FILE}): list object has no element 5"),
        ("colour", f"answer ({FILE}): 'colour' is undefined"),
        ("colour.name", f"answer ({FILE}): 'colour' is undefined"),
    ],
)
def test_an_answer_that_is_no_text_is_named_with_its_row(answer, cause):
    assert complaint(SKY, answer=answer).cause == f"test.jsonl:1: {cause}"


@pytest.mark.parametrize("answer", ["2", "-1", "'green'", "truth", "year"])
def test_an_answer_that_is_no_choice_names_the_choices(answer):
    error = complaint(SKY, answer=answer, choices="options", generate=None)
    assert error.cause.startswith("test.jsonl:1: answer: found ")
    assert error.cause.endswith("expected one of ['red', 'blue'] or a position below 2")


@pytest.mark.parametrize("choices", ["question", "nothing", "options[:1]", "year"])
def test_choices_that_are_no_list_of_two_are_named_with_their_row(choices):
    error = complaint(SKY, choices=choices, generate=None)
    assert error.cause.startswith("test.jsonl:1: choices: found ")
    assert error.cause.endswith("expected a list of two or more")


def test_a_missing_column_names_row_and_columns():
    error = complaint(SKY, prompt="{{ questoin }}")
    assert error.cause == f"test.jsonl:1: prompt ({FILE}): 'questoin' is undefined"
    assert error.remedy == "the row has the columns " + ", ".join(sorted(SKY))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("prompt", "{{ question", "prompt: unexpected end of template"),
        ("prompt", "{% if question %}", "prompt: Unexpected end of template"),
        ("prompt", "{{ question | upcase }}", "prompt: No filter named 'upcase'"),
        ("answer", "answers[", "answer: 'answers[' is no Jinja expression"),
        ("target", "a b", "target: 'a b' is no Jinja expression"),
        ("choices", "{{ options }}", "choices: '{{ options }}' is no Jinja expression"),
        ("check", {"tests": "("}, "check.tests: '(' is no Jinja expression"),
    ],
)
def test_a_template_that_does_not_compile_names_file_and_key(key, value, problem):
    error = complaint(SKY, **{key: value})
    assert error.cause.startswith(f"{FILE}: {problem}")
    assert error.remedy


@pytest.mark.parametrize("target", ["answers[0] ~ colour", "colour", "colour.name", "nothing"])
def test_a_target_that_fails_is_named_with_its_row(target):
    assert complaint(SKY, target=target).cause.startswith("test.jsonl:1: target")


def test_the_target_is_the_first_answer_unless_said_otherwise():
    assert rendered(SKY).target == "blue"
    assert rendered(SKY, target="'It is ' ~ answers[0] ~ '.'").target == "It is blue."


def test_what_scorers_need_is_kept_as_plain_data():
    values = SKY | {"day": date(2024, 5, 1)}
    example = rendered(values, check={"day": "day", "all": "{'o': options, 'y': year}"})
    assert example.check == {"day": "2024-05-01", "all": {"o": ["red", "blue"], "y": 1999}}


@pytest.mark.parametrize("source", ["colour", "[colour]", "{'a': colour.name}"])
def test_a_check_that_fails_is_named_with_its_row(source):
    error = complaint(SKY, check={"tests": source})
    assert error.cause == f"test.jsonl:1: check.tests ({FILE}): 'colour' is undefined"


def test_columns_that_python_or_jinja_also_name_do_no_harm():
    values = SKY | {"self": "s", "two words": "w", "context": "c", "range": "r", "loop": "l"}
    example = rendered(values, prompt="{{ context }}{{ range }}{{ loop }}", answer="context")
    assert (example.question, example.answers) == ("crl", ("c",))


def test_a_variant_replaces_only_what_it_names():
    short: Json = {"short": {"prompt": "Sky?"}}
    colours = task(instruction="Answer.", variants=short)
    examples, _ = examples_of(colours, [row(SKY)], [], variant="short")
    assert examples[0].question == "Sky?"
    assert examples[0].instruction == "Answer."
    assert examples[0].variant == "short"
    assert with_variant(colours, "") is colours.spec


def test_a_variant_may_ask_for_other_choices():
    letters: Json = {"letters": {"choices": ["A", "B"], "answer": "place"}}
    colours = task(answer="place", choices="options", generate=None, variants=letters)
    examples, _ = examples_of(colours, [row(SKY)], [], variant="letters")
    assert (examples[0].choices, examples[0].answers) == (("A", "B"), ("B",))


def test_an_unknown_variant_gets_the_nearest():
    with pytest.raises(UsageError) as caught:
        with_variant(task(variants={"short": {"prompt": "?"}}), "shrot")
    assert caught.value.cause == "task 'colours' has no variant 'shrot'"
    assert caught.value.remedy == "did you mean short?"


def test_ids_are_a_column_or_the_row_number():
    rows = [row(SKY | {"id": 7}), row(SKY | {"id": "b"})]
    by_column, _ = examples_of(task(id="id"), rows, [])
    by_number, _ = examples_of(task(), rows, [])
    assert [example.id for example in by_column] == ["7", "b"]
    assert [example.id for example in by_number] == ["0", "1"]


def test_rows_cluster_by_a_column_or_stand_alone():
    assert rendered(SKY, id="id", cluster="year").cluster == "1999"
    assert rendered(SKY, id="id").cluster == "sky"


def test_a_missing_id_column_gets_the_nearest():
    error = complaint(SKY, id="idd")
    assert error.cause == "test.jsonl:1: id: no column 'idd'"
    assert error.remedy == "did you mean id?"


def test_a_missing_cluster_column_is_named():
    assert complaint(SKY, cluster="passage").cause == "test.jsonl:1: cluster: no column 'passage'"


POISON: dict[str, tuple[dict[str, Json], str]] = {
    "empty prompt": ({"question": " \n"}, "prompt: empty after rendering"),
    "no id": ({"id": None}, "id: no column 'id'"),
    "no answer": ({"answers": []}, "answer: empty list"),
    "half a character": ({"question": "\ud83d"}, "text (tasks/colours/task.yaml): 'utf-8' codec"),
    "half a character in an answer": ({"answers": ["\ud83d"]}, "text (tasks/colours/task.yaml)"),
}


@pytest.mark.parametrize(("change", "reason"), POISON.values(), ids=POISON)
def test_a_row_that_cannot_be_asked_fails_and_the_others_go_on(change, reason):
    rows = [row(SKY, 1), row(SKY | {"id": "bad"} | change, 2), row(SKY | {"id": "sea"}, 3)]
    examples, failed = examples_of(task(id="id"), rows, [])
    assert [example.id for example in examples] == ["sky", "sea"]
    assert [failure.where for failure in failed] == ["test.jsonl:2"]
    assert failed[0].reason.startswith(f"test.jsonl:2: {reason}")


def test_a_failed_row_keeps_its_id_or_is_known_by_its_place():
    bad: dict[str, Json] = {"question": ""}
    assert failures([SKY, SKY | bad | {"id": "b"}], id="id")[0].id == "b"
    assert failures([SKY, SKY | bad | {"id": None}], id="id")[0].id == "test.jsonl:2"
    assert failures([SKY, SKY | bad])[0].id == "1"


def test_when_every_row_fails_the_error_is_raised():
    with pytest.raises(TaskError, match=r"test\.jsonl:1: prompt: empty after rendering"):
        failures([SKY | {"question": ""}, SKY | {"question": " "}])


def test_no_rows_give_no_examples():
    assert examples_of(task(), [], []) == ([], [])


def test_html_is_left_as_it_is():
    assert rendered(SKY | {"question": "<b> & 'c'"}).question == "<b> & 'c'"
