"""The kinds of verifiable instruction: one table, kind -> checker, parameters, description.

`constraints.py` looks each constraint of a task row up in `CONSTRAINTS`. One real entry:
"max_words" takes `n`, a whole number, so `{"kind": "max_words", "n": 5}` is a constraint;
it holds for "Good bread takes time." `text_measures.py` says what counts as a word, a
sentence and so on. Most kinds follow IFEval (Zhou et al. 2023, arXiv:2311.07911).

To add a kind: a checker, a line in the table, and its cases in
`tests/scoring/test_constraints.py`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from bench.scoring.text_measures import (
    HAN,
    capital_word_count,
    folded,
    letter_count,
    lines,
    occurrences,
    paragraphs,
    sentence_count,
    whole,
    words,
)


class Parameters(TypedDict, total=False):
    """What a constraint carries besides its kind; a name has one type for all kinds."""

    n: int
    how: str
    word: str
    words: list[str]
    letter: str
    text: str
    keys: list[str]
    options: list[str]
    language: str


Checker = Callable[[str, Parameters], bool]


@dataclass(frozen=True)
class ParameterType:
    """The values that a parameter takes: in words, for errors, and as a test."""

    description: str
    accepts: Callable[[object], bool]


@dataclass(frozen=True)
class Constraint:
    """One kind: its checker, its parameters, and what it asks of a reply."""

    check: Checker
    parameters: Mapping[str, ParameterType]
    description: str
    optional: frozenset[str] = frozenset()


def _compare(found: int, parameters: Parameters) -> bool:
    how, n = parameters.get("how", "exactly"), parameters["n"]
    if how == "at least":
        return found >= n
    return found <= n if how == "at most" else found == n


def _number_of(measure: Callable[[str], int]) -> Checker:
    return lambda text, parameters: _compare(measure(text), parameters)


def _matches(pattern: str) -> Callable[[str], int]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda text: len(compiled.findall(text))


def _min_words(text: str, parameters: Parameters) -> bool:
    return len(words(text)) >= parameters["n"]


def _max_words(text: str, parameters: Parameters) -> bool:
    return len(words(text)) <= parameters["n"]


def _exact_words(text: str, parameters: Parameters) -> bool:
    return len(words(text)) == parameters["n"]


def _max_characters(text: str, parameters: Parameters) -> bool:
    return len(text.strip()) <= parameters["n"]


def _numbered_list(text: str, parameters: Parameters) -> bool:
    marks = re.findall(r"^[ \t]*(\d{1,9})[.)][ \t]+\S", text, re.MULTILINE)
    return list(map(int, marks)) == list(range(1, parameters["n"] + 1))


def _keywords(text: str, parameters: Parameters) -> bool:
    return all(occurrences(text, word) for word in parameters["words"])


def _forbidden_words(text: str, parameters: Parameters) -> bool:
    return not any(occurrences(text, word) for word in parameters["words"])


def _keyword_count(text: str, parameters: Parameters) -> bool:
    return _compare(occurrences(text, parameters["word"]), parameters)


def _letter_count(text: str, parameters: Parameters) -> bool:
    return _compare(letter_count(text, parameters["letter"]), parameters)


def _no_letter(text: str, parameters: Parameters) -> bool:
    return letter_count(text, parameters["letter"]) == 0


def _all_lowercase(text: str, _: Parameters) -> bool:
    return text.islower()


def _all_uppercase(text: str, _: Parameters) -> bool:
    return text.isupper()


_SMALL_WORD = re.compile(
    "a|an|and|as|at|but|by|for|from|in|into|nor|of|off|on|or|per|so|the|to|up|via|vs|with"
)


def _title_case(text: str, _: Parameters) -> bool:
    """NEW SHOES is capitals, not title case; New Shoes for the Road is title case."""
    bare = [re.sub(r"^\W+|\W+$", "", word) for word in words(text)]
    return text.lower() != text != text.upper() and all(
        not word[:1].islower() or (place > 0 and _SMALL_WORD.fullmatch(word))
        for place, word in enumerate(bare)
    )


def _starts_with(text: str, parameters: Parameters) -> bool:
    return re.match(whole(parameters["text"]), folded(text)) is not None


def _ends_with(text: str, parameters: Parameters) -> bool:
    return re.search(whole(parameters["text"]) + r"\W*\Z", folded(text)) is not None


def _contains_text(text: str, parameters: Parameters) -> bool:
    return folded(parameters["text"]) in folded(text)


def _no_commas(text: str, _: Parameters) -> bool:
    return set(text).isdisjoint(",\uff0c\u3001")  # ASCII, full-width, Chinese enumeration


def _no_digits(text: str, _: Parameters) -> bool:
    return not any(map(str.isdigit, text))


def _json(text: str, parameters: Parameters) -> bool:
    """A bare string or number is JSON too, but no reply that was asked for JSON."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)```\s*", text, re.DOTALL)
    try:
        value = json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if "n" in parameters and not (isinstance(value, list) and len(value) == parameters["n"]):
        return False
    objects, keys = value if isinstance(value, list) else [value], parameters.get("keys")
    if keys is None:
        return isinstance(value, dict | list)
    return bool(objects) and all(isinstance(o, dict) and o.keys() >= set(keys) for o in objects)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value (RFC 8259)")


