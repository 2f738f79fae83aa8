"""Words and numbers as the charts print them.

Called by every chart. A text is one line, nothing in it is markup, and it is cut to the room there
is; a number that cannot be drawn is missing, never 0 and never "nan".

>>> fitted("organisation/model-with-a-long-name-ppo-ptx", 150, 12), plain(-3.14), compact(1.3e9)
('organisation…-ppo-ptx', '−3.1', '1.3B')
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from math import isfinite

from bench.reporting.export import printable
from bench.reporting.site.charts.say import say

SIZE, SMALL = 12.0, 11.0  # pixels of the texts, as in charts.css
BOLD = 1.15  # times as wide is bold type
NAMED, SENTENCE = 6, 400.0  # names in a sentence, and pixels of each
MINUS, ELLIPSIS = "\u2212", "\u2026"
GREATEST = 1e100  # no score is larger; differences of larger numbers overflow
# Not characters, and no part of XML.
NOT_XML = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")
# Widths in units of the size of the font, of DejaVu Sans, which is wider than its likes.
WIDTHS = (("ijl|.,:;'!()[] ", 0.40), ("frt-/", 0.45), ("mwMW@%" + ELLIPSIS, 1.0), ("+=<>~", 0.84))
WIDTH = {sign: width for signs, width in WIDTHS for sign in signs} | {MINUS: 0.84}
# A word with what parts it from the one before; a Chinese sign is one, with the stop behind it.
SIGN, STOP = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff", "\u3000-\u303f\uff00-\uff1f"
WORD = re.compile(f"( *)([{SIGN}{STOP}][{STOP}]*|[^ {SIGN}{STOP}]+[{STOP}]*)")
STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def clean(text: str) -> str:
    """`text` on one line without what hides or reorders its neighbours or is no part of XML."""
    return printable(text).translate(NOT_XML)


def escaped(text: str) -> str:
    """`text` clean and safe between tags and inside quotes."""
    return escape(clean(text), quote=True)


def finite(value: float | None) -> float | None:
    """`value`, or None where it cannot be drawn: it is not finite, or beyond 1e100."""
    return value if value is not None and isfinite(value) and abs(value) < GREATEST else None


def width_of(text: str, size: float = SIZE) -> float:
    """About how many pixels wide `text` is, rather too many than too few."""
    return size * sum(map(_width, text))


def fitted(text: str, room: float, size: float = SIZE) -> str:
    """`text`, with its middle left out where it is wider than `room`: names differ at both ends."""
    text = clean(text)
    if width_of(text, size) <= room:
        return text
    room -= width_of(ELLIPSIS, size)
    head = _prefix(text, room * 0.6, size)
    tail = _prefix(text[::-1], room - width_of(head, size), size)[::-1]
    return f"{head.rstrip()}{ELLIPSIS}{tail.lstrip()}"


def wrapped(text: str, room: float, size: float = SIZE) -> list[str]:
    """`text` broken at spaces, and between Chinese signs, into lines of at most `room`; a word that
    is wider is cut."""
    lines: list[str] = []
    for space, word in WORD.findall(clean(text)):
        longer = f"{lines[-1]}{' ' if space else ''}{word}" if lines else word
        if lines and width_of(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fitted(word, room, size))
    return lines


def plain(value: float, digits: int = 1) -> str:
    """A number with `digits` behind the point; what rounds to 0 has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def compact(value: float) -> str:
    """A count to two or three digits: 135M, 1.3B, 175B."""
    for step, unit in STEPS:
        if abs(value) >= step * 0.9995:
            return f"{value / step:.3g}{unit}".replace("-", MINUS)
    return short(value)


def short(value: float) -> str:
    """A number to three digits, as on an axis."""
    return f"{value:.3g}".replace("-", MINUS)


def several(names: Sequence[str]) -> str:
    """Up to six names, and how many more there are."""
    told = say(", ").join(map(brief, names[:NAMED]))
    more = len(names) - NAMED
    return say("{names} and {n} more", names=told, n=more) if more > 0 else told


def brief(name: str) -> str:
    """A name in a sentence: a long one is cut."""
    return fitted(name, SENTENCE)


def p_text(p: float | None) -> str:
    """A p-value to three digits, "none" where nothing was tested."""
    return say("none") if p is None else "<0.001" if p < 0.0005 else f"{p:.3f}"


@lru_cache(maxsize=4096)
def _width(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.05
    if unicodedata.combining(sign):
        return 0.0
    return WIDTH.get(sign, 0.76 if sign.isupper() else 0.64)


def _prefix(text: str, room: float, size: float) -> str:
    for place, sign in enumerate(text):
        room -= size * _width(sign)
        if room < 0:
            return text[:place]
    return text
