"""Text that stands in two places: runs of 13 words, and folded text that is equal.

`bench check` compares the splits of a task with it, training its rows with every test split.

>>> folded("Is it 2 + 3?  ") == folded("is it 2 + 3")
True
"""

import re
from collections.abc import Iterator

from bench.registry.data import Row

Gram = tuple[str, ...]
GRAM = 13  # words (characters in Chinese) shared by test and train that count as leaked
PUNCTUATION = re.compile(r"[.,;:!?\"'“”‘’…、。，；：！？]")
WORDS = re.compile(r"[\u4e00-\u9fff]|[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of `text` without case; each Chinese character is one."""
    return WORDS.findall(text.casefold())


def grams_of(text: str) -> Iterator[Gram]:
    """Every run of 13 words in `text`; none in a shorter one."""
    words = words_of(text)
    return zip(*(words[start:] for start in range(GRAM)), strict=False)


def grams_of_row(row: Row) -> Iterator[Gram]:
    """The runs of 13 words within each text of `row`, never across two columns."""
    for value in row.values.values():
        if isinstance(value, str):
            yield from grams_of(value)


def folded(text: str) -> str:
    """`text` without case, spacing and punctuation; signs stay, as 2 + 3 is not 2 - 3."""
    return " ".join(PUNCTUATION.sub(" ", text.casefold()).split())
