"""Each rule of `extract` cuts the answer out of replies as models write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TaskError
from bench.scoring.extract import RULES, extract
from bench.types import Extract

COLOURS = ("red", "blue", "green", "grey")
NUMBERS = {
    "7": "7",
    "The total is 1,250 euros.": "1250",
    "so she pays $1,234,567.89.": "1234567.89",
    "1,00,000 rupees": "100000",
    "3 apples and 4 pears make 7.": "7",
    "It fell to -12 degrees": "-12",
    "It fell to −12 degrees": "-12",
    "x=-5": "-5",
    "a loss of -$5": "-5",
    "a loss of $-5": "-5",
    ".5": ".5",
    "-.25": "-.25",
    "half is 0.50.": "0.50",
    "see No.5": "5",
    "1.5e-3 mol": "1.5e-3",
    "2E5": "2E5",
    "10-5": "5",
    "pages 3-7": "7",
    "GPT-4": "4",
    "1,2,3": "3",
    "(3,4)": "4",
    "2019,2020": "2020",
    "12,3456": "3456",
    "42%": "42",
    "答案是1,024。": "1024",
    "１２３": "１２３",
    "**72**": "72",
    "\\boxed{18}": "18",
    "#### 18\n": "18",
}
LETTERS = {
    "B": "blue",
    "b": "blue",
    "(b)": "blue",
    "B.": "blue",
    "**B**": "blue",
    "B) blue": "blue",
    "I think it is (B).": "blue",
    "I think B": "blue",
    "A good guess would be B.": "blue",
    "A is right": "red",
    "A because B is grass": "red",
    "A good one": "red",
    "The answer is C": "green",
    "The answer is: **(C)**": "green",
    "The correct answer is:\n\n(C)": "green",
    "answer: c": "green",
    "The answer is a bit hidden: (C)": "green",
    "B looks right, but the answer is C.": "green",
    'Option "C"': "green",
    "答案是C。": "green",
    "选择 C，因为草是绿的": "green",
    "I'd say C": "green",
    "vitamin B12, so D": "grey",
    "Z or D": "grey",
}
NO_LETTERS = ["", "E", "Because", "Dad and Alice", "B's", "blue", "abc", "B12", "红色"]
CODE = {
    "x = 1": "x = 1",
    "\n\n    return 1\n\n": "    return 1",
    "```python\nx = 1\n```": "x = 1",
    "``` python\nx = 1\n```": "x = 1",
    "```\nx = 1\n```\nIt works.\n```\ny = 2\n```": "x = 1",
    "Sure:\n```py\ndef f():\n    return 1\n```\nDone.": "def f():\n    return 1",
    "```python\r\nx = 1\r\n```": "x = 1",
    "unfinished:\n```python\nx = 1": "x = 1",
    "1. So:\n   ```python\n   if x:\n       y\n   ```": "if x:\n    y",
    "```c++\nint x;\n```": "int x;",
    "the name `x` is no block": "the name `x` is no block",
}
FIRST_LINES = {"Paris\nis big": "Paris", "\n\n  Paris  \n": "Paris", "一\r\n二": "一"}


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_number_is_the_last_one_as_float_reads_it(text, number):
    assert extract(text, Extract("number")) == number
    float(number)


@pytest.mark.parametrize("text", ["", "-", ".", ",", "十二", "²"])
def test_number_is_none_without_digits(text):
    assert extract(text, Extract("number")) is None


@given(st.integers(-(10**15), 10**15), st.booleans())
def test_number_reads_back_any_integer_with_or_without_thousands_separators(value, grouped):
    text = f"It is {value:,}." if grouped else f"It is {value}."
    assert float(extract(text, Extract("number"))) == value


@given(st.text())
def test_number_is_none_or_a_float(text):
    found = extract(text, Extract("number"))
    assert found is None or isinstance(float(found), float)


@pytest.mark.parametrize(("text", "chosen"), LETTERS.items())
def test_choice_letter_names_its_choice(text, chosen):
    assert extract(text, Extract("choice_letter"), COLOURS) == chosen


@pytest.mark.parametrize("text", NO_LETTERS)
def test_choice_letter_is_none_where_no_letter_of_a_choice_stands_alone(text):
    assert extract(text, Extract("choice_letter"), COLOURS) is None


def test_the_pronoun_is_not_the_ninth_choice():
    choices = tuple("123456789")
    assert extract("I think it is C", Extract("choice_letter"), choices) == "3"
    assert extract("I", Extract("choice_letter"), choices) == "9"


@pytest.mark.parametrize(("text", "code"), CODE.items())
def test_code_block_is_the_first_fenced_one_or_everything(text, code):
    assert extract(text, Extract("code_block")) == code


@pytest.mark.parametrize(("text", "line"), FIRST_LINES.items())
def test_first_line_is_the_first_that_is_not_blank(text, line):
    assert extract(text, Extract("first_line")) == line


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"#### (-?\d+)", "so\n#### 18", "18"),
        (r"(?:answer: (\w+)|final: (\w+))", "final: yes", "yes"),
        (r"\d+ apples", "2 apples", "2 apples"),
        (r"x(\s)", "x ", None),
        (r"x(\d*)", "x", "x"),
        (r"nothing", "else", None),
    ],
)
def test_regex_gives_its_first_group_with_text_or_the_whole_match(pattern, text, found):
    assert extract(text, Extract("regex", pattern)) == found


def test_a_pattern_that_does_not_compile_is_named_with_its_key():
    with pytest.raises(TaskError, match=r"extract\.pattern: '\(' is no regular expression"):
        extract("x", Extract("regex", "("))


@pytest.mark.parametrize("how", [*RULES, "choice_letter"])
@pytest.mark.parametrize("blank", ["", " ", "\n\t \n"])
def test_blank_replies_hold_no_answer(how, blank):
    assert extract(blank, Extract(how), COLOURS) is None


@pytest.mark.parametrize("how", [*RULES, "choice_letter"])
@pytest.mark.parametrize(
    "unit", ["1,", "11,", "answer ", " ", "`", "```\n ", "A a ", "9", "-", "answer: ((", "\n"]
)
def test_hundred_kilobytes_of_anything_take_no_longer_than_a_second(how, unit):
    start = time.perf_counter()
    extract("answer 1 ```" + unit * (100_000 // len(unit)), Extract(how), COLOURS)
    assert time.perf_counter() - start < 1.0
