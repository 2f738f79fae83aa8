"""The strip of rank sets: for each model the ranks that it can have, and who cannot be told apart.

Called by the page of a task. Ranks are those of `bench.statistics.ranks`: they hold all at once.

    ranks_chart(Ranked(("sft-6b", "ppo-6b"), ("sft", "ppo"), board.ranks["topic", ""]), "ranks")
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.site.charts.chart import (
    NARROW,
    WIDE,
    Chart,
    Href,
    Value,
    framed,
    notes,
    nothing,
)
from bench.reporting.site.charts.say import counted, say, say_remark
from bench.reporting.site.charts.scales import Scale
from bench.reporting.site.charts.shapes import circle, group, line, link, rect, text
from bench.reporting.site.charts.stages import mark, stage_class
from bench.reporting.site.charts.words import clean, fitted, several
from bench.reporting.site.digits import percent, probability
from bench.statistics.ranks import Rank, RankSets

EDGE, HEAD, FOOT, WIDEST = 8.0, 38.0, 8.0, 760.0
NAMES, PITCH, NAME_LINE = 226.0, 26.0, 18.0  # pixels: before the strips, of a row, of a name above
BRACKET, BRACKETS = (
    14.0,
    10,
)  # pixels of a bracket across, and how many are drawn at most (half on a narrow chart)
BEST, GAP = 62.0, 8.0  # pixels for P(best), and behind it
COLUMNS = (
    *("model", "stage", "estimate", "se", "best_rank", "worst_rank", "expected_rank", "p_best"),
    "groups",
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Names and stages [M] of the models that `sets` ranks, in its order."""

    names: tuple[str, ...]
    stages: tuple[str, ...]
    sets: RankSets


@dataclass(frozen=True, slots=True)
class _Place:
    """A model with the pixel at which its strip is drawn."""

    name: str
    stage: str
    rank: Rank
    top: float
    y: float


