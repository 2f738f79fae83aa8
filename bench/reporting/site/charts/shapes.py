"""The elements of an SVG as text: lines, boxes, words, links.

Called by every chart. Positions are pixels and absolute, paths know only M, L and Z, and nothing is
transformed, so what a chart draws can be checked against its frame.

>>> line("axis", 0, 10, 99.96, 10)
'<line class="axis" x1="0" y1="10" x2="100" y2="10"/>'
"""

import re
from collections.abc import Sequence
from typing import Literal

from bench.reporting.site.charts.words import clean, escaped

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A line from one point to another."""
    return (
        f'<line class="{style}" x1="{pixels(x1)}" y1="{pixels(y1)}" '
        f'x2="{pixels(x2)}" y2="{pixels(y2)}"/>'
    )


def rect(style: str, x: float, y: float, width: float, height: float) -> str:
    """A box by its upper left corner and its size."""
    return (
        f'<rect class="{style}" x="{pixels(x)}" y="{pixels(y)}" '
        f'width="{pixels(width)}" height="{pixels(height)}"/>'
    )


def circle(style: str, x: float, y: float, radius: float) -> str:
    """A circle around a point."""
    return f'<circle class="{style}" cx="{pixels(x)}" cy="{pixels(y)}" r="{pixels(radius)}"/>'


def path(style: str, points: Sequence[Point], closed: bool = False) -> str:
    """Straight lines through `points`, and back to the first where `closed`."""
    drawn = "L".join(f"{pixels(x)} {pixels(y)}" for x, y in points)
    return f'<path class="{style}" d="M{drawn}{"Z" if closed else ""}"/>'


def text(x: float, y: float, words: str, style: str = "", anchor: Anchor = "start") -> str:
    """`words` on a base line at `y`."""
    classes = f' class="{style}"' if style else ""
    ends = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{classes}{ends} x="{pixels(x)}" y="{pixels(y)}">{escaped(words)}</text>'


def group(drawn: str, tip: str = "", style: str = "") -> str:
    """Elements that belong together; `tip` is shown where the pointer rests on them."""
    classes = f' class="{style}"' if style else ""
    return f"<g{classes}>{f'<title>{escaped(tip)}</title>' if tip else ''}{drawn}</g>"


def link(href: str | None, name: str, drawn: str) -> str:
    """`drawn` as a link that is called `name`; just `drawn` without an address, or with one of a
    scheme other than http and https."""
    if not href or SCHEME.match(clean(href)):
        return drawn
    return f'<a href="{escaped(href)}" aria-label="{escaped(name)}">{drawn}</a>'


def pixels(value: float) -> str:
    """A position to a tenth of a pixel."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written
