"""Models as named marks on a plane, with a legend of their stages and sentences below.

Called by `length` and `pareto`, which draw between axes and marks what is theirs.

    Model("ppo-6b", "ppo", across=Dot(412.0, 390.1, 433.9), up=Dot(61.0, 52.0, 69.0), tip="...")
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.chart import Dot, Href, notes
from bench.reporting.site.charts.labels import Box, Name, along, around, named
from bench.reporting.site.charts.marks import spot
from bench.reporting.site.charts.plane import FOOT, LEFT, TOP, Plane, stage_legend
from bench.reporting.site.charts.say import say
from bench.reporting.site.charts.shapes import Point, group, link
from bench.reporting.site.charts.stages import in_order
from bench.reporting.site.charts.words import compact, several, short

WIDEST, TALL, RIGHT, EDGE, CLEAR = 720.0, 340.0, 16.0, 8.0, 6.0
Y_ENDS = TOP + TALL, TOP


@dataclass(frozen=True, slots=True)
class Model:
    """A model where both numbers are known; `tip` says them."""

    name: str
    stage: str
    across: Dot
    up: Dot
    tip: str
    first: bool = False  # whether its name is written before those of others

    def at(self, plane: Plane) -> Point:
        """Where its mark stands."""
        return plane.at(self.across.estimate or 0.0, self.up.estimate or 0.0)


def ends(width: float) -> tuple[float, float]:
    """The pixels between which the scale across runs."""
    return LEFT, width - RIGHT


def scatter(
    models: Sequence[Model],
    plane: Plane,
    axes: tuple[str, str],
    between: str,
    sentences: Sequence[str],
    href: Href | None,
    obstacles: Sequence[Box] = (),
) -> tuple[str, float]:
    """The drawing and its height; `axes` are the names of both, `between` lies below the marks and
    no name lies on one of `obstacles`."""
    width = plane.x.end + RIGHT
    places = [model.at(plane) for model in models]
    order = sorted(zip(models, places, strict=True), key=lambda pair: not pair[0].first)
    names, left_out = named(
        [Name(model.name, x, y) for model, (x, y) in order],
        [*obstacles, *(box for model in models for box in _boxes(model, plane))],
        (LEFT + 2, TOP - 8, width - 4, TOP + TALL - 2),
    )
    marks = [
        link(
            href(model.name) if href else None,
            model.tip,
            group(spot(model.stage, model.across, model.up, plane), model.tip),
        )
        for model in models
    ]
    foot = TOP + TALL + FOOT
    legend, tall = stage_legend(
        in_order([model.stage for model in models]), EDGE, foot, width - 2 * EDGE
    )
    unnamed = ""
    if left_out:
        unnamed = say("Without a name for want of room: {names}.", names=several(left_out))
    told, below = notes([*sentences, unnamed], EDGE, foot + tall, width - 2 * EDGE)
    drawn = [plane.drawn(*axes, compact, short), between, *marks, names, legend, told]
    return "".join(drawn), foot + tall + below + 8


def _boxes(model: Model, plane: Plane) -> list[Box]:
    """What a name must not cover of a model: its mark and its whiskers."""
    x, y = model.at(plane)
    boxes, across, up = [around(x, y, CLEAR)], model.across, model.up
    if across.lo is not None and across.hi is not None:
        boxes.append(along((plane.x.at(across.lo), y), (plane.x.at(across.hi), y)))
    if up.lo is not None and up.hi is not None:
        boxes.append(along((x, plane.y.at(up.lo)), (x, plane.y.at(up.hi))))
    return boxes
