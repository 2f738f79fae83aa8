"""Differences drawn one below the other around 0, each with its interval and its numbers beside it.

Called by `forest` and `variants`. Right is better, whatever the metric.

    topic       ----o---|     −20.0 [−35.4, −3.1]   120   ▼ worse   0.031
    accuracy                  ! prompt-fragile
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.chart import NARROW
from bench.reporting.site.charts.differences import Difference
from bench.reporting.site.charts.say import say
from bench.reporting.site.charts.scales import Scale, linear
from bench.reporting.site.charts.shapes import (
    Anchor,
    circle,
    group,
    line,
    link,
    path,
    rect,
    text,
)
from bench.reporting.site.charts.verdicts import said, verdict_class
from bench.reporting.site.charts.words import BOLD, SIZE, SMALL, fitted, short, width_of
from bench.reporting.site.digits import percent

HEAD, FOOT, EDGE = 44.0, 22.0, 8.0
LABEL, GUTTER = 206.0, 418.0  # pixels left and right of the plot of a wide chart
NUMBERS, COUNTED, VERDICT = 14.0, 214.0, 230.0  # columns of the gutter, from the plot's end


@dataclass(frozen=True, slots=True)
class Frame:
    """Where rows are drawn: the plot's scale and the width of everything. A `narrow` one has the
    texts above and below the plot of each row, not beside it."""

    scale: Scale
    width: float
    narrow: bool

    @property
    def pitch(self) -> float:
        """Pixels from one row to the next."""
        return 82.0 if self.narrow else 36.0


def frame_of(rows: Sequence[Difference], width: float) -> Frame:
    """The frame whose axis holds all `rows` and 0."""
    ends = [end for row in rows for end in (*row.dot.numbers(), row.rope, -row.rope)]
    if width < 2 * NARROW:
        return Frame(linear([0.0, *ends], 2 * EDGE, width - 2 * EDGE, most=5), width, True)
    return Frame(linear([0.0, *ends], LABEL, width - GUTTER), width, False)


def axis(frame: Frame, top: float, bottom: float, level: float, what: str) -> str:
    """Ticks above and below, which side is better, the heads of the columns; rows are of `what`."""
    scale, heads = frame.scale, top - 24
    drawn = [] if frame.narrow else [_grid(scale, top, bottom)]
    room = 2 * min(scale.start, (scale.end - scale.start) / (2 * len(scale.ticks)))
    ticks = [at for at in scale.ticks if width_of(_tick(at), SMALL) <= room]
    for y in (top - 5, bottom + 14):
        drawn += [text(scale.at(at), y, _tick(at), "soft", "middle") for at in ticks]
    drawn += [
        text(scale.start, heads, say("\u25c0 worse"), "soft"),
        text(scale.end, heads, say("better \u25b6"), "soft", "end"),
    ]
    if not frame.narrow:
        right = scale.end
        drawn += [
            text(EDGE, heads, what, "soft"),
            text(
                right + NUMBERS,
                heads,
                say("points [{level} interval]", level=percent(level)),
                "soft",
            ),
            text(right + COUNTED, heads, "n", "soft", "end"),
            text(right + VERDICT, heads, say("verdict"), "soft"),
            text(frame.width - EDGE, heads, say("Holm p"), "soft", "end"),
        ]
    return "".join(drawn)


def draw(row: Difference, y: float, frame: Frame) -> str:
    """A row whose upper edge is at `y`, as a link where it has an address."""
    told = say("{name}: {told}", name=row.name, told=row.numbers or row.absent)
    if row.verdict and row.numbers:
        told = say("{told}, {verdict}", told=told, verdict=say(row.verdict))
    tip = say("{told}. {why}", told=told, why=row.why) if row.why and row.numbers else told
    back = rect("hit", 0, y, frame.width, frame.pitch)
    drawn = (_narrow if frame.narrow else _wide)(row, y, frame)
    return link(row.href, told, group(back + drawn, tip))


def _wide(row: Difference, y: float, frame: Frame) -> str:
    left, right, first, second = frame.scale.start, frame.scale.end, y + 15, y + 30
    room, gap = LABEL - 2 * EDGE, COUNTED - NUMBERS - width_of(row.counted) - EDGE
    return "".join(
        [
            text(EDGE, first, fitted(row.name, room), _name_style(row)),
            text(EDGE, second, fitted(row.under, room, SMALL), "soft"),
            _plot(row, y + 3, 30, frame.scale),
            text(left + EDGE, y + 22, fitted(row.absent, right - left - EDGE, SMALL), "soft halo"),
            text(right + NUMBERS, first, fitted(row.numbers, gap)),
            _badge(row.badge, right + NUMBERS, second),
            text(right + COUNTED, first, row.counted, "", "end"),
            text(right + COUNTED, second, row.clusters, "soft", "end"),
            _verdict(row, right + VERDICT, first, "start"),
            text(
                right + VERDICT, second, fitted(row.extra, GUTTER - VERDICT - EDGE, SMALL), "soft"
            ),
            text(frame.width - EDGE, first, row.p, "", "end"),
        ]
    )


def _narrow(row: Difference, y: float, frame: Frame) -> str:
    end, room = frame.width - EDGE, frame.width - 2 * EDGE
    facts = fitted(_facts(row), room * 0.6, SMALL)
    taken = width_of(said(row.verdict), SIZE * BOLD) + EDGE if row.verdict else 0
    badge = width_of(row.badge, SMALL) + EDGE if row.badge else 0
    numbers = fitted(row.numbers or row.absent, room - width_of(facts, SMALL) - EDGE, SMALL)
    return "".join(
        [
            text(EDGE, y + 15, fitted(row.name, room - taken), _name_style(row)),
            _verdict(row, end, y + 15, "end"),
            text(EDGE, y + 30, fitted(row.under, room - badge - EDGE, SMALL), "soft"),
            _badge(row.badge, end - badge + EDGE, y + 30),
            _grid(frame.scale, y + 36, y + 56),
            _plot(row, y + 36, 20, frame.scale),
            _not_drawn(row, y + 50, frame.scale),
            text(EDGE, y + 70, numbers, "small" if row.numbers else "soft"),
            text(end, y + 70, facts, "soft", "end"),
        ]
    )


def _not_drawn(row: Difference, y: float, scale: Scale) -> str:
    return text(scale.start + 6, y, row.absent, "soft halo") if row.numbers and row.absent else ""


def _facts(row: Difference) -> str:
    facts = (
        f"n {row.counted}" if row.verdict else row.counted,
        say("Holm p {p}", p=row.p) if row.p else "",
        row.extra,
    )
    return say(", ").join(fact for fact in facts if fact)


def _plot(row: Difference, top: float, height: float, scale: Scale) -> str:
    """The band in which nobody cares, the interval, the dot."""
    middle, dot, colour = top + height / 2, row.dot, _colour(row)
    drawn = _rope(row.rope, top, height, scale) if row.rope and not row.absent else ""
    if dot.estimate is None:
        return drawn
    at = scale.at(dot.estimate)
    if dot.lo is None or dot.hi is None:
        return drawn + circle(f"dot{colour}", at, middle, 4.5)
    lo, hi = scale.at(dot.lo), scale.at(dot.hi)
    if row.shape == "dot":
        whisker = line(f"interval{colour}", lo, middle, hi, middle)
        return drawn + whisker + circle(f"dot{colour}", at, middle, 4.5)
    corners = [(lo, middle), (at, middle - 7), (hi, middle), (at, middle + 7)]
    return drawn + path("diamond" if row.shape == "diamond" else "diamond-open", corners, True)


def _grid(scale: Scale, top: float, bottom: float) -> str:
    return "".join(
        line("grid" if tick else "zero", scale.at(tick), top, scale.at(tick), bottom)
        for tick in scale.ticks
    )


def _rope(rope: float, top: float, height: float, scale: Scale) -> str:
    left, right = scale.at(-rope), scale.at(rope)
    edges = "".join(line("rope-edge", x, top, x, top + height) for x in (left, right))
    return rect("rope", left, top, right - left, height) + edges


def _verdict(row: Difference, x: float, y: float, anchor: Anchor) -> str:
    return text(x, y, said(row.verdict), f"word{_colour(row)}", anchor) if row.verdict else ""


def _badge(badge: str, x: float, y: float) -> str:
    if not badge:
        return ""
    width = width_of(badge, SMALL)
    box = rect("badge", x, y - 11, width, 15)
    return box + text(x + width / 2, y, badge, "badge-text", "middle")


def _colour(row: Difference) -> str:
    return f" {verdict_class(row.verdict)}" if row.verdict else ""


def _name_style(row: Difference) -> str:
    return "" if row.shape == "dot" else "strong"


def _tick(value: float) -> str:
    return short(value) if value <= 0 else f"+{short(value)}"
