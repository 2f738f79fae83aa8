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

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+")
LETTER = re.compile(r"(?<![A-Za-z'])\(?([A-Z])\)?(?![A-Za-z'])")
STATED_LETTER = re.compile(r"(?:answer|choice|option)\s*(?:is|:)?\s*\**\(?([A-Z])\b", re.IGNORECASE)
FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n?```|\Z)", re.DOTALL)


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
    return found[-1].replace(",", "").rstrip(".") if found else None


def _code_block(text: str) -> str | None:
    """The first fenced block; without a fence, the whole text."""
    fenced = FENCE.search(text)
    return (fenced.group(1) if fenced else text).strip("\n").rstrip() or None


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
    stated = STATED_LETTER.search(text)
    letters = ([stated.group(1).upper()] if stated else []) + LETTER.findall(text)
    positions = [ord(letter) - ord("A") for letter in letters]
    return next((choices[place] for place in positions if place < len(choices)), None)


RULES: dict[str, Callable[[str], str | None]] = {
    "text": _text,
    "first_line": _first_line,
    "number": _number,
    "code_block": _code_block,
}