def ranks_chart(ranked: Ranked, uid: str, href: Href | None = None, width: float = WIDE) -> Chart:
    """Rank sets, the highest estimate first; `href` gives a model's page.

    Below a `width` of 716 pixels names stand above the strips, not beside them.
    """
    title = say("Ranks that each model can have")
    if not ranked.names:
        return nothing(uid, title, say("No models were ranked."), COLUMNS, width)
    width, narrow = min(width, WIDEST), width < 2 * NARROW
    places = _places(ranked, narrow)
    groups = _groups(places)
    drawn_groups = groups[: BRACKETS // 2 if narrow else BRACKETS]
    right = width - EDGE - BEST - GAP - BRACKET * len(drawn_groups)
    scale = Scale(1, max(2, len(places)), 2 * EDGE if narrow else NAMES, right)
    bottom = places[-1].y + PITCH / 2
    drawn = [_axis(scale, len(places), bottom, narrow, width)]
    drawn += [_row(place, scale, narrow, width, href) for place in places]
    drawn += [
        _bracket(group, places, right + BEST + GAP + BRACKET * (at + 0.5))
        for at, group in enumerate(drawn_groups)
    ]
    told, below = notes(
        _told(ranked, len(drawn_groups), len(groups)), EDGE, bottom + FOOT, width - 2 * EDGE
    )
    caption = _caption(ranked, places)
    return Chart(
        svg=framed(uid, title, caption, width, bottom + FOOT + below + 8, "".join(drawn) + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_values(place) for place in places),
    )


def _places(ranked: Ranked, narrow: bool) -> list[_Place]:
    found = sorted(
        zip(ranked.names, ranked.stages, ranked.sets.ranks, strict=True),
        key=lambda model: -model[2].estimate,
    )
    pitch = PITCH + (NAME_LINE if narrow else 0)
    tops = [HEAD + pitch * at for at in range(len(found))]
    return [
        _Place(name, stage, rank, top, top + pitch - PITCH / 2)
        for (name, stage, rank), top in zip(found, tops, strict=True)
    ]


def _groups(places: Sequence[_Place]) -> list[list[int]]:
    """Rows of each group of at least two that cannot be told apart."""
    names = sorted({group for place in places for group in place.rank.groups})
    members = [
        [at for at, place in enumerate(places) if group in place.rank.groups] for group in names
    ]
    return [rows for rows in members if len(rows) > 1]


def _axis(scale: Scale, models: int, bottom: float, narrow: bool, width: float) -> str:
    every = max(1, round(20 * models / (scale.end - scale.start)))
    drawn = []
    for rank in range(1, models + 1):
        told = rank % every == 0 and min(rank - 1, models - rank) >= 0.75 * every
        if told or rank in (1, models):
            drawn.append(text(scale.at(rank), HEAD - 6, str(rank), "soft", "middle"))
            if not narrow:
                drawn.append(line("grid", scale.at(rank), HEAD, scale.at(rank), bottom))
    drawn.append(text(scale.start, HEAD - 20, say("rank"), "soft"))
    drawn.append(text(scale.end + BEST - 2, HEAD - 6, say("P(best)"), "soft", "end"))
    return "".join(drawn)


def _row(place: _Place, scale: Scale, narrow: bool, width: float, href: Href | None) -> str:
    rank, y = place.rank, place.y
    pattern = "rank {best}" if rank.best == rank.worst else "ranks {best} to {worst}"
    tip = say(
        "{name}: {ranks}, P(best) {p}",
        name=place.name,
        ranks=say(pattern, best=rank.best, worst=rank.worst),
        p=probability(rank.p_best),
    )
    room = (scale.end + BEST if narrow else NAMES - 18) - EDGE - 18
    name_y = place.top + 14 if narrow else y + 4
    left, right = scale.at(rank.best), scale.at(rank.worst)
    drawn = [
        rect("hit", 0, place.top, width, y + PITCH / 2 - place.top),
        mark(place.stage, EDGE + 6, name_y - 4, 4.5),
        text(EDGE + 18, name_y, fitted(place.name, room)),
        line("track", scale.start, y, scale.end, y),
        line(f"strip {stage_class(place.stage)}", left, y, right, y),
        circle("expected", scale.at(rank.expected), y, 3),
        text(scale.end + BEST - 2, y + 4, probability(rank.p_best), "", "end"),
    ]
    return link(href(place.name) if href else None, tip, group("".join(drawn), tip))


def _bracket(rows: Sequence[int], places: Sequence[_Place], x: float) -> str:
    ys = [places[at].y for at in rows]
    ticks = "".join(line("bracket", x - 4, y, x, y) for y in ys)
    names = several([places[at].name for at in rows])
    return group(
        line("bracket", x, ys[0], x, ys[-1]) + ticks, say("Not told apart: {names}", names=names)
    )


def _told(ranked: Ranked, drawn: int, groups: int) -> list[str]:
    return [
        say(
            "Strips: the ranks that a model can have, all at once with {level} confidence. Dot: "
            "expected rank. Brackets: models that cannot be told apart.",
            level=percent(ranked.sets.level),
        ),
        say("{drawn} of {all} brackets are drawn.", drawn=drawn, all=groups)
        if drawn < groups
        else "",
        *map(say_remark, ranked.sets.warnings),
    ]


def _caption(ranked: Ranked, places: Sequence[_Place]) -> str:
    """`4 models by ppo-6b, ...: 2 can be first (ppo-6b, ppo-ptx-6b).`"""
    first = [place.name for place in places if place.rank.best == 1]
    pattern = (
        "Of {models} {names} may be the best."
        if len(first) > 1
        else "Of {models} {names} is the best."
    )
    return clean(say(pattern, models=counted(len(places), "model"), names=several(first)))


def _values(place: _Place) -> tuple[Value, ...]:
    rank = place.rank
    return (
        *(place.name, place.stage, rank.estimate, rank.se, rank.best, rank.worst),
        *(rank.expected, rank.p_best, " ".join(str(group) for group in rank.groups)),
    )
