"""Sources: tasks in all wordings, plain data in every shape; what cannot be read is said."""

from pathlib import Path

import pytest

from bench.errors import TaskError, UsageError
from bench.training.data.data_settings import Source
from bench.training.data.sources import Places, load_source
from bench.types import Demonstration, Turn
from tests.training.rows import TRAIN, load_rows_of, real_data, write_rows, write_task

CHERRY = (Turn("user", "Name a red fruit."),)
CHAT = [{"role": "user", "content": "Name a red fruit."}]
REPLY = {"role": "assistant", "content": "Cherry"}

# rows of one meaning: (columns, how the recipe renames them)
SHAPES = {
    "messages": ({"messages": [*CHAT, REPLY]}, {}),
    "text pair": ({"prompt": "Name a red fruit.", "completion": "Cherry"}, {}),
    "chat pair": ({"prompt": CHAT, "completion": [REPLY]}, {}),
    "chat in the completion": ({"prompt": None, "completion": [*CHAT, REPLY]}, {}),
    "renamed": ({"q": "Name a red fruit.", "a": "Cherry"}, {"prompt": "q", "completion": "a"}),
    "instruction": ({"instruction": "Name a red fruit.", "context": "", "response": "Cherry"}, {}),
    "swapped": (
        {"response": "Name a red fruit.", "instruction": "Cherry"},
        {"response": "instruction", "instruction": "response"},
    ),
    "line breaks around": ({"prompt": "\nName a red fruit.\n\n", "completion": "\nCherry \n"}, {}),
}


@pytest.mark.parametrize(("row", "columns"), SHAPES.values(), ids=SHAPES)
def test_every_shape_of_instruction_data_gives_the_same_demonstration(tmp_path, row, columns):
    (item,) = load_rows_of(tmp_path, [row], columns=columns, name="fruit").rows[0]
    assert isinstance(item, Demonstration)
    assert (item.prompt.turns, item.prompt.text, item.target) == (CHERRY, CHERRY[0].text, "Cherry")
    assert (item.prompt.source, item.prompt.id, item.prompt.group) == ("fruit", "0", "0")
    assert (item.prompt.delimiter, item.prompt.example) == ("\n", None)


def test_a_context_follows_the_instruction(tmp_path):
    row = {"instruction": "Name it.", "context": "A red fruit.", "response": "Cherry"}
    (item,) = load_rows_of(tmp_path, [row]).rows[0]
    assert item.prompt.turns == (Turn("user", "Name it.\n\nA red fruit."),)


def test_a_chat_as_text_is_its_messages_with_blank_lines_between(tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, *CHAT, REPLY, *CHAT, REPLY]
    (item,) = load_rows_of(tmp_path, [{"messages": messages}]).rows[0]
    assert [turn.role for turn in item.prompt.turns] == ["system", "user", "assistant", "user"]
    assert item.prompt.text == "Be brief.\n\nName a red fruit.\n\nCherry\n\nName a red fruit."


def test_the_indent_of_code_stays(tmp_path):
    row = {"prompt": "def f():\n", "completion": "\n    return 1\n"}
    assert load_rows_of(tmp_path, [row]).rows[0][0].target == "    return 1"


def test_ids_and_groups_come_from_columns(tmp_path):
    row = {"prompt": "Hi", "completion": "Hello", "id": 12, "user": "jo"}
    (item,) = load_rows_of(tmp_path, [row], group="user").rows[0]
    assert (item.prompt.id, item.prompt.group) == ("12", "jo")


def test_only_the_first_rows_are_read_under_a_limit(tmp_path):
    rows = [{"prompt": f"{number}?", "completion": "yes"} for number in range(5)]
    assert len(load_rows_of(tmp_path, rows, limit=2).rows) == 2


# a row that is not read: what is said about it
UNREADABLE = {
    "empty prompt": ({"prompt": " \n", "completion": "Hi"}, "the prompt is empty"),
    "empty reply": ({"prompt": "Hi", "completion": "\n"}, "the reply is empty"),
    "null": ({"prompt": "Hi", "completion": None}, "the reply is empty"),
    "number": ({"prompt": "Hi", "completion": 3}, "completion: found 3, expected text"),
    "wrong role": (
        {"prompt": "Hi", "completion": CHAT},
        "expected text or one message of the assistant",
    ),
    "half a character": ({"prompt": "\ud800", "completion": "Hi"}, "expected whole characters"),
    "no content": (
        {"prompt": [{"role": "user"}], "completion": "Hi"},
        "prompt.content: found None, expected text",
    ),
    "no message": ({"prompt": ["Hi"], "completion": "Hi"}, "expected a message with role and con"),
    "unknown role": (
        {"prompt": [{"role": "tool", "content": "x"}], "completion": "Hi"},
        "prompt.role: found 'tool', expected one of system, user, assistant",
    ),
}


