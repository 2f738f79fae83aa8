"""The first page: what became of each lineage in one sentence, and every score in one table.

Called by `bench.reporting.site.build`; shown by `templates/overview.html`.
"""

from dataclasses import dataclass

from bench.reporting.comparison.board import Asked
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Change, Pooled
from bench.reporting.results.schema import Metric
from bench.reporting.site.changelog import UNKNOWN, moment
from bench.reporting.site.digits import NOTHING, Shown, shown_pooled, shown_score
from bench.reporting.site.figure import Figure
from bench.reporting.site.frame import Page
from bench.reporting.site.view import View
from bench.statistics.ranks import Rank

ADDRESS = "index.html"


@dataclass(frozen=True, slots=True)
class Lineage:
    """A root with the changes of its descendants."""

    label: str
    page: str
    slug: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A task in one wording; `key` names it in the address of the page."""

    task: Asked
    variant: str
    metric: Metric
    page: str
    key: str


@dataclass(frozen=True, slots=True)
class CellShown:
    """A score in the table; `fragment` is its place on the page of the task."""

    score: Score | None
    shown: Shown
    rank: Rank | None
    fragment: str

    @property
    def value(self) -> float | None:
        """What the column is sorted by."""
        return self.score.estimate if self.score else None


@dataclass(frozen=True, slots=True)
class RowShown:
    """A model in the table; `change` is that against its parent."""

    label: str
    slug: str
    stage: str
    base: str
    recipe: str
    depth: int
    page: str
    change: Change | None
    change_id: str
    cells: tuple[CellShown, ...]
    level: float

    @property
    def pooled(self) -> Pooled | None:
        """The change over all tasks."""
        return self.change.pooled if self.change else None

    @property
    def shown(self) -> Shown:
        """The same as text."""
        return shown_pooled(self.pooled, self.level) if self.pooled else NOTHING


@dataclass(frozen=True, slots=True)
class Refused:
    """Tasks on which two rows were not compared, for one reason."""

    child: str
    parent: str
    reason: str
    tasks: tuple[str, ...]


def overview(view: View, figures: tuple[Figure, ...]) -> Page:
    """The page."""
    columns = columns_of(view)
    dates = dates_of(view)
    rows = [_row(view, row, columns) for row in range(len(view.board.rows))]
    values = {
        "lineages": lineages_of(view),
        "figures": figures,
        "columns": columns,
        "rows": rows,
        "refused": refused_of(view.board.changes),
        "since": dates[0] if dates else "",
        "until": dates[-1] if dates else "",
        "facets": facets_of(rows, columns),
    }
    return Page(ADDRESS, "overview.html", values)


def lineages_of(view: View) -> list[Lineage]:
    """The lineages of more than one row, as the board has them."""
    return [
        Lineage(
            label=view.board.labels[root],
            page=view.lineage_page(root),
            slug=view.rows[root],
            changes=tuple(view.changes(root)),
        )
        for root in view.roots
        if len(view.members(root)) > 1
    ]


def columns_of(view: View) -> list[Column]:
    """Every task in every wording, by kind."""
    return [
        Column(
            task=task,
            variant=variant,
            metric=task.metrics[0],
            page=view.task_page(task.name),
            key=view.tasks[task.name] + (f"@{variant}" if variant else ""),
        )
        for task in view.board.tasks
        for variant in task.variants
    ]


def refused_of(changes: tuple[Change, ...]) -> list[Refused]:
    """What was not compared, and why."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        for contrast in change.contrasts:
            if contrast.estimate is None:
                reason = "; ".join(contrast.warnings)
                found.setdefault((change.child, change.parent, reason), []).append(contrast.task)
    return [Refused(*key, tuple(tasks)) for key, tasks in found.items()]


def dates_of(view: View) -> list[str]:
    """The days on which results were begun, in order."""
    started = [
        moment(result.provenance.started)
        for row in view.board.rows
        for result in row.results.values()
    ]
    return sorted(when[:10] for when in started if when != UNKNOWN)


def facets_of(rows: list[RowShown], columns: list[Column]) -> dict[str, list[str]]:
    """What the table can be filtered by: the values of each facet that has more than one."""
    found = {
        "stage": [row.stage for row in rows],
        "base": [row.base for row in rows],
        "recipe": [row.recipe for row in rows],
        "kind": [column.task.kind for column in columns],
        "language": [column.task.language for column in columns],
    }
    distinct = {facet: list(dict.fromkeys(values)) for facet, values in found.items()}
    return {facet: values for facet, values in distinct.items() if len(values) > 1}


def _row(view: View, row: int, columns: list[Column]) -> RowShown:
    board = view.board
    change = next(
        (one for one in board.changes if one.edge.child == row and one.edge.kind == "parent"), None
    )
    return RowShown(
        label=board.labels[row],
        slug=view.rows[row],
        stage=board.rows[row].model.stage,
        base=board.labels[board.roots[row]],
        recipe=board.rows[row].model.recipe,
        depth=board.depths[row],
        page=view.lineage_page(row),
        change=change,
        change_id=view.change_id(change) if change else "",
        cells=tuple(_cell(view, row, column) for column in columns),
        level=board.level,
    )


def _cell(view: View, row: int, column: Column) -> CellShown:
    score = view.score(row, column.task.name, column.variant)
    return CellShown(
        score=score,
        shown=shown_score(score) if score else NOTHING,
        rank=view.rank(row, column.task.name, column.variant),
        fragment=view.score_id(row, column.variant),
    )