def _quoted(text: str, _: Parameters) -> bool:
    return re.fullmatch(r'"\s*[^"\s][^"]*"', folded(text)) is not None


def _postscript(text: str, _: Parameters) -> bool:
    return re.search(r"\n[ \t]*p\.\s?s\.\W*\w", folded(text)) is not None


def _two_answers(text: str, _: Parameters) -> bool:
    answers = [part.strip() for part in re.split(r"(?<!\*)\*{6}(?!\*)", text)]
    return len(answers) == 2 and all(answers) and answers[0] != answers[1]


def _language(text: str, parameters: Parameters) -> bool:
    script = f"[{HAN}]" if parameters["language"] == "zh" else r"[A-Za-z\u00c0-\u024f]"
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and len(re.findall(script, "".join(letters))) >= 0.75 * len(letters)


def _titled(text: str, _: Parameters) -> bool:
    return re.search(r"<<[ \t]*[^<>\s][^<>\n]*>>", text) is not None


def _yes_or_no(text: str, _: Parameters) -> bool:
    return folded(text).rstrip(".!") in {"yes", "no"}


def _one_of(text: str, parameters: Parameters) -> bool:
    said = {folded(text), folded(text).strip("\"'.!\u3002")}
    return not said.isdisjoint(map(folded, parameters["options"]))


COUNT = ParameterType(
    "a whole number, 0 or more",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
)
TEXT = ParameterType(
    "a non-blank string", lambda value: isinstance(value, str) and value.strip() != ""
)
TEXTS = ParameterType(
    "a non-empty list of non-blank strings",
    lambda value: isinstance(value, list | tuple) and bool(value) and all(map(TEXT.accepts, value)),
)
LETTER = ParameterType(
    "one letter from a to z",
    lambda value: isinstance(value, str) and re.fullmatch("[A-Za-z]", value) is not None,
)
HOW = ParameterType(
    "'exactly', 'at least' or 'at most'",
    lambda value: value in ("exactly", "at least", "at most"),
)
LANGUAGE = ParameterType("'en' or 'zh'", lambda value: value in ("en", "zh"))

_NUMBER = {"n": COUNT, "how": HOW}
_HOW = frozenset({"how"})  # optional wherever it occurs: without it, exactly n

