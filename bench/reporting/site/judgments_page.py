"""The page of judged tasks: who is preferred to whom, ratings with ranks, how far judges agree.

Called by `bench.reporting.site.build` where anything was judged; shown by
`templates/judgments.html`.
"""

from dataclasses import dataclass

from bench.reporting.comparison.board import Asked
from bench.reporting.comparison.judged import Judged, Match, Rated
from bench.reporting.results.schema import WINS
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.ranks import Ranked, ranks_chart
from bench.reporting.site.charts.sizes import Reference, Series, Sized, sizes_chart
from bench.reporting.site.charts.stages import in_order, stage_word
from bench.reporting.site.digits import NOTHING, Shown, p_value, shown
from bench.reporting.site.figure import Figure, figure
from bench.reporting.site.frame import Page
from bench.reporting.site.links import Links
from bench.reporting.site.view import View
from bench.statistics.estimate import Estimate
from bench.statistics.ranks import Rank

ADDRESS = "judgments.html"
COIN = Reference(0.5, "a coin")


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A model against a reference; `page` is that of its scores, item by item."""

    match: Match
    raw: Shown
    equal: Shown
    page: str
    id: str
    stage: str


@dataclass(frozen=True, slots=True)
class RatedRow:
    """A model among all that were judged; a reference that is no row of the board has no page."""

    rated: Rated
    win_rate: Shown
    equal: Shown
    rating: Shown
    rank: Rank
    row: int | None
    stage: str


@dataclass(frozen=True, slots=True)
class Section:
    """One judged task."""

    judged: Judged
    task: Asked
    id: str
    matches: tuple[MatchRow, ...]
    ratings: tuple[RatedRow, ...]
    figures: tuple[Figure, ...]
    judgments: int
    alpha: Shown
    agreement: Shown
    slot: Shown
    slot_p: str
    with_length: bool


def judgments_page(view: View, links: Links) -> tuple[Page, tuple[Figure, ...]]:
    """The page, and the charts on it."""
    sections = tuple(_section(view, judged, links) for judged in view.board.judged)
    figures = tuple(drawn for section in sections for drawn in section.figures)
    return Page(ADDRESS, "judgments.html", {"sections": sections}), figures


def _section(view: View, judged: Judged, links: Links) -> Section:
    slot = judged.slot
    return Section(
        judged=judged,
        task=view.asked(judged.task),
        id=f"judged-{view.tasks[judged.task]}",
        matches=tuple(_match(view, judged, match) for match in judged.matches),
        ratings=_ratings(view, judged),
        figures=_figures(view, judged, links),
        judgments=sum(one.wins + one.draws + one.losses for one in judged.matches),
        alpha=_plain(judged.alpha),
        agreement=_rate(judged.agreement),
        slot=_rate(slot.first_slot) if slot else NOTHING,
        slot_p=p_value(slot.p_value) if slot else "",
        with_length=any(match.controlled for match in judged.matches),
    )


def _match(view: View, judged: Judged, match: Match) -> MatchRow:
    row = _row(view, match.model)
    assert row is not None  # whoever was judged is on the board
    return MatchRow(
        match=match,
        raw=_rate(match.win_rate),
        equal=_rate(match.controlled),
        page=view.task_page(judged.task),
        id=view.score_id(row, view.asked(judged.task).variants[0]),
        stage=view.board.rows[row].model.stage,
    )


def _ratings(view: View, judged: Judged) -> tuple[RatedRow, ...]:
    if judged.ranks is None:
        return ()
    return tuple(
        RatedRow(
            rated=rated,
            win_rate=_rate(rated.win_rate),
            equal=_rate(rated.controlled),
            rating=_elo(rated.rating),
            rank=rank,
            row=(row := _row(view, rated.name)),
            stage="" if row is None else view.board.rows[row].model.stage,
        )
        for rated, rank in zip(judged.ratings, judged.ranks.ranks, strict=True)
    )


def _figures(view: View, judged: Judged, links: Links) -> tuple[Figure, ...]:
    if judged.ranks is None:
        return ()
    slug, names = view.tasks[judged.task], tuple(rated.name for rated in judged.ratings)
    stages = tuple(_stage(view, name) for name in names)
    ranked = Ranked(names, stages, judged.ranks)

    def to_model(name: str) -> str | None:
        row = _row(view, name)
        if row is None:
            return None
        return links.page(view.lineage_page(row), f"row-{view.rows[row]}")

    found = []
    if len(names) > 2:
        found.append(
            figure(
                "ranks",
                f"judged-ranks-{slug}",
                judged.task,
                lambda uid, href, width: ranks_chart(ranked, uid, href, width),
                to_model,
            )
        )
    series = _sizes(view, judged)
    if len({one.parameters for line in series for one in line.models if one.parameters}) > 1:
        found.append(
            figure(
                "win_sizes",
                f"judged-sizes-{slug}",
                judged.task,
                lambda uid, href, width: sizes_chart(series, WINS, uid, href, width, COIN),
                to_model,
            )
        )
    return tuple(found)


def _sizes(view: View, judged: Judged) -> list[Series]:
    """Win rates against the anchor by stage and parameters; the anchor itself is the coin."""
    models: dict[str, list[Sized]] = {}
    for rated in judged.ratings:
        row = _row(view, rated.name)
        if row is not None and rated.name != judged.anchor:
            model, won = view.board.rows[row].model, rated.win_rate
            sized = Sized(rated.name, model.parameters, Dot(won.estimate, won.lo, won.hi))
            models.setdefault(model.stage, []).append(sized)
    return [Series(stage, stage_word(stage), tuple(models[stage])) for stage in in_order([*models])]


def _row(view: View, label: str) -> int | None:
    return view.board.labels.index(label) if label in view.board.labels else None


def _stage(view: View, label: str) -> str:
    row = _row(view, label)
    return "" if row is None else view.board.rows[row].model.stage


def _rate(found: Estimate | None) -> Shown:
    """A share in points."""
    if found is None:
        return NOTHING
    return shown(found.estimate, found.lo, found.hi, 100.0, found.level)


def _plain(found: Estimate | None) -> Shown:
    if found is None:
        return NOTHING
    return shown(found.estimate, found.lo, found.hi, 1.0, found.level)


def _elo(found: Estimate) -> Shown:
    return shown(found.estimate, found.lo, found.hi, 1.0, found.level)
