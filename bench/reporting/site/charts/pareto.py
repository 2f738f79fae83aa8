"""Score against what a model costs, with the Pareto front and what may lie on it.

Called by the overview. A model is on the front where no other has a better score at no greater
cost; it may be on it where intervals leave that open: no other is better on both counts at the
near ends of its intervals than this one at the far ends.

    Costly("ppo-6b", "ppo", cost=Dot(6e9), score=Dot(0.42, 0.37, 0.48))
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from bench.reporting.site.charts.chart import WIDE, Chart, Dot, Href, Value, framed, nothing
from bench.reporting.site.charts.labels import along
from bench.reporting.site.charts.plane import Plane, box
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.scales import linear, logarithmic
from bench.reporting.site.charts.scatter import WIDEST, Y_ENDS, Model, ends, scatter
from bench.reporting.site.charts.shapes import Point, circle, path
from bench.reporting.site.charts.stages import stage_class
from bench.reporting.site.charts.units import POINTS
from bench.reporting.site.charts.words import clean, compact, finite, plain, several

Standing = Literal["on the front", "may be on it", "behind it"]
LEAST = 1e-100  # of a cost: its logarithm is drawn


@dataclass(frozen=True, slots=True)
class Costly:
    """A model: what it costs, exact where `cost` has no bounds, and its chance-normalised score."""

    name: str
    stage: str
    cost: Dot
    score: Dot


@dataclass(frozen=True, slots=True)
class Cost:
    """What is on the axis across: "parameters" where less is better, "tokens per second" where
    more is."""

    name: str
    less_is_better: bool = True


def pareto_chart(
    costly: Sequence[Costly],
    cost: Cost,
    uid: str,
    href: Href | None = None,
    width: float = WIDE,
) -> Chart:
    """Scores against `cost` on a logarithmic axis; `href` gives a model's page."""
    named = say(cost.name)
    title = say("Score against {cost}", cost=named)
    columns = (
        *("model", "stage", cost.name, f"{cost.name} lo", f"{cost.name} hi"),
        *("score", "lo", "hi", "standing"),
    )
    models = {at: model for at, one in enumerate(costly) if (model := _model(one, cost))}
    if not models:
        why = say("No model has both a score and {cost}.", cost=named)
        return nothing(uid, title, why, columns, width)
    width = min(width, WIDEST)
    shown = list(models.values())
    plane = Plane(
        logarithmic([end for model in shown for end in model.across.numbers()], *ends(width)),
        linear([end for model in shown for end in model.up.numbers()], *Y_ENDS),
    )
    standings = dict(zip(models, _standings(shown, cost), strict=True))
    stairs = _stairs(shown, list(standings.values()), plane, cost)
    missing = [one.name for at, one in enumerate(costly) if at not in models]
    drawn, height = scatter(
        [replace(model, first=standings[at] == "on the front") for at, model in models.items()],
        plane,
        (_axis_of(cost), say("score, points between guessing and perfect")),
        _between(shown, list(standings.values()), plane, stairs),
        [
            say(
                "Line and ring: the Pareto front. Dashed ring: may be on it, as far as the "
                "intervals tell. Bars and boxes: intervals."
            ),
            say("Not drawn, no score or no {cost}: {names}.", cost=named, names=several(missing))
            if missing
            else "",
        ],
        href,
        [along(one, other) for one, other in pairwise(stairs)],
    )
    caption = _caption(shown, list(standings.values()), cost)
    return Chart(
        svg=framed(uid, title, caption, width, height, drawn),
        caption=caption,
        columns=columns,
        rows=tuple(_row(one, standings.get(at)) for at, one in enumerate(costly)),
    )


def _axis_of(cost: Cost) -> str:
    pattern = "{cost}, less is better" if cost.less_is_better else "{cost}, more is better"
    return say(pattern, cost=say(cost.name))


def _standings(models: Sequence[Model], cost: Cost) -> list[Standing]:
    """Where each of `models` stands to the front."""
    boxes = [_goodness(model, cost) for model in models]
    return [
        "on the front"
        if not any(_beats(other.middle, mine.middle) for other in boxes)
        else "may be on it"
        if not any(_beats(other.worst, mine.best) for other in boxes)
        else "behind it"
        for mine in boxes
    ]