@pytest.mark.parametrize(("row", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_is_counted_with_its_line(tmp_path, row, reason):
    loaded = load_rows_of(tmp_path, [{"prompt": "Hi", "completion": "Hello"}, row])
    (failure,) = loaded.failures
    assert (len(loaded.rows), failure.id) == (1, "1")
    assert failure.where == f"{tmp_path}/data.jsonl:2"
    assert reason in failure.reason


def test_a_chat_that_the_user_ends_is_not_read(tmp_path):
    rows = [{"messages": [*CHAT, REPLY]}, {"messages": [*CHAT, REPLY, *CHAT]}]
    (failure,) = load_rows_of(tmp_path, rows).failures
    assert "expected two messages or more, the last of them the assistant's" in failure.reason


def test_rows_of_which_none_can_be_read_are_an_error_that_names_the_first(tmp_path):
    with pytest.raises(TaskError) as caught:
        load_rows_of(tmp_path, [{"prompt": "", "completion": "Hi"}] * 3)
    assert caught.value.cause == (
        "source 'data': none of 3 rows can be read; the first: "
        f"{tmp_path}/data.jsonl:1: the prompt is empty"
    )


# recipe and columns: (cause, remedy)
NO_COLUMNS = {
    "unknown shape": (
        {"txet": "x", "respnse": "y"},
        {},
        "source 'data': the columns respnse, txet have no known shape",
        "chosen + rejected; messages; prompt + completion; instruction + response; prompt; "
        "text, respnse is perhaps response, txet is perhaps text",
    ),
    "our name": (
        {"q": "x"},
        {"columns": {"promt": "q"}},
        "source 'data': columns: 'promt' is none of our names",
        "did you mean prompt?",
    ),
    "their name": (
        {"inputs": "x"},
        {"columns": {"prompt": "input"}},
        "source 'data': columns: the data has no column 'input'",
        "did you mean inputs?",
    ),
    "group": (
        {"prompt": "x", "completion": "y", "user": "z"},
        {"group": "users"},
        "source 'data': group: the data has no column 'users'",
        "did you mean user?",
    ),
}


@pytest.mark.parametrize(("row", "source", "cause", "remedy"), NO_COLUMNS.values(), ids=NO_COLUMNS)
def test_columns_that_do_not_fit_get_the_nearest_names(tmp_path, row, source, cause, remedy):
    with pytest.raises(TaskError) as caught:
        load_rows_of(tmp_path, [row], **source)
    assert caught.value.cause == cause
    assert remedy in caught.value.remedy


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TaskError, match=r"absent\.jsonl: no such data file"):
        load_source(Source(file="absent.jsonl"), Places(tmp_path))


def test_a_file_without_rows_is_an_error(tmp_path):
    with pytest.raises(TaskError, match="source 'data' holds no rows"):
        load_rows_of(tmp_path, [])


def test_rows_of_the_mirror_are_read_without_a_revision(tmp_path):
    write_rows(tmp_path / "org/name/train.jsonl", [{"prompt": "Hi", "completion": "Hello"}])
    loaded = load_source(Source(hub="org/name"), Places(Path(), (), tmp_path))
    assert (loaded.label, len(loaded.rows)) == ("name", 1)


def test_a_row_of_a_task_is_what_evaluation_would_ask(tmp_path):
    loaded = load_source(Source(task="capitals"), write_task(tmp_path))
    (item,) = loaded.rows[0]
    assert item.target == "Paris"
    asked = "Answer in one word.\n\nWhat is the capital of France?"
    assert (item.prompt.text, item.prompt.turns) == (asked, (Turn("user", asked),))
    assert (item.prompt.id, item.prompt.group, item.prompt.delimiter) == ("a", "a", " ")
    assert item.prompt.example.answers == ("Paris",)


@pytest.mark.parametrize(
    ("variants", "texts"),
    [
        (("short",), ["What is the capital of France?", "Capital of France:"]),
        (("*",), ["What is the capital of France?", "Capital of France:", "France:"]),
    ],
)
def test_wordings_of_a_task_start_with_its_own(tmp_path, variants, texts):
    loaded = load_source(Source(task="capitals", variants=variants), write_task(tmp_path))
    assert [item.prompt.example.question for item in loaded.rows[0]] == texts
    assert {len(wordings) for wordings in loaded.rows} == {len(texts)}


def test_groups_of_a_task_are_its_clusters_or_a_column(tmp_path):
    places = write_task(tmp_path, cluster="region")
    by_cluster = load_source(Source(task="capitals"), places)
    assert [row[0].prompt.group for row in by_cluster.rows] == ["west", "south", "south"]
    by_column = load_source(Source(task="capitals", group="country"), places)
    assert [row[0].prompt.group for row in by_column.rows] == ["France", "Italy", "Spain"]


def test_a_row_that_one_wording_cannot_render_is_a_failure(tmp_path):
    train = [*TRAIN, {"id": "d", "capital": "Lima"}]
    variants = {"bare": {"prompt": "The town is {{ capital }}"}}
    places = write_task(tmp_path, train=train, prompt="Of {{ country }}?", variants=variants)
    loaded = load_source(Source(task="capitals", variants=("*",)), places)
    assert [failure.id for failure in loaded.failures] == ["d"]
    assert [row[1].prompt.id for row in loaded.rows] == ["a", "b", "c"]


def test_a_task_without_train_rows_names_tasks_that_have_some(tmp_path):
    places = write_task(tmp_path, splits={"test": "test"})
    with pytest.raises(TaskError) as caught:
        load_source(Source(task="capitals"), places)
    assert caught.value.cause == "task 'capitals' has no train split"
    assert "arithmetic, constraints" in caught.value.remedy
    assert "capitals" not in caught.value.remedy


# a source: what is wrong with it
MISUSED = {
    "suite": (Source(task="core"), "'core' is a suite, a source is one task"),
    "unknown task": (Source(task="topics"), "no task or suite is named 'topics'"),
    "unknown variant": (Source(task="topic", variants=("long",)), "has no variant 'long'"),
    "columns": (Source(task="topic", columns={"prompt": "x"}), "columns mean nothing to a task"),
}


@pytest.mark.parametrize(("source", "cause"), MISUSED.values(), ids=MISUSED)
def test_a_source_that_is_misused_is_refused(source, cause):
    with pytest.raises(UsageError) as caught:
        load_source(source, Places(Path()))
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_the_digest_changes_with_any_word_and_with_nothing_else(tmp_path):
    rows = [{"prompt": "Hi", "completion": "Hello", "note": "kind"}]
    digest = load_rows_of(tmp_path, rows).digest
    assert load_rows_of(tmp_path, [{**rows[0], "note": "curt"}], name="other").digest == digest
    assert load_rows_of(tmp_path, [{**rows[0], "completion": "Hallo"}]).digest != digest


def test_dolly_is_read_as_it_is():
    places = real_data("databricks/databricks-dolly-15k")
    loaded = load_source(Source(hub="databricks/databricks-dolly-15k"), places)
    assert (len(loaded.rows), loaded.failures) == (1000, ())
    assert loaded.rows[0][0].prompt.text.startswith("What is the origin of the Easter Egg")


def test_p3_is_read_with_its_templates_as_groups():
    places = real_data("bigscience/P3-sample")
    columns = {"prompt": "inputs", "completion": "targets"}
    source = Source(hub="bigscience/P3-sample", columns=columns, group="template")
    loaded = load_source(source, places)
    assert (len(loaded.rows), loaded.failures) == (12036, ())
    assert len({row[0].prompt.group for row in loaded.rows}) == 69


def test_prompts_alone_are_read_to_be_replied_to(tmp_path):
    (item,) = load_rows_of(tmp_path, [{"prompt": "Name a red fruit."}]).rows[0]
    assert (item.prompt.turns, item.target) == (CHERRY, "")


def test_plain_text_is_all_to_be_learned_and_asks_nothing(tmp_path):
    (item,) = load_rows_of(tmp_path, [{"text": "The old mill by the river."}]).rows[0]
    assert (item.prompt.turns, item.prompt.text) == ((), "")
    assert item.target == "The old mill by the river."
