"""The style: enough contrast in light and dark, a look for every stage."""

import re
from importlib.resources import files
from typing import get_args

import pytest

from bench.reporting.comparison.values import VERDICTS
from bench.reporting.site.charts.stages import WORDS, mark, stage_class, stage_word
from bench.reporting.site.charts.verdicts import SIGNS, said, verdict_class
from bench.types import Stage

STYLE = (files("bench.reporting.site.charts") / "charts.css").read_text("utf-8")
PAPER = {"light": "#ffffff", "dark": "#0d1117"}
TEXT = ("soft", "better-word", "worse-word")
# Hair lines behind the marks carry nothing.
DECORATION = ("line", "band")


def blocks() -> list[dict[str, str]]:
    """The variables of light, dark by the system, dark by choice."""
    found = re.findall(r":root[^{]*\{([^}]*)\}", STYLE)
    return [dict(re.findall(r"--chart-([\w-]+): (#\w{6})", block)) for block in found]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, definition)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_texts_have_a_contrast_of_4_5_and_marks_of_3(mode):
    variables = blocks()[0 if mode == "light" else 1]
    for name, colour in variables.items():
        least = 0 if name in DECORATION else 4.5 if name in TEXT else 3
        assert contrast(colour, PAPER[mode]) >= least, (name, colour)


def test_dark_by_choice_is_dark_by_the_system():
    light, system, choice = blocks()
    assert system == choice
    assert light.keys() == system.keys()


def test_every_stage_has_a_word_a_colour_and_its_own_shape():
    assert set(WORDS) == set(get_args(Stage))
    drawn = set()
    for stage in WORDS:
        assert f".{stage_class(stage)}" in STYLE
        drawn.add(re.sub(r'class="[^"]*"', "", mark(stage, 50, 50)))
    assert len(drawn) == len(WORDS)


@pytest.mark.parametrize(
    ("stage", "colour"),
    [
        ("base", "#7a7a7a"),
        ("sft", "#0072b2"),
        ("rm", "#cc79a7"),
        ("ppo", "#d55e00"),
        ("ptx", "#009e73"),
    ],
)
def test_stages_have_the_colours_of_okabe_and_ito(stage, colour):
    assert blocks()[0][stage] == colour


def test_a_stage_nobody_knows_is_said_and_drawn_hollow():
    assert stage_word("merge") == "merge"
    assert stage_word("") == "no stage"
    assert 'class="mark stage-none"' in mark("merge", 5, 5)


def test_a_verdict_is_a_sign_and_a_word():
    assert set(SIGNS) == set(VERDICTS)
    assert len(set(SIGNS.values())) == len(VERDICTS)
    assert said("worse") == "▼ worse"
    assert verdict_class("no number") == "verdict-no-number"


def test_every_variable_that_is_used_is_defined():
    used = set(re.findall(r"var\(--chart-([\w-]+)\)", STYLE))
    assert used <= blocks()[0].keys()