@dataclass(frozen=True, slots=True)
class _Goodness:
    """Cheapness and score of a model, more is better: at its estimates and interval ends."""

    worst: Point
    middle: Point
    best: Point


def _goodness(model: Model, cost: Cost) -> _Goodness:
    sign = -1.0 if cost.less_is_better else 1.0
    cheap, score = model.across.each(lambda number: sign * number), model.up
    corners = [(number, up) for number, up in zip(_ends_of(cheap), _ends_of(score), strict=True)]
    return _Goodness(*corners)


def _ends_of(dot: Dot) -> tuple[float, float, float]:
    """Low end, estimate, high end; all the estimate where there is no interval."""
    middle = dot.estimate or 0.0
    if dot.lo is None or dot.hi is None:
        return middle, middle, middle
    return dot.lo, middle, dot.hi


def _beats(one: Point, other: Point) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one != other


def _stairs(
    models: Sequence[Model], standings: Sequence[Standing], plane: Plane, cost: Cost
) -> list[Point]:
    """The front from the cheapest on: a score holds until the next that is better is paid for."""
    front = [
        model.at(plane)
        for model, standing in zip(models, standings, strict=True)
        if standing == "on the front"
    ]
    front.sort(reverse=not cost.less_is_better)
    stairs: list[Point] = []
    for x, y in front:
        stairs += [(x, stairs[-1][1]), (x, y)] if stairs else [(x, y)]
    dear = plane.x.end if cost.less_is_better else plane.x.start
    return [*stairs, (dear, stairs[-1][1])]


def _between(
    models: Sequence[Model], standings: Sequence[Standing], plane: Plane, stairs: Sequence[Point]
) -> str:
    """Boxes of the intervals, the front, rings around what is on it."""
    rings = [
        circle("ring" if standing == "on the front" else "ring-open", *model.at(plane), 9)
        for model, standing in zip(models, standings, strict=True)
        if standing != "behind it"
    ]
    boxes = [_box(model, plane) for model in models]
    return "".join([*boxes, path("front", stairs), *rings])


def _box(model: Model, plane: Plane) -> str:
    (left, _, right), (low, _, high) = _ends_of(model.across), _ends_of(model.up)
    if left == right or low == high:
        return ""
    return box(f"area {stage_class(model.stage)}", plane.at(left, low), plane.at(right, high))


def _model(one: Costly, cost: Cost) -> Model | None:
    price, score = one.cost.known(), one.score.known()
    middle = price.estimate
    if middle is None or middle < LEAST or score.estimate is None:
        return None
    if price.lo is not None and price.lo < LEAST:
        price = Dot(middle)
    told = say(
        "{amount} {cost}, score {score}",
        amount=compact(middle),
        cost=say(cost.name),
        score=plain(POINTS * score.estimate),
    )
    tip = say("{name}: {told}", name=one.name, told=told)
    return Model(one.name, one.stage, price, score.each(lambda share: POINTS * share), tip)


def _caption(models: Sequence[Model], standings: Sequence[Standing], cost: Cost) -> str:
    named = list(zip(models, standings, strict=True))
    front = [model.name for model, standing in named if standing == "on the front"]
    may_be = [model.name for model, standing in named if standing == "may be on it"]
    pattern = (
        "Score against {cost}, {models}: {front} on the Pareto front; {may_be} may be, as far as "
        "the intervals tell."
        if may_be
        else "Score against {cost}, {models}: {front} on the Pareto front."
    )
    return clean(
        say(
            pattern,
            cost=say(cost.name),
            models=counted(len(models), "model"),
            front=several(front),
            may_be=several(may_be),
        )
    )


def _row(one: Costly, standing: Standing | None) -> tuple[Value, ...]:
    cost, score = one.cost, one.score
    return (
        *(one.name, one.stage, *map(finite, (cost.estimate, cost.lo, cost.hi))),
        *(*map(finite, (score.estimate, score.lo, score.hi)), standing),
    )
