"""Where names are written so that none covers another: beside a line's end, around a mark.

Called by the charts with points. What finds no room is left out, and the chart says so.

>>> dodged([10.0, 11.0, 50.0], gap=12.0, low=0.0, high=100.0)
[4.5, 16.5, 50.0]
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.shapes import Anchor, Point, text
from bench.reporting.site.charts.words import SMALL, fitted, width_of

Box = tuple[float, float, float, float]  # left, top, right, bottom
ROOM = 168.0  # pixels of the longest name
# Where a name may stand, from its mark: to the right and left, above and below, then further off.
SPOTS: tuple[tuple[float, float, Anchor], ...] = (
    *((9, 4, "start"), (-9, 4, "end"), (0, -9, "middle"), (0, 17, "middle")),
    *((8, -7, "start"), (8, 15, "start"), (-8, -7, "end"), (-8, 15, "end")),
    *((14, -16, "start"), (14, 24, "start"), (-14, -16, "end"), (-14, 24, "end")),
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name for the mark at a point."""

    words: str
    x: float
    y: float


def dodged(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions [n] near `places`, at least `gap` apart, in the same order, within `low` to `high`
    where (n - 1) * gap allows it."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    # Each block holds the first position, how many follow it, and what they would like on average.
    blocks: list[tuple[float, int]] = []
    for at in order:
        wish, size = places[at], 1
        while blocks and blocks[-1][0] + gap * blocks[-1][1] > wish:
            first, count = blocks.pop()
            wish, size = (
                (first * count + (wish - gap * count) * size) / (count + size),
                count + size,
            )
        blocks.append((wish, size))
    found = [first + gap * step for first, size in blocks for step in range(size)]
    for step in range(len(found)):
        found[step] = max(found[step], low + gap * step)
    for step in range(len(found)):
        found[-1 - step] = min(found[-1 - step], high - gap * step)
    placed = [0.0] * len(places)
    for at, position in zip(order, found, strict=True):
        placed[at] = position
    return placed


def named(names: Sequence[Name], taken: Sequence[Box], bounds: Box) -> tuple[str, list[str]]:
    """Names beside their marks, those given first served first; what found no room.

    `taken` are boxes that no name may touch, beside those of the other names.
    """
    boxes, drawn, left_out = list(taken), [], []
    room = min(ROOM, (bounds[2] - bounds[0]) / 3)
    for name in names:
        words = fitted(name.words, room, SMALL)
        for right, down, anchor in SPOTS:
            box = _box(name.x + right, name.y + down, words, anchor)
            if _inside(box, bounds) and not any(_touch(box, other) for other in boxes):
                boxes.append(box)
                drawn.append(text(name.x + right, name.y + down, words, "name halo", anchor))
                break
        else:
            left_out.append(name.words)
    return "".join(drawn), left_out


def around(x: float, y: float, radius: float) -> Box:
    """The box of a mark."""
    return x - radius, y - radius, x + radius, y + radius


def along(one: Point, other: Point) -> Box:
    """The box of a line that runs straight across or up."""
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return left - 1, top - 1, right + 1, bottom + 1


def _box(x: float, y: float, words: str, anchor: Anchor) -> Box:
    width = width_of(words, SMALL)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, y - SMALL, left + width, y + 3


def _inside(box: Box, bounds: Box) -> bool:
    left, top, right, bottom = box
    return left >= bounds[0] and top >= bounds[1] and right <= bounds[2] and bottom <= bounds[3]


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
