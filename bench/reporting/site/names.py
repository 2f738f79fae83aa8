"""Names and other foreign text as parts of a page: isolated, on one line, never markup.

Called by templates and sentences.

>>> name("ppo <b>")
Markup('<bdi>ppo &lt;b&gt;</bdi>')
"""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup, escape

from bench.reporting.export import printable

LONGEST = 300  # characters of a name; a longer one is no name
LONGEST_TEXT = 2_000  # of any other text that has no page of its own


def name(text: str) -> Markup:
    """A name whose direction of writing does not reach its neighbours."""
    return _name(text if len(text) <= LONGEST else short(text))


@lru_cache(maxsize=1 << 12)
def _name(text: str) -> Markup:
    """The same of a text that is short already; most names stand on a page many times."""
    return Markup(f"<bdi>{escape(printable(text))}</bdi>")


def names(texts: Iterable[str]) -> Markup:
    """Several names in a row."""
    return Markup(", ").join(map(name, texts))


def short(text: str, longest: int = LONGEST) -> str:
    """`text` on one line; where it is longer than `longest`, its beginning and its length."""
    if len(text) <= longest:
        return printable(text)
    return f"{printable(text[:longest])}… ({len(text):,})"


def plain(value: object) -> object:
    """What a template prints: a text is made harmless and is cut, markup and numbers stay."""
    return short(value, LONGEST_TEXT) if type(value) is str else value
