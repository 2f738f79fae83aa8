"""The page of a task: scores in every wording, ranks, every item against every row, provenance.

Called by `bench.reporting.site.build`; shown by `templates/task.html`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from bench.reporting.comparison.board import FEWEST_CLUSTERS, Asked
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.results.schema import Result
from bench.reporting.site.digits import Shown, scale_of, shown, shown_contrast, shown_score
from bench.reporting.site.figure import Figure
from bench.reporting.site.frame import Page
from bench.reporting.site.grid import Grid
from bench.reporting.site.links import Links
from bench.reporting.site.matrix import matrix_svg
from bench.reporting.site.strings import STRINGS
from bench.reporting.site.view import View
from bench.statistics.ranks import Rank

MOST_ITEMS = 100  # rows of the table of items


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One row in one wording."""

    row: int
    label: str
    stage: str
    variant: str
    id: str
    page: str
    score: Score
    shown: Shown
    rank: Rank | None
    others: tuple[tuple[str, Shown], ...]
    result: Result


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One comparison on this task; wordings of a pooled one stand below it."""

    change: Change
    contrast: Contrast
    shown: Shown
    page: str
    id: str
    pooled: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item with how many rows got it right, wrong, or have no score."""

    name: str
    href: str | None
    right: int
    wrong: int
    failed: int
    missing: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Wording:
    """The items of one wording: those on which the rows are furthest apart."""

    grid: Grid
    id: str
    matrix: Markup
    rows: tuple[ItemRow, ...]


@dataclass(frozen=True, slots=True)
class Best:
    """The model with the highest mean in one wording: that mean, and what is left of it once it
    is known to be the highest of `models`."""

    label: str
    variant: str
    models: int
    naive: Shown
    corrected: Shown


def task_page(view: View, task: Asked, figures: tuple[Figure, ...], links: Links) -> Page:
    """The page of `task`."""
    scores = [
        found
        for variant in task.variants
        for row in range(len(view.board.rows))
        if (found := _score_row(view, task.name, variant, row)) is not None
    ]
    grids = [view.grids[task.name, variant] for variant in task.variants]
    values = {
        "fewest": FEWEST_CLUSTERS,
        "task": task,
        "figures": figures,
        "scores": scores,
        "best": [one for variant in task.variants for one in _best(view, task, variant)],
        "told": told_of(name for row in scores for name, _ in row.others),
        "with_others": any(row.others for row in scores),
        "changes": _changes(view, task.name),
        "wordings": [_wording(view, grid, links) for grid in grids],
        "with_pages": sum(name == task.name for name, _ in view.items.pages),
        "with_texts": view.items.known.get(task.name, 0),
        "versions": sorted({row.result.task.version for row in scores}),
        "digests": sorted({row.result.task.digest for row in scores}),
    }
    return Page(view.task_page(task.name), "task.html", values)


def told_of(metrics: Iterable[str]) -> list[str]:
    """Those of `metrics` over all items that the strings explain, each once."""
    return [name for name in dict.fromkeys(metrics) if f"aggregate_{name}" in STRINGS]


def _score_row(view: View, task: str, variant: str, row: int) -> ScoreRow | None:
    score, result = view.score(row, task, variant), view.result(row, task, variant)
    if score is None or result is None:
        return None
    return ScoreRow(
        row=row,
        label=view.board.labels[row],
        stage=view.board.rows[row].model.stage,
        variant=variant,
        id=view.score_id(row, variant),
        page=view.lineage_page(row),
        score=score,
        shown=shown_score(score),
        rank=view.rank(row, task, variant),
        others=tuple(
            (other.metric.name, shown_score(other))
            for other in view.others.get((row, task, variant), ())
        ),
        result=result,
    )


def _best(view: View, task: Asked, variant: str) -> Iterator[Best]:
    key = (task.name, variant)
    winner = view.board.winners.get(key)
    if winner is None or winner.estimate is None or winner.lo is None or winner.hi is None:
        return
    metric = task.metrics[0]
    turn = -1.0 if metric.lower_is_better else 1.0
    lo, hi = sorted((turn * winner.lo, turn * winner.hi))
    scale = scale_of(metric)
    yield Best(
        label=view.board.labels[view.board.ranked[key][winner.index]],
        variant=variant,
        models=winner.n_models,
        naive=shown(turn * winner.naive, None, None, scale),
        corrected=shown(turn * winner.estimate, lo, hi, scale, winner.level),
    )


def _changes(view: View, task: str) -> list[ChangeRow]:
    """Every comparison on this task, wordings behind what they are pooled to."""
    return [
        ChangeRow(
            change=change,
            contrast=contrast,
            shown=shown_contrast(contrast),
            page=view.lineage_page(change.edge.child),
            id=view.change_id(change),
            pooled=contrast is whole,
        )
        for change in view.board.changes
        for whole in change.contrasts
        if whole.task == task
        for contrast in (whole, *whole.variants)
    ]


def _wording(view: View, grid: Grid, links: Links) -> Wording:
    places = sorted(range(len(grid.items)), key=lambda at: (-grid.spread[at], at))[:MOST_ITEMS]
    rows = tuple(_item_row(view, grid, at, links) for at in sorted(places))
    return Wording(
        grid, f"items{view.wording_id(grid.variant)}", matrix_svg(view, grid, links), rows
    )


def _item_row(view: View, grid: Grid, at: int, links: Links) -> ItemRow:
    name = grid.items[at][0]
    cells = [row[at] for row in grid.cells]
    told = Counter(cell if isinstance(cell, str) else "known" for cell in cells)
    right = sum(grid.share(cell) == 1.0 for cell in cells if not isinstance(cell, str))
    page = view.items.pages.get((grid.task, name))
    return ItemRow(
        name=name,
        href=links.page(page) if page else None,
        right=right,
        wrong=told["known"] - right,
        failed=told["failed"],
        missing=told["missing"],
        mean=grid.shares[at],
    )
