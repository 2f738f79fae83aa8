"""Charts in Chinese: every pattern has its translation, with the same values, and none is left."""

import ast
import re
from pathlib import Path

import pytest

from bench.reporting.comparison.values import VERDICTS
from bench.reporting.site.charts import say as module
from bench.reporting.site.charts.flips import FATES
from bench.reporting.site.charts.say import CHINESE, COUNTED, OVERALL, counted, say, speaking
from bench.reporting.site.charts.stages import WORDS
from bench.reporting.site.charts.words import SMALL, width_of, wrapped
from bench.reporting.site.figures import overview_figures
from bench.reporting.site.links import Site
from bench.reporting.site.view import view_of
from tests.reporting.site.boards import board

CHARTS = Path(module.__file__).parent
# What is said is a verdict, a fate, a stage, an axis or a reference by its name.
NAMED = {
    OVERALL,
    *VERDICTS,
    *FATES,
    *WORDS.values(),
    "parameters",
    "tokens per second",
    "a coin",
    "no stage",
}
VALUES = re.compile(r"\{(\w+)\}")


def said(function: str) -> set[str]:
    """Every text that may reach `say`, or `counted`, in the charts."""
    found = set()
    for path in CHARTS.glob("*.py"):
        if path.name == "say.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        named: dict[str, list[ast.AST]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                named.setdefault(node.targets[0].id, []).append(node.value)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
                given = node.args[function == "counted"]
                found |= {
                    one.value
                    for value in named.get(getattr(given, "id", ""), [given])
                    for one in ast.walk(value)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


def test_every_pattern_has_a_translation_and_every_translation_a_use():
    patterns = said("say")
    assert len(patterns) > 80
    assert said("counted") == COUNTED.keys()
    assert patterns - CHINESE.keys() == set()
    assert CHINESE.keys() - patterns - NAMED == set()


@pytest.mark.parametrize("english", CHINESE)
def test_a_translation_has_the_values_of_its_pattern(english):
    assert set(VALUES.findall(english)) == set(VALUES.findall(CHINESE[english]))


def test_the_language_is_that_of_the_block():
    with speaking("zh"):
        assert (say("better"), counted(2, "task")) == ("更好", "2 项任务")
    assert (say("better"), counted(2, "task")) == ("better", "2 tasks")


def test_a_value_that_looks_like_a_pattern_stays_as_it_is():
    assert say("Prompt-fragile: {why}.", why="{names} {0}") == "Prompt-fragile: {names} {0}."


def test_chinese_is_broken_between_signs_and_never_before_a_stop():
    lines = wrapped("越低越好：已翻转，右边表示更好。" * 4, 120)
    assert len(lines) > 2
    assert all(width_of(line, SMALL) <= 120 + SMALL for line in lines)
    assert not any(line[0] in "：，。" for line in lines)
    assert wrapped("one two three", 60, SMALL) == ["one two", "three"]


def test_a_chart_on_a_chinese_page_is_chinese():
    view = view_of(board(), "t")
    links = Site(frozenset(), ("en", "zh")).links("index.html")
    for figure in overview_figures(view, links):
        english, chinese = figure.drawn["en"].bare, figure.drawn["zh"].bare
        assert english.rows == chinese.rows
        assert english.columns == chinese.columns
        assert not re.search("[\u4e00-\u9fff]", english.svg)
        assert re.search("[\u4e00-\u9fff]", chinese.svg)
        assert re.search("[\u4e00-\u9fff]", chinese.caption)
