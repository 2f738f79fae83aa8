"""Which charts stand on which page, made from the board.

Called by `bench.reporting.site.build`; a chart without data is left out.

    task_figures(view, task, links)    ranks, score by size, score by length, wordings
"""

from collections.abc import Sequence
from dataclasses import replace

from bench.reporting.comparison.board import Asked
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.chart import Href
from bench.reporting.site.charts.flips import flips_chart
from bench.reporting.site.charts.forest import forest_chart
from bench.reporting.site.charts.inputs import (
    flips_of,
    lengthy_of,
    nodes_of,
    panels_of,
    ranked_of,
    series_of,
)
from bench.reporting.site.charts.length import Lengthy, length_chart
from bench.reporting.site.charts.lineage import lineage_chart
from bench.reporting.site.charts.pareto import Cost, Costly, pareto_chart
from bench.reporting.site.charts.ranks import Ranked, ranks_chart
from bench.reporting.site.charts.say import OVERALL
from bench.reporting.site.charts.sizes import Series, sizes_chart
from bench.reporting.site.charts.slope import slope_chart
from bench.reporting.site.charts.slope_panel import Panel
from bench.reporting.site.charts.variants import variants_chart
from bench.reporting.site.figure import Figure, figure
from bench.reporting.site.links import Links
from bench.reporting.site.overall import costs_of, lengths_of, overall_of, sizes_of
from bench.reporting.site.view import View


def overview_figures(view: View, links: Links) -> tuple[Figure, ...]:
    """What became of the models at a glance; a chart without data is left out."""
    rows = range(len(view.board.rows))
    found = [_lineage(view, "lineage", rows, links)] if view.board.changes else []
    lasts = [changes[-1] for root in view.roots if (changes := _parental(view, root))]
    found += [
        replace(_forest(view, change, links, "overview-forest"), folded=place > 0)
        for place, change in enumerate(lasts)
    ]
    if panels := panels_of(view.board, rows):
        found.append(_slope(view, "slope", "", panels, links))
    return (*found, *_overall(view, links))


def lineage_figures(view: View, root: int, links: Links) -> tuple[Figure, ...]:
    """One lineage as a whole."""
    rows, slug = view.members(root), view.rows[root]
    panels = panels_of(view.board, rows)
    return (
        _lineage(view, f"lineage-{slug}", rows, links),
        *(
            [_slope(view, f"slope-{slug}", view.board.labels[root], panels, links)]
            if panels
            else []
        ),
    )


def change_figures(view: View, change: Change, links: Links) -> tuple[Figure, ...]:
    """One comparison, task by task, and the items of the task that changed most."""
    return (_forest(view, change, links), *_flips(view, change, links))


def task_figures(view: View, task: Asked, links: Links) -> tuple[Figure, ...]:
    """One task, model by model, in each wording."""
    found: list[Figure] = []
    for place, variant in enumerate(task.variants):
        drawn: list[Figure] = []
        end = f"{view.tasks[task.name]}{view.wording_id(variant)}"
        title = f"{task.name} {variant}".strip()
        if ranked := ranked_of(view.board, task.name, variant):
            drawn.append(_ranks(view, f"ranks-{end}", title, ranked, links))
        series = series_of(view.board, task.name, variant)
        if _has_sizes(series):
            drawn.append(_sizes(view, f"sizes-{end}", title, series, task.metrics[0], links))
        lengthy = lengthy_of(view.board, task.name, variant)
        if sum(one.length.estimate is not None for one in lengthy) > 1:
            drawn.append(_length(view, f"length-{end}", title, lengthy, task.metrics[0], links))
        found += [replace(one, folded=place > 0) for one in drawn]
    found += [
        _variants(view, change, contrast)
        for change in view.board.changes
        for contrast in change.contrasts
        if contrast.task == task.name and contrast.variants
    ]
    return tuple(found)


def _overall(view: View, links: Links) -> list[Figure]:
    """All tasks in one number against size, length and cost."""
    overall = overall_of(view.board)
    metric = Metric(OVERALL)
    found: list[Figure] = []
    if _has_sizes(series := sizes_of(view.board, overall)):
        found.append(_sizes(view, "sizes", "", series, metric, links))
    if len(lengthy := lengths_of(view.board, overall)) > 1:
        found.append(_length(view, "length", "", lengthy, metric, links))
    costly = costs_of(view.board, overall)
    if len({one.cost.estimate for one in costly}) > 1:
        found.append(_pareto(view, costly, links))
    return found


