"""A chart as a value: the drawing, what it shows in words, and its numbers as rows to download.

Every chart function returns one; the page sets `svg` in place and the rest beside it.

    Chart(svg='<svg class="chart" role="img" ...', caption="ppo against sft: better on 4 of 16 ...",
          columns=("task", "estimate", ...), rows=(("topic", -0.2, ...), ...))
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.shapes import pixels, text
from bench.reporting.site.charts.words import SMALL, clean, escaped, finite, wrapped

Value = str | float | int | bool | None
Href = Callable[[str], str | None]
WIDE, NARROW = 960.0, 358.0  # pixels: a page, and a telephone of 390 pixels less its margins
LINE = 16.0  # pixels from one line of text to the next
ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Chart:
    """`caption` says in plain text what is seen; `rows` hold a value for each of `columns`, None
    where there is none."""

    svg: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate with its bounds, each None where it is not known."""

    estimate: float | None
    lo: float | None = None
    hi: float | None = None

    def known(self) -> "Dot":
        """The same without numbers that cannot be drawn; bounds come in pairs and in order."""
        estimate, lo, hi = finite(self.estimate), finite(self.lo), finite(self.hi)
        if estimate is None or lo is None or hi is None:
            return Dot(estimate)
        return Dot(estimate, min(lo, hi), max(lo, hi))

    def each(self, turn: Callable[[float], float]) -> "Dot":
        """The Dot of what `turn` makes of each number."""
        ends = (self.estimate, self.lo, self.hi)
        return Dot(*(None if end is None else turn(end) for end in ends)).known()

    def numbers(self) -> list[float]:
        """Estimate and bounds as far as they are known."""
        return [number for number in (self.estimate, self.lo, self.hi) if number is not None]


def framed(uid: str, title: str, description: str, width: float, height: float, drawn: str) -> str:
    """`drawn` as an SVG of its natural size, which scales down only where it fits a telephone.

    `uid` begins the ids in it, so it must be unlike any other on the page. What holds links is a
    group to screen readers, as the inside of an image is hidden from them.

    Raises:
        ValueError: `uid` is not a letter followed by letters, digits, - and _.
    """
    if not ID.fullmatch(uid):
        raise ValueError(f"{uid!r} is no id: a letter, then letters, digits, - and _")
    role = "group" if "<a href=" in drawn else "img"
    fits = " chart-fits" if width <= NARROW else ""
    return (
        f'<svg class="chart{fits}" role="{role}" aria-labelledby="{uid}-title {uid}-desc" '
        f'viewBox="0 0 {pixels(width)} {pixels(height)}" width="{pixels(width)}" '
        f'height="{pixels(height)}"><title id="{uid}-title">{escaped(title)}</title>'
        f'<desc id="{uid}-desc">{escaped(description)}</desc>{drawn}</svg>'
    )


def nothing(
    uid: str, title: str, why: str, columns: tuple[str, ...], width: float = NARROW
) -> Chart:
    """The chart of no data: it says `why`."""
    drawn, height = notes([why], 8, 8, width - 16)
    return Chart(framed(uid, title, why, width, height + 12, drawn), clean(why), columns, ())


def notes(sentences: Sequence[str], x: float, y: float, room: float) -> tuple[str, float]:
    """Sentences in small type below `y`, each on lines of its own, and their height."""
    lines = [line for told in sentences if told for line in wrapped(told, room, SMALL)]
    drawn = [text(x, y + LINE * (at + 0.75), line, "soft") for at, line in enumerate(lines)]
    return "".join(drawn), LINE * len(lines)
