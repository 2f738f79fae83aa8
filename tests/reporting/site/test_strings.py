"""The table of strings: complete in both languages, the same values in both, all of it used."""

import re
from pathlib import Path

import pytest

from bench.reporting.comparison.values import VERDICTS
from bench.reporting.results.rules_numbers import AGGREGATE_BOUNDS
from bench.reporting.results.schema import MEASURES
from bench.reporting.site.method_table import METHODS
from bench.reporting.site.strings import STRINGS, counted_in

SITE = Path(__file__).parents[3] / "bench" / "reporting" / "site"
SOURCES = [*SITE.glob("*.py"), *SITE.glob("templates/*.html")]
PLACES = re.compile(r"\{\w*\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Signs and terms that Chinese pages write the same way.
SAME = {
    "list_join",
    "sentence_join",
    "stop",
    "stop_inside",
    "colon",
    "mde",
    "p_raw",
    "language_code",
}
# Keys that are put together from a prefix and a value.
MADE = (
    "aggregate_",
    "facet_",
    "measure_",
    "parent_",
    "table_",
    "count_",
    "tax_",
    "no_tax",
    "figure_",
)


@pytest.mark.parametrize("key", STRINGS)
def test_a_string_stands_in_both_languages_with_the_same_values(key):
    english, chinese = STRINGS[key]
    assert english.strip(" ")
    assert chinese.strip(" ")
    assert set(PLACES.findall(english)) - {"{s}"} == set(PLACES.findall(chinese))
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese) or key in SAME or key.startswith("p_h")


@pytest.mark.parametrize(("number", "told"), [(0, "0 tasks"), (1, "1 task"), (2345, "2,345 tasks")])
def test_one_of_a_thing_has_no_plural(number, told):
    assert counted_in("en", "n_tasks", number) == told
    assert counted_in("zh", "n_tasks", number) == f"{told.split()[0]} 项任务"


def test_every_string_is_used_somewhere():
    text = "".join(path.read_text("utf-8") for path in SOURCES if "strings" not in path.name)
    unused = [key for key in STRINGS if f'"{key}"' not in text and not key.startswith(MADE)]
    assert unused == []


def test_every_string_that_is_used_exists():
    text = "".join(path.read_text("utf-8") for path in SOURCES)
    used = set(re.findall(r'\bt(?:\(|\[)"([a-z_]+)"[\])]', text))
    assert used - STRINGS.keys() == {"key"}  # the templates' own description


def test_every_verdict_and_measure_has_a_word():
    assert {verdict.replace(" ", "_") for verdict in VERDICTS} <= STRINGS.keys()
    assert {"count_" + verdict.replace(" ", "_") for verdict in VERDICTS} <= STRINGS.keys()
    assert {f"measure_{name}" for name in MEASURES} <= STRINGS.keys()


def test_every_metric_over_all_items_is_explained():
    told = {key.removeprefix("aggregate_") for key in STRINGS if key.startswith("aggregate_")}
    assert told == {*AGGREGATE_BOUNDS, "win_rate_at_equal_length"}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_told_in_both_languages_with_a_formula_and_a_paper(name):
    method = METHODS[name]
    assert method.formula
    assert re.search(r"\d{4}", method.paper)
    assert CHINESE.search(method.told[1])
    assert not CHINESE.search(method.told[0])
