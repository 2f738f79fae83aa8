"""The flip matrix: a cell for each item, by what became of it from parent to child.

Called by the pages of a task and of a comparison. Of scores that are all 0 or 1 (the ends of the
metric) an item was fixed, broken, or stayed right or wrong; of graded scores it got better or worse
by more than the metric's rope, or stayed the same.

    Flips("ppo-6b", "sft-6b", Metric("accuracy"), (Flip("item-1", child=1.0, parent=0.0), ...))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import (
    WIDE,
    Chart,
    Href,
    Value,
    framed,
    notes,
    nothing,
)
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.shapes import Point, group, line, link, path, rect, text
from bench.reporting.site.charts.units import unit_of
from bench.reporting.site.charts.words import brief, clean, finite, fitted, width_of

EDGE = 8.0
PITCH, SMALL_PITCH = 24.0, 16.0  # pixels a cell: with links, which fingers must hit, and without
MOST = 400  # cells; of more items each cell stands for several
LEGEND = 20.0
COLUMNS = ("item", "child", "parent", "became")
NOT_COMPARABLE = "not comparable"
# In the order of the cells; the words of graded scores stand beside those of right and wrong.
FATES: tuple[str, ...] = (
    *("fixed", "better", "broken", "worse", "same right", "same wrong", "same", NOT_COMPARABLE),
)
CLASSES: Mapping[str, str] = {
    "fixed": "cell-better",
    "better": "cell-better",
    "broken": "cell-worse",
    "worse": "cell-worse",
    "same right": "cell-right",
    "same wrong": "cell-wrong",
    "same": "cell-same",
    NOT_COMPARABLE: "cell-none",
}


@dataclass(frozen=True, slots=True)
class Flip:
    """An item with its scores, None where a model has none."""

    item: str
    child: float | None
    parent: float | None


@dataclass(frozen=True, slots=True)
class Flips:
    """The items of one task that two models were asked."""

    child: str
    parent: str
    metric: Metric
    items: tuple[Flip, ...]


def flips_chart(
    flips: Flips, uid: str, href: Href | None = None, width: float = WIDE, most: int = MOST
) -> Chart:
    """Items by what became of them; `href` gives an item's page. Of more than `most` items each
    cell stands for several, and is no link."""
    title = say(
        "Items from {parent} to {child}", parent=brief(flips.parent), child=brief(flips.child)
    )
    if not flips.items:
        return nothing(uid, title, say("There are no items."), COLUMNS, width)
    fates = fates_of(flips)
    groups = {
        fate: [flip for flip, own in zip(flips.items, fates, strict=True) if own == fate]
        for fate in FATES
    }
    groups = {fate: found for fate, found in groups.items() if found}
    share = ceil(len(flips.items) / most)
    pitch = PITCH if href and share == 1 else SMALL_PITCH
    across = max(1, int((width - 2 * EDGE) // pitch))
    legend, y = _legend({fate: len(found) for fate, found in groups.items()}, width)
    drawn, place = [legend], 0
    for fate, found in groups.items():
        for start in range(0, len(found), share):
            x, top = EDGE + pitch * (place % across), y + pitch * (place // across)
            drawn.append(_cell(fate, found[start : start + share], x, top, pitch, flips, href))
            place += 1
    foot = y + pitch * ceil(place / across)
    told, below = notes(_told(flips.metric, fates, share), EDGE, foot + 4, width - 2 * EDGE)
    caption = _caption(flips, {fate: len(found) for fate, found in groups.items()})
    return Chart(
        svg=framed(uid, title, caption, width, foot + below + 12, "".join(drawn) + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_row(flip, fate) for flip, fate in zip(flips.items, fates, strict=True)),
    )


def fates_of(flips: Flips) -> list[str]:
    """What became of each item, a word of `FATES`."""
    metric, ends = flips.metric, (flips.metric.low, flips.metric.high)
    pairs = [(finite(flip.child), finite(flip.parent)) for flip in flips.items]
    scores = [score for pair in pairs for score in pair if score is not None]
    graded = any(score not in ends for score in scores)
    return [_fate(child, parent, metric, graded) for child, parent in pairs]


def _fate(child: float | None, parent: float | None, metric: Metric, graded: bool) -> str:
    if child is None or parent is None:
        return NOT_COMPARABLE
    gain = unit_of(metric).sign * (child - parent)
    if graded:
        return "better" if gain > metric.rope else "worse" if gain < -metric.rope else "same"
    if gain:
        return "fixed" if gain > 0 else "broken"
    right = metric.low if metric.lower_is_better else metric.high
    return "same right" if child == right else "same wrong"


def _cell(
    fate: str,
    flips: Sequence[Flip],
    x: float,
    y: float,
    pitch: float,
    told: Flips,
    href: Href | None,
) -> str:
    """One cell: its box and its sign, with the item's page behind it where it is one item."""
    first, alone = flips[0], len(flips) == 1
    if alone:
        scores = [_score(told, score) for score in (first.parent, first.child)]
        became = say("{one} to {other}", one=scores[0], other=scores[1])
        tip = say("{name}: {told}", name=first.item, told=say(", ").join([say(fate), became]))
    else:
        tip = say("{name}: {told}", name=counted(len(flips), "item"), told=say(fate))
    hit = rect("hit", x, y, pitch, pitch) if pitch == PITCH else ""
    drawn = group(hit + swatch(fate, x + pitch / 2, y + pitch / 2, pitch - 3), tip)
    return link(href(first.item) if href and pitch == PITCH else None, tip, drawn)


