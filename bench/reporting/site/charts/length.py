"""Score against the length of the replies, with an arrow from each parent to its child.

Called by the pages of a task and of a lineage: whether a model got better or only longer.

    Lengthy("ppo-6b", "ppo", length=Dot(412.0, 390.1, 433.9), score=Dot(0.61, 0.52, 0.69), parent=0)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import WIDE, Chart, Dot, Href, Value, framed, nothing
from bench.reporting.site.charts.plane import Plane
from bench.reporting.site.charts.say import counted, say, spoken
from bench.reporting.site.charts.scales import linear
from bench.reporting.site.charts.scatter import WIDEST, Y_ENDS, Model, ends, scatter
from bench.reporting.site.charts.shapes import Point, line, path
from bench.reporting.site.charts.units import axis_name, unit_of
from bench.reporting.site.charts.words import clean, finite, plain, several

CLEAR, HEAD = 9.0, 6.0  # pixels between an arrow and the marks, and of its head
COLUMNS = (
    *("model", "stage", "parent", "characters", "characters_lo", "characters_hi"),
    *("metric", "estimate", "lo", "hi"),
)


@dataclass(frozen=True, slots=True)
class Lengthy:
    """A model: mean characters of its replies, its score, the position of its parent among the
    models (None where there is none)."""

    name: str
    stage: str
    length: Dot
    score: Dot
    parent: int | None = None


def length_chart(
    lengthy: Sequence[Lengthy],
    metric: Metric,
    uid: str,
    href: Href | None = None,
    width: float = WIDE,
) -> Chart:
    """Scores of `metric` against mean characters; `href` gives a model's page."""
    title = say("{metric} by length of replies", metric=spoken(metric.name) or say("score"))
    models = {at: model for at, one in enumerate(lengthy) if (model := _model(one, metric))}
    if not models:
        why = say("No model has both a score and replies of known length.")
        return nothing(uid, title, why, COLUMNS, width)
    width = min(width, WIDEST)
    plane = Plane(
        linear([end for model in models.values() for end in model.across.numbers()], *ends(width)),
        linear([end for model in models.values() for end in model.up.numbers()], *Y_ENDS),
    )
    steps = [
        (models[one.parent], models[at])
        for at, one in enumerate(lengthy)
        if at in models and one.parent is not None and one.parent in models
    ]
    arrows = "".join(arrow(parent.at(plane), child.at(plane)) for parent, child in steps)
    missing = [one.name for at, one in enumerate(lengthy) if at not in models]
    drawn, height = scatter(
        list(models.values()),
        plane,
        (say("mean characters of a reply"), axis_name(metric)),
        arrows,
        [
            say("Arrows: from a parent to its child. Bars: intervals."),
            say("Not drawn, no score or no length: {names}.", names=several(missing))
            if missing
            else "",
        ],
        href,
    )
    caption = _caption(steps, len(models), metric)
    return Chart(
        svg=framed(uid, title, caption, width, height, drawn),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_row(one, lengthy, metric) for one in lengthy),
    )


def arrow(start: Point, end: Point) -> str:
    """A line with a head between two marks; nothing where they lie too close for one."""
    across, down = end[0] - start[0], end[1] - start[1]
    distance = hypot(across, down)
    if distance < 2 * CLEAR + HEAD:
        return ""
    along = across / distance, down / distance
    tail = start[0] + CLEAR * along[0], start[1] + CLEAR * along[1]
    tip = end[0] - CLEAR * along[0], end[1] - CLEAR * along[1]
    neck = tip[0] - HEAD * along[0], tip[1] - HEAD * along[1]
    sides = [
        (neck[0] - side * along[1], neck[1] + side * along[0]) for side in (HEAD / 2, -HEAD / 2)
    ]
    return line("arrow", *tail, *neck) + path("arrow-head", [tip, *sides], closed=True)


def _model(one: Lengthy, metric: Metric) -> Model | None:
    unit = unit_of(metric)
    length, score = one.length.known(), one.score.known()
    if length.estimate is None or score.estimate is None:
        return None
    told = say(
        "{length} characters, {metric} {score}",
        length=plain(length.estimate, 0),
        metric=spoken(metric.name),
        score=unit.number(score.estimate),
    )
    up = score.each(lambda number: unit.scale * number)
    tip = say("{name}: {told}", name=one.name, told=told)
    return Model(one.name, one.stage, length, up, tip)


def _caption(steps: Sequence[tuple[Model, Model]], models: int, metric: Metric) -> str:
    """`accuracy by length of replies, 4 models: of 3 steps ... 2 made replies longer ...`"""
    subject, count = spoken(metric.name) or say("score"), counted(models, "model")
    if not steps:
        return clean(say("{metric} by length of replies, {models}.", metric=subject, models=count))
    sign = -1 if metric.lower_is_better else 1
    longer = [
        (parent, child)
        for parent, child in steps
        if (child.across.estimate or 0) > (parent.across.estimate or 0)
    ]
    better = sum(
        sign * (child.up.estimate or 0) > sign * (parent.up.estimate or 0)
        for parent, child in longer
    )
    return clean(
        say(
            "{metric} by length of replies, {models}: of {steps} from parent to child {longer} "
            "made replies longer, {better} of these with a better score.",
            metric=subject,
            models=count,
            steps=counted(len(steps), "step"),
            longer=len(longer),
            better=better,
        )
    )


def _row(one: Lengthy, lengthy: Sequence[Lengthy], metric: Metric) -> tuple[Value, ...]:
    known = one.parent is not None and 0 <= one.parent < len(lengthy)
    parent = lengthy[one.parent].name if known and one.parent is not None else None
    length, score = one.length, one.score
    return (
        *(one.name, one.stage, parent, *map(finite, (length.estimate, length.lo, length.hi))),
        *(metric.name, *map(finite, (score.estimate, score.lo, score.hi))),
    )