CONSTRAINTS: dict[str, Constraint] = {
    "min_words": Constraint(_min_words, {"n": COUNT}, "has at least n words"),
    "max_words": Constraint(_max_words, {"n": COUNT}, "has at most n words"),
    "exact_words": Constraint(_exact_words, {"n": COUNT}, "has exactly n words"),
    "max_characters": Constraint(
        _max_characters, {"n": COUNT}, "has at most n characters, spaces inside included"
    ),
    "sentences": Constraint(_number_of(sentence_count), _NUMBER, "has n sentences", _HOW),
    "paragraphs": Constraint(
        _number_of(lambda text: len(paragraphs(text))),
        _NUMBER,
        "has n paragraphs, set off by blank lines",
        _HOW,
    ),
    "lines": Constraint(
        _number_of(lambda text: len(lines(text))), _NUMBER, "has n lines that are not blank", _HOW
    ),
    "bullets": Constraint(
        _number_of(_matches(r"^[ \t]*[-*][ \t]+\S")),
        _NUMBER,
        "has n lines that start with '- ' or '* '",
        _HOW,
    ),
    "numbered_list": Constraint(
        _numbered_list, {"n": COUNT}, "has n lines numbered 1. 2. 3. (or 1) 2) 3)) in order"
    ),
    "keywords": Constraint(_keywords, {"words": TEXTS}, "has all the words, in any case"),
    "forbidden_words": Constraint(_forbidden_words, {"words": TEXTS}, "has none of the words"),
    "keyword_count": Constraint(
        _keyword_count, {"word": TEXT, **_NUMBER}, "has the word n times, in any case", _HOW
    ),
    "letter_count": Constraint(
        _letter_count, {"letter": LETTER, **_NUMBER}, "has the letter n times, in any case", _HOW
    ),
    "no_letter": Constraint(
        _no_letter, {"letter": LETTER}, "never uses the letter, in any case (a lipogram)"
    ),
    "all_lowercase": Constraint(_all_lowercase, {}, "has small letters only"),
    "all_uppercase": Constraint(_all_uppercase, {}, "has capital letters only"),
    "title_case": Constraint(
        _title_case, {}, "starts every word with a capital; words like 'of' may stay small"
    ),
    "capital_words": Constraint(
        _number_of(capital_word_count), _NUMBER, "has n words all in capitals", _HOW
    ),
    "starts_with": Constraint(
        _starts_with, {"text": TEXT}, "starts with the text, in any case, as whole words"
    ),
    "ends_with": Constraint(
        _ends_with, {"text": TEXT}, "ends with the text, as above; marks after it are ignored"
    ),
    "contains_text": Constraint(
        _contains_text, {"text": TEXT}, "has the text anywhere, in any case"
    ),
    "no_commas": Constraint(_no_commas, {}, "has no comma, Chinese ones included"),
    "no_digits": Constraint(_no_digits, {}, "has no digit"),
    "numbers": Constraint(
        _number_of(_matches(r"\d+(?:[.,:]\d+)*")),
        _NUMBER,
        "has n numbers in digits; 3.5, 1,000 and 10:30 are one each",
        _HOW,
    ),
    "json": Constraint(
        _json,
        {"keys": TEXTS, "n": COUNT},
        "is a JSON object or list, in a code fence or not; with keys, every object has them; "
        "with n, it is a list of n items",
        frozenset({"keys", "n"}),
    ),
    "quoted": Constraint(_quoted, {}, "is wrapped in one pair of double quotes"),
    "placeholders": Constraint(
        _number_of(_matches(r"\[[ \t]*[^\[\]\s][^\[\]\n]*\]")),
        _NUMBER,
        "has n placeholders in square brackets such as [name]",
        _HOW,
    ),
    "titled": Constraint(_titled, {}, "has a title in <<double angle brackets>>"),
    "postscript": Constraint(
        _postscript, {}, "has, after the main text, a line that starts with P.S."
    ),
    "two_answers": Constraint(
        _two_answers, {}, "is two different answers with six asterisks between them"
    ),
    "language": Constraint(
        _language,
        {"language": LANGUAGE},
        "is in the language, judged by script: 3/4 of the letters are Latin (en) or Chinese (zh)",
    ),
    "highlights": Constraint(
        _number_of(_matches(r"(\*\*?)(?=[^\s*])[^*\n]+(?<=\S)\1")),
        _NUMBER,
        "has n parts highlighted *so* or **so**",
        _HOW,
    ),
    "yes_or_no": Constraint(_yes_or_no, {}, "is the one word yes or no"),
    "one_of": Constraint(_one_of, {"options": TEXTS}, "is one of the options and nothing else"),
}
