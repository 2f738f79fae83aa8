"""Win rate or score by model size, a line for each stage of training, with intervals.

Called by the pages of a task and of human judgments; the form of Figure 1 of Ouyang et al. 2022
(InstructGPT, arXiv:2203.02155).

    Series("ppo", "PPO", (Sized("ppo-1b", 1_300_000_000, Dot(0.61, 0.58, 0.64)), ...))
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import WIDE, Chart, Dot, Href, Value, framed, notes, nothing
from bench.reporting.site.charts.labels import dodged
from bench.reporting.site.charts.marks import spot
from bench.reporting.site.charts.plane import FOOT, LEFT, TOP, Plane
from bench.reporting.site.charts.say import say, spoken
from bench.reporting.site.charts.scales import linear, logarithmic
from bench.reporting.site.charts.shapes import group, line, link, path, text
from bench.reporting.site.charts.stages import stage_class
from bench.reporting.site.charts.units import Unit, axis_name, unit_of
from bench.reporting.site.charts.words import (
    GREATEST,
    SMALL,
    brief,
    clean,
    compact,
    finite,
    fitted,
    several,
    short,
)

WIDEST, TALL, NAMES, EDGE = 640.0, 300.0, 96.0, 8.0
GAP, ASIDE = 14.0, 5.0  # pixels between names, and between marks at one size
COLUMNS = ("series", "stage", "model", "parameters", "metric", "estimate", "lo", "hi")


@dataclass(frozen=True, slots=True)
class Sized:
    """A model of so many parameters (None where nobody says) and its score."""

    name: str
    parameters: int | None
    dot: Dot


@dataclass(frozen=True, slots=True)
class Series:
    """Models of one stage; `name` stands at the end of their line."""

    stage: str
    name: str
    models: tuple[Sized, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A score to compare with, such as the win rate of `a coin`: a name that `say` knows."""

    score: float
    name: str


@dataclass(frozen=True, slots=True)
class _Point:
    """A model that can be drawn: `dot` is its score as shown, `told` that in words."""

    name: str
    parameters: float
    dot: Dot
    told: str


def sizes_chart(
    series: Sequence[Series],
    metric: Metric,
    uid: str,
    href: Href | None = None,
    width: float = WIDE,
    reference: Reference | None = None,
) -> Chart:
    """Scores of `metric` against parameters on a logarithmic axis; `href` gives a model's page."""
    title = say("{metric} by model size", metric=spoken(metric.name) or say("score"))
    unit = unit_of(metric)
    drawable = [(one, points) for one in series if (points := _points(one, unit))]
    if not drawable:
        why = say("No model of known size has a score.")
        return nothing(uid, title, why, COLUMNS, width)
    width = min(width, WIDEST)
    plane = _plane([point for _, points in drawable for point in points], unit, reference, width)
    names = dodged(
        [plane.y.at(points[-1].dot.estimate or 0.0) for _, points in drawable],
        GAP,
        plane.y.end,
        plane.y.start,
    )
    drawn = [plane.drawn(say("parameters"), axis_name(metric), compact, short)]
    drawn.append(_reference(reference, unit, plane))
    for place, ((one, points), at) in enumerate(zip(drawable, names, strict=True)):
        aside = ASIDE * (place - (len(drawable) - 1) / 2)
        drawn.append(_series(one, points, plane, max(-20.0, min(20.0, aside)), href))
        shown = fitted(spoken(one.name), NAMES - 14, SMALL)
        drawn.append(text(plane.x.end + 12, at + 4, shown, "name"))
    told, below = notes(_told(series, unit, reference), EDGE, TOP + TALL + FOOT, width - 2 * EDGE)
    caption = _caption(drawable, metric)
    return Chart(
        svg=framed(
            uid, title, caption, width, TOP + TALL + FOOT + below + 8, "".join(drawn) + told
        ),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_row(one, model, metric) for one in series for model in one.models),
    )


def _points(series: Series, unit: Unit) -> list[_Point]:
    """The models that can be drawn, smallest first, scores as they are shown."""
    found = [
        _Point(
            model.name, float(model.parameters), dot.each(lambda score: unit.scale * score), told
        )
        for model in series.models
        if model.parameters is not None
        and 0 < model.parameters < GREATEST
        and (dot := model.dot.known()).estimate is not None
        and (told := unit.number(dot.estimate))
    ]
    return sorted(found, key=lambda point: point.parameters)


def _plane(
    points: Sequence[_Point], unit: Unit, reference: Reference | None, width: float
) -> Plane:
    scores = [number for point in points for number in point.dot.numbers()]
    if reference and finite(reference.score) is not None:
        scores.append(unit.scale * reference.score)
    bounds = (unit.scale * unit.low, unit.scale * (unit.low + unit.span)) if unit.span else None
    return Plane(
        logarithmic([point.parameters for point in points], LEFT, width - NAMES),
        linear(scores, TOP + TALL, TOP, within=bounds),
    )


def _series(
    series: Series, points: Sequence[_Point], plane: Plane, aside: float, href: Href | None
) -> str:
    style = f"series {stage_class(series.stage)}"
    line_of = [plane.at(point.parameters, point.dot.estimate or 0.0) for point in points]
    drawn = [path(style, [(x + aside, y) for x, y in line_of])] if len(points) > 1 else []
    for point in points:
        tip = say(
            "{name}, {size} parameters: {told}",
            name=point.name,
            size=compact(point.parameters),
            told=point.told,
        )
        mark = group(spot(series.stage, Dot(point.parameters), point.dot, plane, aside), tip)
        drawn.append(link(href(point.name) if href else None, tip, mark))
    return "".join(drawn)


def _reference(reference: Reference | None, unit: Unit, plane: Plane) -> str:
    if reference is None or finite(reference.score) is None:
        return ""
    y = plane.y.at(unit.scale * reference.score)
    return line("reference", plane.x.start, y, plane.x.end, y)


def _told(series: Sequence[Series], unit: Unit, reference: Reference | None) -> list[str]:
    models = [model for one in series for model in one.models]
    unknown = [model.name for model in models if not 0 < (model.parameters or 0) < GREATEST]
    scoreless = [model.name for model in models if model.dot.known().estimate is None]
    told = [
        say("Bars: intervals."),
        say("Not drawn, size not known: {names}.", names=several(unknown)) if unknown else "",
        say("Not drawn, no score: {names}.", names=several(scoreless)) if scoreless else "",
    ]
    if reference and finite(reference.score) is not None:
        name, score = say(reference.name), unit.number(reference.score)
        told.append(say("Dashed: {name}, {score}.", name=clean(name), score=score))
    return told


def _caption(drawable: Sequence[tuple[Series, Sequence[_Point]]], metric: Metric) -> str:
    """`accuracy by size: SFT 41.0 at 1.3B to 60.2 at 175B; PPO ...`"""
    told = []
    for series, points in drawable:
        first, last = points[0], points[-1]
        ends = [
            say("{score} at {size}", score=point.told, size=compact(point.parameters))
            for point in (first, last)
        ]
        span = say("{one} to {other}", one=ends[0], other=ends[1])
        told.append(f"{brief(spoken(series.name))} {ends[0] if last is first else span}")
    return say("{axis} by size: {told}.", axis=clean(axis_name(metric)), told=say("; ").join(told))


def _row(series: Series, model: Sized, metric: Metric) -> tuple[Value, ...]:
    dot = model.dot
    return (
        *(series.name, series.stage, model.name, model.parameters, metric.name),
        *map(finite, (dot.estimate, dot.lo, dot.hi)),
    )
