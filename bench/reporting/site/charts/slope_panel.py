"""One panel of a slope chart: the lines of all tasks between the stages of one lineage.

Called by `slope`, which sets panels side by side.

    Line("topic", "classification", Metric("accuracy"), (Dot(0.5), Dot(0.3)), (None, "tax"))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.reporting.comparison.values import Tax
from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import Dot, Href
from bench.reporting.site.charts.labels import dodged
from bench.reporting.site.charts.plane import Plane
from bench.reporting.site.charts.say import say
from bench.reporting.site.charts.shapes import group, line, link, path, text
from bench.reporting.site.charts.stages import mark, stage_word
from bench.reporting.site.charts.units import unit_of
from bench.reporting.site.charts.words import BOLD, SIZE, SMALL, fitted, short

LEFT, EDGE = 40.0, 8.0  # pixels across, before the plot and of a margin
GAP = 13.0  # pixels from one name to the next
MANY = 10  # lines; of more only those of a tax have their interval, and the others are faint
STEPS: Mapping[Tax | None, str] = {"tax": "step step-tax", "undetermined": "step step-open"}


@dataclass(frozen=True, slots=True)
class Stop:
    """A model on the way."""

    name: str
    stage: str


@dataclass(frozen=True, slots=True)
class Line:
    """A task: its score at each stop, and for each stop the tax of the step into it (None for the
    first, and where the step was not compared)."""

    task: str
    kind: str
    metric: Metric
    dots: tuple[Dot, ...]
    taxes: tuple[Tax | None, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One lineage; every line has a dot for each of `stops`."""

    title: str
    stops: tuple[Stop, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """A line with its dots in points of the metric's range, up is better."""

    line: Line
    dots: tuple[Dot, ...]

    @property
    def taxed(self) -> bool:
        """Whether the last step is a tax."""
        return self.line.taxes[-1] == "tax"

    @property
    def last(self) -> float:
        """Where the line ends; only for lines that have a score at the last stop."""
        return self.dots[-1].estimate or 0.0

    @property
    def fall(self) -> float:
        """By how much the last step changed."""
        before = self.dots[-2].estimate if len(self.dots) > 1 else None
        return 0.0 if before is None else abs(self.last - before)


def tracks_of(panel: Panel) -> list[Track]:
    """The lines that have a score anywhere, those with a tax last, so that they lie on top; none
    where there is no step."""
    if len(panel.stops) < 2:
        return []
    tracks = [
        Track(one, tuple(unit_of(one.metric).share(dot.known()) for dot in one.dots))
        for one in panel.lines
    ]
    drawable = [track for track in tracks if any(dot.numbers() for dot in track.dots)]
    return sorted(drawable, key=lambda track: ("tax" in track.line.taxes, track.taxed))


def draw(
    panel: Panel, tracks: Sequence[Track], plane: Plane, room: float, href: Href | None
) -> tuple[str, int]:
    """A panel, and how many of its lines have no name for want of height; `room` are the pixels
    behind the plot for names."""
    ending = [track for track in tracks if track.dots[-1].estimate is not None]
    most = 1 + int((plane.y.start - plane.y.end) // GAP)
    named = sorted(ending, key=lambda track: (not track.taxed, -track.fall))[:most]
    written = _names(named, plane, room)
    names = dict(zip((track.line.task for track in named), written, strict=True))
    many = len(tracks) > MANY
    drawn = [_axes(panel, plane)]
    for track in tracks:
        tip = _tip(track, panel)
        lines = _steps(track, plane, many) + _marks(track, panel, plane)
        whole = group(lines + names.get(track.line.task, ""), tip)
        drawn.append(link(href(track.line.task) if href else None, tip, whole))
    return "".join(drawn), len(ending) - len(named)


def _axes(panel: Panel, plane: Plane) -> str:
    left, right, top, bottom = plane.x.start, plane.x.end, plane.y.end, plane.y.start
    room = (right - left) / max(1, len(panel.stops) - 1)
    drawn = [
        text(
            left - LEFT + EDGE,
            top - 12,
            fitted(panel.title, right - left + LEFT, SIZE * BOLD),
            "head",
        )
    ]
    for tick in plane.y.ticks:
        drawn.append(line("grid", left, plane.y.at(tick), right, plane.y.at(tick)))
        drawn.append(
            text(
                left - 8, plane.y.at(tick) + 4, fitted(short(tick), LEFT - 8, SMALL), "soft", "end"
            )
        )
    for place, stop in enumerate(panel.stops):
        x, word = plane.x.at(place), fitted(stage_word(stop.stage), room, SMALL)
        stage = mark(stop.stage, x, bottom + 13, 4.5)
        named = text(x, bottom + 32, word, "small", "middle")
        drawn.append(line("grid", x, top, x, bottom) + group(stage + named, stop.name))
    return "".join(drawn)


def _steps(track: Track, plane: Plane, many: bool) -> str:
    drawn = []
    for step, tax in enumerate(track.line.taxes[1:], start=1):
        before, after = track.dots[step - 1], track.dots[step]
        if before.estimate is None or after.estimate is None:
            continue
        if not many or tax == "tax":
            drawn.append(_ribbon(before, after, step, plane, tax))
        ends = [plane.at(step - 1, before.estimate), plane.at(step, after.estimate)]
        faint = " step-faint" if many and tax != "tax" else ""
        drawn.append(path(STEPS.get(tax, "step") + faint, ends))
    return "".join(drawn)


def _ribbon(before: Dot, after: Dot, step: int, plane: Plane, tax: Tax | None) -> str:
    if before.lo is None or before.hi is None or after.lo is None or after.hi is None:
        return ""
    start = plane.at(step - 1, before.lo), plane.at(step - 1, before.hi)
    end = plane.at(step, after.hi), plane.at(step, after.lo)
    return path("ribbon ribbon-tax" if tax == "tax" else "ribbon", [*start, *end], closed=True)


def _marks(track: Track, panel: Panel, plane: Plane) -> str:
    return "".join(
        mark(stop.stage, *plane.at(place, dot.estimate), 3.5)
        for place, (stop, dot) in enumerate(zip(panel.stops, track.dots, strict=True))
        if dot.estimate is not None
    )


def _names(tracks: Sequence[Track], plane: Plane, room: float) -> list[str]:
    """The name of each line behind its end, with a thread to it where it had to give way."""
    right, ends = plane.x.end, [plane.y.at(track.last) for track in tracks]
    places = dodged(ends, GAP, plane.y.end, plane.y.start)
    drawn = []
    for track, end, place in zip(tracks, ends, places, strict=True):
        size, sign = (SMALL * BOLD, 36) if track.taxed else (SMALL, 22)
        words = fitted(track.line.task, room - sign, size)
        style = "name word verdict-worse" if track.taxed else "name"
        told = f"\u25bc {words}" if track.taxed else words
        drawn.append(
            line("thread", right + 6, end, right + 15, place)
            + text(right + 18, place + 4, told, style)
        )
    return drawn


def _tip(track: Track, panel: Panel) -> str:
    """`topic: SFT 61.3, PPO no score; tax in the last step`."""
    unit, scores = unit_of(track.line.metric), []
    for stop, dot in zip(panel.stops, track.line.dots, strict=True):
        known = dot.known().estimate
        score = say("no score") if known is None else unit.number(known)
        scores.append(f"{stage_word(stop.stage)} {score}")
    told = say(", ").join(scores)
    if track.taxed:
        told = say("{scores}; tax in the last step", scores=told)
    return say("{name}: {told}", name=track.line.task, told=told)
