"""Foreign text on a page: what hides or reorders is replaced, what is too long is cut and says so,
and two texts are compared word by word.

Called by the pages of items.

>>> [(part.kind, part.text) for part in differences("a red fox", "a sly red fox")]
[('same', 'a'), ('added', ' sly'), ('same', ' red fox')]
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from markupsafe import Markup, escape

from bench.reporting.export import HIDES

MOST_CHARACTERS = 3_000  # of one text on a page
MOST_TOKENS = 400  # of each text that are compared: the time grows with their product
# Words, spaces, signs; Chinese and Japanese are compared sign by sign.
TOKENS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|\s+|[^\w\s]")
LINES = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
Kind = Literal["same", "added", "removed"]
TAGS = {"added": "ins", "removed": "del"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is shown: `characters` counts the whole, of which `shown` may be the start."""

    shown: str
    characters: int

    @property
    def is_cut(self) -> bool:
        """Whether something is left out."""
        return self.characters > MOST_CHARACTERS

    def __html__(self) -> str:
        return escape(self.shown)


@dataclass(frozen=True, slots=True)
class Part:
    """Words that both texts have, or only one."""

    kind: Kind
    text: str


def readable(text: str) -> Text:
    """`text` with its lines, harmless, and cut where it is too long to show."""
    return Text(harmless(text[:MOST_CHARACTERS]), len(text))


def harmless(text: str) -> str:
    """`text` without what hides or reorders its neighbours; lines and tabs stay."""
    lines = LINES.sub("\n", text).split("\n")
    return "\n".join(HIDES.sub("\ufffd", line.replace("\t", "    ")) for line in lines)


def differences(before: str, after: str) -> list[Part]:
    """What was removed from `before` and added to it to make `after`."""
    one, other = TOKENS.findall(before), TOKENS.findall(after)
    matcher = SequenceMatcher(None, one[:MOST_TOKENS], other[:MOST_TOKENS], autojunk=False)
    return list(_parts(matcher, one, other))


def compared(before: str, after: str) -> Markup:
    """The same as HTML: <del> and <ins> around what only one of the two has."""
    found = differences(harmless(before[:MOST_CHARACTERS]), harmless(after[:MOST_CHARACTERS]))
    return Markup("").join(map(_marked, found))


def is_long(*texts: str) -> bool:
    """Whether only the beginnings of `texts` are compared."""
    return any(len(text) > MOST_CHARACTERS or _many(text) for text in texts)


def _many(text: str) -> bool:
    return len(text) > MOST_TOKENS and len(TOKENS.findall(text)) > MOST_TOKENS


def _parts(
    matcher: "SequenceMatcher[str]", one: Sequence[str], other: Sequence[str]
) -> Iterator[Part]:
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(one[i1:i2]))
            continue
        if i1 < i2:
            yield Part("removed", "".join(one[i1:i2]))
        if j1 < j2:
            yield Part("added", "".join(other[j1:j2]))


def _marked(part: Part) -> Markup:
    tag = TAGS.get(part.kind)
    text = escape(part.text)
    return text if tag is None else Markup(f"<{tag}>{text}</{tag}>")