def swatch(fate: str, x: float, y: float, size: float) -> str:
    """The box of a fate around a point: up, down, filled, hollow, crossed out."""
    half, tall = size / 2, size / 4
    drawn = rect(CLASSES[fate], x - half, y - half, size, size)
    signs: Mapping[str, list[Point]] = {
        "cell-better": [(x, y - tall), (x + tall, y + tall * 0.75), (x - tall, y + tall * 0.75)],
        "cell-worse": [(x, y + tall), (x + tall, y - tall * 0.75), (x - tall, y - tall * 0.75)],
    }
    style = CLASSES[fate]
    if style in signs:
        drawn += path("sign", signs[style], closed=True)
    if style == "cell-same":
        drawn += line("sign-line", x - tall, y, x + tall, y)
    if style == "cell-none":
        drawn += line("strike", x - half, y + half, x + half, y - half)
    return drawn


def _legend(counts: Mapping[str, int], width: float) -> tuple[str, float]:
    """A swatch, word and count of each fate, and the height of it all."""
    total, drawn, x, y = sum(counts.values()), [], EDGE, EDGE
    for fate, number in counts.items():
        words = fitted(f"{say(fate)} {number} ({number / total:.0%})", width - 2 * EDGE - 22)
        room = 22 + width_of(words)
        if x > EDGE and x + room > width - EDGE:
            x, y = EDGE, y + LEGEND
        drawn.append(swatch(fate, x + 7, y + 7, 13) + text(x + 19, y + 11, words))
        x += room + 8
    return "".join(drawn), y + LEGEND + 4


def _told(metric: Metric, fates: Sequence[str], share: int) -> list[str]:
    graded = any(fate in ("better", "worse", "same") for fate in fates)
    return [
        say(
            "Graded scores of {metric}: same is a difference of at most {rope}.",
            metric=metric.name,
            rope=unit_of(metric).number(metric.rope),
        )
        if graded
        else "",
        say("Each cell is {n} items; the last of a kind may be fewer.", n=share)
        if share > 1
        else "",
        say("Not comparable: one of the two has no score.") if NOT_COMPARABLE in fates else "",
    ]


def _caption(flips: Flips, counts: Mapping[str, int]) -> str:
    told = [say("{n} {fate}", n=number, fate=say(fate)) for fate, number in counts.items()]
    return clean(
        say(
            "{items} from {parent} to {child}: {told}.",
            items=counted(len(flips.items), "item"),
            parent=brief(flips.parent),
            child=brief(flips.child),
            told=say(", ").join(told),
        )
    )


def _score(flips: Flips, score: float | None) -> str:
    known = finite(score)
    return say("no score") if known is None else unit_of(flips.metric).number(known)


def _row(flip: Flip, fate: str) -> tuple[Value, ...]:
    return flip.item, finite(flip.child), finite(flip.parent), fate
