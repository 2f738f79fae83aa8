"""Remarks on a page: what the statistics say beside their numbers, in the language of the page.

Called by templates and sentences; what no form of `remark_strings` fits stays as it is, marked as
English.

>>> remark("only 5 clusters: the interval may be too narrow", "zh")
Markup('只有 <bdi>5</bdi> 组：区间可能过窄')
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from markupsafe import Markup

from bench.reporting.site.names import LONGEST_TEXT, name, short
from bench.reporting.site.remark_strings import REMARKS
from bench.reporting.site.strings import Language, strings_of

VALUE = re.compile(r"\{\w+\}")
PLACE = re.compile(r"\\\{(\w+)\\\}")  # the same in a pattern
JOINT = "; "  # between several remarks in one text


def remark(text: str, language: Language) -> Markup:
    """`text`, one remark or several, in `language`."""
    if language == "en":
        return Markup.escape(short(text, LONGEST_TEXT))
    pieces = text.split(JOINT)
    parts = [_translated(piece) for piece in pieces]
    if None in parts and (whole := _translated(text)) is not None:  # one form holds a joint itself
        return whole
    shown = (part or _foreign(piece) for part, piece in zip(parts, pieces, strict=True))
    return strings_of(language)["sentence_join"].join(shown)


def remarks(texts: Iterable[str], language: Language) -> Markup:
    """Several remarks in a row."""
    return strings_of(language)["sentence_join"].join(remark(text, language) for text in texts)


def plain_remarks(texts: Iterable[str], language: Language) -> str:
    """The same without markup, for attributes."""
    return str(remarks(texts, language).striptags())


def _foreign(text: str) -> Markup:
    return Markup('<span lang="en">{}</span>').format(name(text))


@lru_cache(maxsize=1 << 12)
def _translated(text: str) -> Markup | None:
    """`text` in Chinese; None where no form fits."""
    for form, chinese in _forms():
        found = form.fullmatch(text)
        if found:
            return Markup(chinese).format(**{key: name(v) for key, v in found.groupdict().items()})
    return None


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """Every English form as a pattern; those that say most beside their values come first."""
    order = sorted(REMARKS, key=lambda english: -len(VALUE.sub("", english)))
    return [
        (re.compile(PLACE.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), REMARKS[english])
        for english in order
    ]