def _parental(view: View, root: int) -> list[Change]:
    return [change for change in view.changes(root) if change.edge.kind == "parent"]


def _has_sizes(series: Sequence[Series]) -> bool:
    """Whether a line can be drawn: one stage at two sizes."""
    return any(len({model.parameters for model in one.models} - {None}) > 1 for one in series)


def _lineage(view: View, name: str, rows: Sequence[int], links: Links) -> Figure:
    nodes = nodes_of(view.board, rows)
    changes = [one for one in view.board.changes if one.edge.child in rows]
    model = _models(view, links)

    def to_change(change: Change) -> str | None:
        return links.page(view.lineage_page(change.edge.child), view.change_id(change))

    return figure(
        "lineage",
        name,
        "" if name == "lineage" else view.board.labels[rows[0]],
        lambda uid, href, width: lineage_chart(
            nodes, changes, uid, href, width, to_change if href else None
        ),
        model,
    )


def _forest(view: View, change: Change, links: Links, prefix: str = "forest") -> Figure:
    return figure(
        "forest",
        f"{prefix}-{view.ends(change)}",
        f"{change.child} / {change.parent}",
        lambda uid, href, width: forest_chart(change, uid, href, width),
        lambda task: links.page(view.task_page(task)),
    )


def _slope(view: View, name: str, title: str, panels: Sequence[Panel], links: Links) -> Figure:
    return figure(
        "slope",
        name,
        title,
        lambda uid, href, width: slope_chart(panels, uid, href, width),
        lambda task: links.page(view.task_page(task)),
    )


def _flips(view: View, change: Change, links: Links) -> list[Figure]:
    """The items of the task on which the child changed most, as far as anybody can tell."""
    told = [
        one
        for whole in change.contrasts
        for one in (whole.variants or (whole,))
        if one.verdict in ("better", "worse") and one.estimate
    ]
    if not told:
        return []
    one = max(told, key=lambda one: abs(one.estimate or 0.0) / (one.se or 1.0))
    flips = flips_of(view.board, change, one.task, one.variant)
    if flips is None:
        return []

    def to_item(item: str) -> str | None:
        page = view.items.pages.get((one.task, item))
        return links.page(page) if page else None

    drawn = figure(
        "flips",
        f"flips-{view.ends(change)}",
        f"{one.task} {one.variant}".strip(),
        lambda uid, href, width: flips_chart(flips, uid, href, width),
        to_item,
    )
    return [replace(drawn, folded=True)]


def _ranks(view: View, name: str, title: str, ranked: Ranked, links: Links) -> Figure:
    return figure(
        "ranks",
        name,
        title,
        lambda uid, href, width: ranks_chart(ranked, uid, href, width),
        _models(view, links),
    )


def _sizes(
    view: View, name: str, title: str, series: Sequence[Series], metric: Metric, links: Links
) -> Figure:
    return figure(
        "sizes",
        name,
        title,
        lambda uid, href, width: sizes_chart(series, metric, uid, href, width),
        _models(view, links),
    )


def _length(
    view: View, name: str, title: str, lengthy: Sequence[Lengthy], metric: Metric, links: Links
) -> Figure:
    return figure(
        "length",
        name,
        title,
        lambda uid, href, width: length_chart(lengthy, metric, uid, href, width),
        _models(view, links),
    )


def _pareto(view: View, costly: Sequence[Costly], links: Links) -> Figure:
    return figure(
        "pareto",
        "pareto",
        "",
        lambda uid, href, width: pareto_chart(costly, Cost("parameters"), uid, href, width),
        _models(view, links),
    )


def _variants(view: View, change: Change, contrast: Contrast) -> Figure:
    """Open where the answer hangs on the wording."""
    drawn = figure(
        "variants",
        f"variants-{view.tasks[contrast.task]}-{view.ends(change)}",
        f"{change.child} / {change.parent}",
        lambda uid, href, width: variants_chart(contrast, uid, href, width),
        None,
    )
    return replace(drawn, folded=not contrast.fragile)


def _models(view: View, links: Links) -> Href:
    """The place of a model on the page of its lineage, by its label."""
    rows = {label: row for row, label in enumerate(view.board.labels)}

    def to_model(label: str) -> str | None:
        row = rows.get(label)
        return None if row is None else links.page(view.lineage_page(row), f"row-{view.rows[row]}")

    return to_model
