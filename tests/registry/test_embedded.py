"""The embedded suite keeps what the project promises of it. `bench check` looks at the rows."""

import re

import pytest

from bench.registry.data import ROLES, count_rows
from bench.registry.folder import embedded_folder
from tests.tasks_at import tasks_at

TASKS = {task.name: task for task in tasks_at([str(embedded_folder())])}
CORE = {
    "arithmetic": ("maths", "en", {"core"}),
    "constraints": ("instruction", "en", {"core"}),
    "dialogue_summary": ("summarization", "en", {"core", "summarization"}),
    "entailment": ("classification", "en", {"core", "classification"}),
    "facts": ("qa", "en", {"core", "qa"}),
    "intent": ("classification", "en", {"core", "classification"}),
    "python_functions": ("code", "en", {"core", "code"}),
    "python_output": ("code", "en", {"core", "code"}),
    "reading": ("qa", "en", {"core", "qa"}),
    "refusal": ("safety", "en", {"core", "safety"}),
    "sentiment": ("classification", "en", {"core", "classification"}),
    "summarize": ("summarization", "en", {"core", "summarization"}),
    "topic": ("classification", "en", {"core", "classification"}),
    "truthful": ("truthfulness", "en", {"core", "safety"}),
    "zh_reading": ("qa", "zh", {"core", "qa", "zh"}),
    "zh_sentiment": ("classification", "zh", {"core", "classification", "zh"}),
}
LEAST = {"train": 200, "shots": 8, "test": 100}
LEAST_CODE = {"train": 80, "shots": 8, "test": 50}


def test_the_core_suite_holds_at_least_this_list():
    assert {name for name, task in TASKS.items() if "core" in task.spec.suites} >= set(CORE)


@pytest.mark.parametrize("name", CORE)
def test_kind_language_and_suites_are_as_promised(name):
    spec = TASKS[name].spec
    assert (spec.kind, spec.language, set(spec.suites)) == CORE[name]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", CORE)
def test_there_are_rows_enough(name, role):
    least = LEAST_CODE if name == "python_functions" else LEAST
    count = count_rows(TASKS[name], role)
    assert count is not None
    assert count >= least[role]


@pytest.mark.parametrize("name", CORE)
def test_every_word_is_given_away_and_lies_in_the_folder(name):
    task = TASKS[name]
    assert task.spec.source.licence == "CC0-1.0"
    assert set(task.spec.data.files) == {"train", "shots", "test"}
    assert not (task.folder / "task.py").exists()


@pytest.mark.parametrize("name", TASKS)
def test_the_readme_says_origin_licence_and_limits(name):
    readme = (TASKS[name].folder / "README.md").read_text(encoding="utf-8").casefold()
    for words in ("origin|written", "licence|cc0", "limit"):
        assert re.search(words, readme), words


@pytest.mark.parametrize("name", CORE)
def test_every_core_task_can_be_asked_in_two_other_wordings(name):
    assert len(TASKS[name].spec.variants) >= 2


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.spec.data.hub])
def test_a_public_task_is_pinned_and_says_where_its_rows_come_from(name):
    spec = TASKS[name].spec
    assert len(spec.data.revision) == 40
    assert spec.source.url
    assert spec.source.citation
