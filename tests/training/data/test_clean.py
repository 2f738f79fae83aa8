"""Cleaning: each rule drops what it says and nothing else, and the report adds up."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bench.errors import TaskError
from bench.registry.folder import all_tasks
from bench.registry.prompt import Failure
from bench.training.data.clean import clean
from bench.training.data.data_settings import Clean, Source
from bench.training.data.decontaminate import read_tests
from bench.training.data.pii import holds_contacts
from bench.training.data.sources import Loaded, Places, load_source
from bench.types import Demonstration, Prompt, Ranking
from tests.training.rows import POEM, demonstration, loaded, real_data, write_task

NOTHING = Clean(exact=False, decontaminate=False)
HERE = Path()


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch):
    monkeypatch.delenv("BENCH_DATA_ROOT", raising=False)


def kept(sources, settings, tests=None, folder=HERE) -> list[str]:
    """Ids of what stays."""
    cleaned, _ = clean(sources, settings, tests, folder)
    return [row[0].prompt.id for source in cleaned for row in source.rows]


def test_nothing_switched_on_drops_nothing_and_keeps_the_digest():
    source = loaded(demonstration("1", "Hi", "Hello"), demonstration("2", "Hi", "Hello"))
    cleaned, report = clean([source], NOTHING, None, HERE)
    assert cleaned == [source]
    assert report.summary() == "2 read, 2 kept"


def test_exact_drops_what_differs_in_case_and_spacing_only():
    rows = [("1", "Say  hi", "Hi"), ("2", "say hi\n", "HI"), ("3", "say hi", "Hi!"), ("4", "x", "")]
    source = loaded(*(demonstration(*row) for row in rows))
    assert kept([source], Clean(decontaminate=False)) == ["1", "3", "4"]


def test_a_repeated_row_names_the_first_of_any_source():
    first = loaded(demonstration("1", "Hi", "Hello"), label="first")
    second = loaded(demonstration("9", "Hi", "Hello"), demonstration("8", "Yo", "Hey"), label="two")
    cleaned, report = clean([first, second], Clean(decontaminate=False), None, HERE)
    assert report.sources["two"].dropped["exact"].examples == (("9", "first:1"),)
    assert cleaned[1].digest != second.digest


def test_near_drops_from_the_threshold_on():
    rows = [POEM, POEM.replace("never", "seldom"), "a quite different line about nothing at all"]
    source = loaded(*(demonstration(str(n), text, "yes") for n, text in enumerate(rows)))
    assert kept([source], NOTHING) == ["0", "1", "2"]
    assert kept([source], Clean(near=0.5, decontaminate=False)) == ["0", "2"]
    assert kept([source], Clean(near=0.99, decontaminate=False)) == ["0", "1", "2"]


def test_near_tells_numbers_and_signs_apart_and_reads_chinese():
    texts = ["2 + 3 is", "2 - 3 is", "河边的老磨坊是红砖建成的", "河边的老磨坊是红砖建成的。"]
    source = loaded(*(demonstration(str(n), text, "") for n, text in enumerate(texts)))
    assert kept([source], Clean(near=0.9, decontaminate=False)) == ["0", "1", "2"]


@settings(max_examples=20)
@given(rows=some.lists(some.sampled_from(["a b c", "d e f g h", POEM]), max_size=8))
def test_cleaning_twice_drops_nothing_more(rows):
    source = loaded(*(demonstration(str(n), text, "x") for n, text in enumerate(rows)))
    once, _ = clean([source], Clean(near=0.7, decontaminate=False), None, HERE)
    again, _ = clean(once, Clean(near=0.7, decontaminate=False), None, HERE)
    assert again == once


def test_longest_counts_prompt_and_reply():
    source = loaded(demonstration("1", "123456", "1234"), demonstration("2", "123456", "12345"))
    assert kept([source], NOTHING.model_copy(update={"longest": 10})) == ["1"]


CONTACTS = (
    "jo.b+x@mail.example.org",
    "call +1 917-444-6321.",
    "call +44 20 7946 0958",
    "(512) 555-0202",
    "800-540-7085",
    "手机13912345678。",
    "4111 1111 1111 1111",
    "5500005555555559",
    "3782 822463 10005",
)
NO_CONTACTS = (
    "It ended in 1999-2003.",
    "2009 2010 2012 2013",
    "9,876,543,210 people",
    "3.14159265358979",
    "4111 1111 1111 1112",
    "0 27 6 11 2 3 0 0 25 13 4 1 33 0",
    "2024-05-17 12:30:45",
    "f(x) = x @ y",
    "ISBN 978-0-306-40615-7",
)


@pytest.mark.parametrize("text", CONTACTS)
def test_contacts_are_found(text):
    assert holds_contacts(f"So {text} it is")
    source = loaded(demonstration("1", "Hi", text), demonstration("2", "Hi", "Hello"))
    assert kept([source], NOTHING.model_copy(update={"pii": "contacts"})) == ["2"]


@pytest.mark.parametrize("text", NO_CONTACTS)
def test_other_numbers_are_no_contacts(text):
    assert not holds_contacts(f"So {text} it is")


def test_a_function_beside_the_recipe_decides(tmp_path):
    (tmp_path / "rules.py").write_text("def secret(text):\n    return 'Bob' in text\n", "utf-8")
    source = loaded(demonstration("1", "Bob?", "x"), demonstration("2", "x", "Eve"))
    assert kept([source], Clean(pii="rules.py:secret"), folder=tmp_path) == ["2"]


# clean.pii: what is wrong with it
BAD_FUNCTIONS = {
    "contact": "clean.pii: found 'contact', expected contacts or FILE.py:FUNCTION",
    "absent.py:f": "absent.py: no such file",
    "rules.txt:f": "'rules.txt:f' names no function",
    "rules.py:secrets": "rules.py: has no function 'secrets'",
    "rules.py:fails": "clean.pii: rules.py:fails: ZeroDivisionError: division by zero",
    "rules.py:counts": "clean.pii: rules.py:counts returned 0, expected True or False",
    "broken.py:f": "broken.py: cannot be imported: SyntaxError",
}
RULES = """
def secret(text): return False
def fails(text): return 1 / 0
def counts(text): return 0
"""


@pytest.mark.parametrize(("setting", "cause"), BAD_FUNCTIONS.items(), ids=BAD_FUNCTIONS)
def test_a_function_that_cannot_decide_is_an_error(tmp_path, setting, cause):
    (tmp_path / "rules.py").write_text(RULES, "utf-8")
    (tmp_path / "broken.py").write_text("def f(", "utf-8")
    with pytest.raises(TaskError) as caught:
        clean([loaded(demonstration("1", "Hi", "x"))], Clean(pii=setting), None, tmp_path)
    assert cause in caught.value.cause
    assert caught.value.remedy


def known_about(folder, *notes: str, **keys):
    """Test rows whose column `note` holds `notes`, of a task beside the embedded ones."""
    rows = [
        {"id": f"t{number}", "country": f"Land{number}", "capital": "X", "note": note}
        for number, note in enumerate(notes)
    ]
    return read_tests(write_task(folder, test=rows, **keys))


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    return known_about(folder, f"It is said: {POEM.upper()}!", "the longer note", "very good")


@pytest.mark.parametrize("where", ["prompt", "reply"])
def test_thirteen_words_of_a_test_row_are_dropped_from_prompt_and_reply(known, where):
    words = POEM.split()
    leaks = {
        f"{count} words": "Look, " + " ".join(words[2 : 2 + count]) + ", indeed."
        for count in (12, 13)
    }
    rows = [
        ("Tell me more.", text) if where == "reply" else (text, "ok") for text in leaks.values()
    ]
    source = loaded(*(demonstration(id, *row) for id, row in zip(leaks, rows, strict=True)))
    cleaned, report = clean([source], Clean(), known, HERE)
    assert [row[0].prompt.id for row in cleaned[0].rows] == ["12 words"]
    ((leak, place),) = report.sources["plain"].dropped["decontaminate"].examples
    assert leak == "13 words"
    assert place.endswith("capitals/test.jsonl:1")


def test_plain_text_that_holds_a_test_row_is_dropped_and_other_text_stays(known):
    texts = {"run": f"So: {POEM}.", "question": "The longer note.", "other": "An old song."}
    rows = [Demonstration(Prompt("web", n, n, (), "", ""), said) for n, said in texts.items()]
    assert kept([loaded(*rows)], Clean(), known) == ["other"]


def test_every_reply_of_a_ranking_is_looked_at(known):
    prompt = demonstration("1", "Tell me more.", "").prompt
    source = Loaded("pairs", ((Ranking(prompt, ("Once", POEM), (1, 2)),),), "digest")
    assert kept([source], Clean(), known) == []


@pytest.mark.parametrize("asked", ["what is the capital of  LAND0", "The longer note."])
def test_a_short_test_question_is_dropped_when_it_is_the_whole_prompt(known, asked):
    source = loaded(demonstration("1", asked, "X"), demonstration("2", f"{asked} Now?", "X"))
    assert kept([source], Clean(), known) == ["2"]


def test_labels_of_test_rows_are_no_questions(known):
    assert kept([loaded(demonstration("1", "very good", "X"))], Clean(), known) == ["1"]


def test_phrasing_that_many_test_rows_share_is_no_leak_but_one_passage_is(tmp_path):
    source = loaded(demonstration("1", POEM, "x"))
    phrasing = known_about(tmp_path / "a", *[POEM] * 7)
    assert kept([source], Clean(), phrasing) == ["1"]
    passage = known_about(tmp_path / "b", *[POEM] * 7, cluster="capital")
    assert kept([source], Clean(), passage) == []


def test_words_of_a_template_are_no_leak(tmp_path):
    places = write_task(tmp_path, instruction=POEM, prompt=POEM + " {{ country }}")
    source = load_source(Source(task="capitals"), places)
    assert kept([source], Clean(), read_tests(places)) == ["a", "b", "c"]


def test_tests_that_cannot_be_read_are_reported_not_fatal(tmp_path):
    write_task(tmp_path / "tasks", "broken", kind="qq")
    write_task(tmp_path / "tasks", "gone", data={"files": {"test": "absent.jsonl"}})
    (tmp_path / "data").mkdir()
    tests = read_tests(Places(HERE, (tmp_path / "tasks",), tmp_path / "data"))
    assert "kind: found 'qq'" in tests.unread["broken"]
    assert "no such data file" in tests.unread["gone"]
    assert tests.unread["gsm8k"] == "openai/gsm8k is not mirrored"
    assert "topic" in tests.tasks


def test_no_train_row_of_an_embedded_task_is_dropped():
    tasks = [task for task in all_tasks() if task.spec.data.files and task.spec.splits.train]
    sources = [load_source(Source(task=task.name), Places(HERE)) for task in tasks]
    _, report = clean(sources, Clean(), read_tests(Places(HERE)), HERE)
    assert {name: source.dropped for name, source in report.sources.items()} == {
        task.name: {} for task in tasks
    }


def test_the_report_adds_up_and_is_plain_data():
    rows = [demonstration(str(number), "Hi", "Hello") for number in range(6)]
    failures = (Failure("7", "a:7", "no reply"),)
    source = Loaded("plain", tuple((row,) for row in rows), "", failures, joined=2)
    _, report = clean([source], Clean(decontaminate=False), None, HERE)
    assert report.summary() == "9 read, 1 failed, 2 joined, 5 exact, 1 kept"
    assert json.loads(json.dumps(report.to_json())) == {
        "sources": {
            "plain": {
                "read": 9,
                "kept": 1,
                "joined": 2,
                "failed": {"count": 1, "examples": [["7", "no reply"]]},
                "dropped": {
                    "exact": {"count": 5, "examples": [[str(n), "plain:0"] for n in (1, 2, 3)]}
                },
            }
        },
        "tests": [],
        "unread": {},
    }


def test_real_data_is_cleaned_of_what_stands_in_real_tests():
    places = real_data("bigscience/P3-sample")
    columns = {"prompt": "inputs", "completion": "targets"}
    source = load_source(Source(hub="bigscience/P3-sample", columns=columns, limit=1500), places)
    _, report = clean([source], Clean(), read_tests(places), HERE)
    assert report.summary() == "1500 read, 2 decontaminate, 1498 kept"
