"""Cut the answer out of a generated text, as the task's `extract` says.

>>> extract("The total is 1,250 euros.", Extract("number"))
'1250'
>>> extract("I think it is (B).", Extract("choice_letter"), ("red", "blue"))
'blue'
>>> extract("no digits here", Extract("number")) is None
True
"""

import re
from collections.abc import Callable

from bench.errors import TaskError
from bench.types import Extract

# A minus after a letter or digit joins ("GPT-4", "3-7"); a comma groups thousands or parts "1,2,3".
NUMBER = re.compile(
    r"(?:(?<!\w)[-−]\$?)?"
    r"(?:(?:\d{1,3}(?:,\d{2,3}){0,8},\d{3}(?!\d)|\d+)(?:\.\d+)?|(?<![\w.])\.\d+)"
    r"(?:[eE][-+]?\d+(?!\w))?"
)
PLAIN = str.maketrans({",": None, "$": None, "−": "-"})
ONLY_LETTER = re.compile(r"\W*([A-Za-z])\W*")
STATED_LETTER = re.compile(
    r"(?i:answer|choice|option)(?:\s+is\b)?\s*+:?[\s\"'*]*+"
    r"(?:\(([a-z])\)|\(?([A-Z])(?![A-Za-z0-9'])|([a-z])(?=[).\"'*]*+[ \t]*+$))",
    re.MULTILINE,
)
LETTER = re.compile(r"(?<![A-Za-z0-9'])([A-Z])(?![A-Za-z0-9'])")
# "A good guess", "I think": article and pronoun, unless no other letter stands alone.
PHRASE = re.compile(r"\b[AI] (?!(?:is|because|since|as)\b)(?=[a-z])")
FENCE = re.compile(r"```[ \t]*+[\w+.-]*+[ \t]*+\r?\n(.*?)(?:```|\Z)", re.DOTALL)


def extract(text: str, rule: Extract, choices: tuple[str, ...] = ()) -> str | None:
    """The answer in `text` by `rule`, or None when there is none to be found.

    Raises:
        TaskError: the rule's regular expression does not compile.
    """
    if rule.how == "regex":
        return _regex(text, rule.pattern)
    if rule.how == "choice_letter":
        return _choice_letter(text, choices)
    return RULES[rule.how](text)


def _text(text: str) -> str | None:
    return text.strip() or None


def _first_line(text: str) -> str | None:
    return next((line.strip() for line in text.splitlines() if line.strip()), None)


def _number(text: str) -> str | None:
    """The last number: worked solutions end with their result."""
    found = NUMBER.findall(text)
    return found[-1].translate(PLAIN) if found else None


def _code_block(text: str) -> str | None:
    """The first fenced block, less the indent of its fence; without a fence, the whole text."""
    fenced = FENCE.search(text)
    if fenced is None:
        return text.strip("\n").rstrip() or None
    before = text[text.rfind("\n", 0, fenced.start()) + 1 : fenced.start()]
    indent = len(before) if before.isspace() else 0
    block = re.sub(rf"^[ \t]{{1,{indent}}}", "", fenced[1], flags=re.M) if indent else fenced[1]
    return block.strip("\r\n").rstrip() or None


def _regex(text: str, pattern: str) -> str | None:
    """The first match: its first non-empty group, or all of it."""
    try:
        found = re.search(pattern, text)
    except re.error as error:
        raise TaskError(
            f"extract.pattern: {pattern!r} is no regular expression: {error}", "mend the pattern"
        ) from None
    if found is None:
        return None
    return next((group for group in found.groups() if group), found.group(0)).strip() or None


def _choice_letter(text: str, choices: tuple[str, ...]) -> str | None:
    """The choice whose letter is stated, else the first letter that stands alone."""
    said = ONLY_LETTER.fullmatch(text) or STATED_LETTER.search(text)
    letters = [letter.upper() for letter in said.groups() if letter] if said else []
    letters += LETTER.findall(PHRASE.sub("", text)) or LETTER.findall(text)
    positions = [ord(letter) - ord("A") for letter in letters]
    return next((choices[place] for place in positions if place < len(choices)), None)


RULES: dict[str, Callable[[str], str | None]] = {
    "text": _text,
    "first_line": _first_line,
    "number": _number,
    "code_block": _code_block,
}
