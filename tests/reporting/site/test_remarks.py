"""What the statistics remark stands in Chinese on Chinese pages: every form that the code makes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.reporting.site.remark_strings import REMARKS
from bench.reporting.site.remarks import plain_remarks, remark

BENCH = Path(__file__).parents[3] / "bench"
SOURCES = [
    path
    for folder in (BENCH / "statistics", BENCH / "reporting" / "comparison")
    for path in sorted(folder.glob("*.py"))
    if path.name != "find.py"  # what `bench compare` refuses stands in no page
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACES = re.compile(r"\{(\w+)\}")
PLACE = re.compile(r"\\\{\w+\\\}")
WORD = re.compile(r"[A-Za-z]{2,}")
# Pieces of sentences that a terminal alone prints, or that are put into a remark of the table.
PIECES = {
    "{}: no number: {}",
    "{}: {}: {} {}{}",
    "; {} items find {} in four of five cases",
    "; hangs on the wording: {}",
    "in these wordings",
    "on this task",
    " and {} more",
    " once ties are left out",
    "a half-normal prior of scale {} says how much",
    "another than the first",
    "a finite number",
    "a number above 0",
    "first slot",
    "second model",
    "cut off",
    "no number",
    "no tax",
    "np.ndarray[tuple[int], np.dtype[np.intp]]",
}
PARTS = {"{} in the parent alone", "{} in the child alone", "{} in both or in neither"}
# Texts whose values are words of the remark.
FILLED = {
    "the parent was not run {}": "the parent was not run on this task",
    "only the {} has a chat template; the other was asked in plain text": (
        "only the child has a chat template; the other was asked in plain text"
    ),
    "only {} {}: the interval may be too narrow": "only 7 prompts: the interval may be too narrow",
    "only {} of {} answers are as {} as the baseline's or {}er": (
        "only 7 of 9 answers are as long as the baseline's or longer"
    ),
    "{} under {}; undecided under {}": "rises under 7; undecided under 9",
    "row {}{} is not the same item in both": "row 7 is not the same item in both",
    "fewer than {} tasks do not tell how much tasks differ (tau): {}": (
        "fewer than 7 tasks do not tell how much tasks differ (tau): "
        "a half-normal prior of scale 9 says how much"
    ),
}


# The same forms with other words.
OTHER_TEXTS = [
    "the parent was not run in these wordings",
    "only the parent has a chat template; the other was asked in plain text",
    "only 7 annotators: the interval may be too narrow",
    "only 7 of 9 answers are as short as the baseline's or shorter",
    "falls under 7; undecided under 9",
    "row 7 and 9 more is not the same item in both",
    "no tasks",
    "one task",
    # raised, and shown where ratings would stand
    "not linked by judgments: a and b",
    "all judgments are of one prompt: no standard error",
    "no finite fit: outcomes follow from covariates without fail: length",
    *(
        f"{word} in {where}"
        for word in ("parsed", "refused", "cut off")
        for where in ("the parent alone", "the child alone", "both or in neither")
    ),
]


def filled(text: str) -> str:
    """The text with values in its places."""
    return FILLED.get(text, text.replace("{}", "7"))


def literals(node: ast.AST) -> Iterator[str]:
    """Texts below `node` but docstrings and what is raised, with {} for values."""
    if isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
        return
    for below in ast.iter_child_nodes(node):
        yield from literals(below)


def made() -> list[str]:
    """Every text of several words that statistics and comparisons make."""
    found = (text for path in SOURCES for text in literals(ast.parse(path.read_text("utf-8"))))
    return sorted({text for text in found if " " in text and len(WORD.findall(text)) > 1})


@pytest.mark.parametrize("text", [one for one in made() if one not in PIECES | PARTS])
def test_every_remark_that_the_code_makes_has_a_form(text):
    assert 'lang="en"' not in remark(filled(text), "zh")


@pytest.mark.parametrize("english", REMARKS)
def test_a_form_keeps_its_values_and_none_of_its_english(english):
    places = PLACES.findall(english)
    values = {place: f"v{at}" for at, place in enumerate(places)}
    shown = plain_remarks([english.format(**values)], "zh")
    assert CHINESE.search(shown)
    assert all(value in shown for value in values.values())
    left = set(WORD.findall(re.sub(r"\bv\d\b", "", shown)))
    assert left <= {"tau", "prompt", "annotator", "hat"}


def test_the_forms_are_all_made_somewhere():
    texts = [filled(text) for text in made()] + OTHER_TEXTS
    unmade = [
        english
        for english in REMARKS
        if not any(re.fullmatch(PLACE.sub(".+", re.escape(english)), text) for text in texts)
    ]
    assert unmade == []


def test_several_reasons_in_one_text_are_each_translated():
    text = "limit differs (8 against none); seed differs (1 against 2)"
    assert plain_remarks([text], "zh") == "limit 不同（8 对 none）；seed 不同（1 对 2）"


def test_a_form_with_a_joint_inside_is_one():
    assert plain_remarks(["rises under a, b; falls under c"], "zh") == "在 a, b 下上升；在 c 下下降"


def test_what_no_form_fits_is_marked_as_english():
    assert remark("its prompts were <lost>", "zh") == (
        '<span lang="en"><bdi>its prompts were &lt;lost&gt;</bdi></span>'
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_foreign_text_in_a_remark_is_no_markup(language):
    assert "<b>" not in remark("the parent was not scored by <b>x</b>", language)


def test_in_english_a_remark_is_itself():
    assert remark("only 5 clusters: the interval may be too narrow", "en") == (
        "only 5 clusters: the interval may be too narrow"
    )
