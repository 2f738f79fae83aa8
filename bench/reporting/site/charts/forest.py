"""The forest plot of a Change: the paired difference on each task, by kind, and all tasks pooled.

Called by the pages of a lineage and of a comparison.

    chart = forest_chart(change, "forest-ppo", href=lambda task: f"task/{task}.html")
    chart.caption    "ppo-6b against sft-6b: better on 4, worse on 1 of 5 tasks; ..."
"""

from collections.abc import Sequence

from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.site.charts.chart import WIDE, Chart, Href, Value, framed, notes, nothing
from bench.reporting.site.charts.difference_rows import EDGE, FOOT, HEAD, axis, draw, frame_of
from bench.reporting.site.charts.differences import Difference, difference_of, differences_of
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.shapes import text
from bench.reporting.site.charts.verdicts import pair, tally
from bench.reporting.site.charts.words import BOLD, SIZE, finite, fitted

GROUP = 26.0
COLUMNS = (
    *("task", "kind", "metric", "lower_is_better", "child_mean", "parent_mean"),
    *("estimate", "lo", "hi", "level", "method", "n_items", "n_clusters", "n_missing"),
    *("verdict", "tax", "p_better", "p_value", "p_adjusted", "rope", "margin", "mde"),
    *("fragile", "warnings"),
)
Group = tuple[str, list[Difference]]


def forest_chart(change: Change, uid: str, href: Href | None = None, width: float = WIDE) -> Chart:
    """The differences of `change` in points, right is better; `href` gives a task's page.

    Below a `width` of 716 pixels texts stand above and below each row, not beside it.
    """
    title = say("{pair}, task by task", pair=pair(change))
    if not change.contrasts:
        why = say("{pair}: there is no task.", pair=pair(change))
        return nothing(uid, title, why, COLUMNS, width)
    groups = _groups(change, href)
    frame = frame_of([row for _, rows in groups for row in rows], width)
    height = sum(GROUP + frame.pitch * len(rows) for _, rows in groups)
    room = width - 2 * EDGE if frame.narrow else frame.scale.start - EDGE
    drawn, y = [axis(frame, HEAD, HEAD + height, change.contrasts[0].level, say("task"))], HEAD
    for kind, rows in groups:
        drawn.append(
            text(
                EDGE,
                y + 18,
                fitted(kind, room, SIZE * BOLD),
                "head",
            )
        )
        y += GROUP
        for row in rows:
            drawn.append(draw(row, y, frame))
            y += frame.pitch
    told, below = notes(_told(change), EDGE, y + FOOT, width - 2 * EDGE)
    caption = _caption(change)
    return Chart(
        svg=framed(uid, title, caption, width, y + FOOT + below + 8, "".join(drawn) + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_values(contrast) for contrast in change.contrasts) + _pooled_values(change),
    )


def _groups(change: Change, href: Href | None) -> list[Group]:
    """Rows by kind, in the order given, and behind them all tasks together."""
    groups: dict[str, list[Difference]] = {}
    for contrast in change.contrasts:
        row = difference_of(contrast, contrast.task, href(contrast.task) if href else None)
        groups.setdefault(contrast.kind or say("no kind"), []).append(row)
    level = change.contrasts[0].level
    pooled = [(say("pooled"), differences_of(change.pooled, level))] if change.pooled else []
    return [*groups.items(), *pooled]


def _caption(change: Change) -> str:
    pooled = say("no pooled number")
    if change.pooled:
        row = differences_of(change.pooled, change.contrasts[0].level)[0]
        tasks = counted(change.pooled.n_tasks, "task")
        pooled = say("all {tasks} pooled {numbers} points", tasks=tasks, numbers=row.numbers)
    return say("{pair}: {tally}; {pooled}.", pair=pair(change), tally=tally(change), pooled=pooled)


def _told(change: Change) -> Sequence[str]:
    """What a reader must know of the drawing."""
    metrics = [contrast.metric for contrast in change.contrasts]
    turned = sum(metric.lower_is_better for metric in metrics)
    foreign = sum((metric.low, metric.high) != (0.0, 1.0) for metric in metrics)
    return [
        say(
            "Shaded: differences too small to matter (ROPE). Holm p: adjusted over its tasks. "
            "MDE: the smallest difference that so many items would find with a power of 0.8."
        ),
        say(
            "{tasks} where lower is better: turned round, so that right is better.",
            tasks=counted(turned, "task"),
        )
        if turned
        else "",
        say(
            "{tasks} whose metric does not go from 0 to 1: the axis is in points of its range, "
            "the numbers are in its own unit.",
            tasks=counted(foreign, "task"),
        )
        if foreign
        else "",
        say("Pooled: chance-normalised, from guessing at 0 points to the best score at 100.")
        if change.pooled
        else "",
    ]


def _values(contrast: Contrast) -> tuple[Value, ...]:
    metric = contrast.metric
    return (
        *(contrast.task, contrast.kind, metric.name, metric.lower_is_better),
        *map(finite, (contrast.child_mean, contrast.parent_mean)),
        *map(finite, (contrast.estimate, contrast.lo, contrast.hi, contrast.level)),
        *(contrast.method, contrast.n_items, contrast.n_clusters, contrast.n_missing),
        *(contrast.verdict, contrast.tax),
        *map(finite, (contrast.p_better, contrast.p_value, contrast.p_adjusted)),
        *map(finite, (metric.rope, metric.margin, contrast.mde)),
        *(contrast.fragile, "; ".join(contrast.warnings)),
    )


def _pooled_values(change: Change) -> tuple[tuple[Value, ...], ...]:
    """The pooled means under the same columns, where they have a value."""
    pooled = change.pooled
    if pooled is None:
        return ()
    level = change.contrasts[0].level
    means = (
        (pooled.estimate, pooled.lo, pooled.hi, pooled.method, pooled.p_better),
        (pooled.macro, pooled.macro_lo, pooled.macro_hi, "plain mean", None),
    )
    return tuple(
        (
            *("all tasks", "pooled", "chance-normalised", False, None, None),
            *(*map(finite, (estimate, lo, hi)), level, method),
            *(None, None, None, None, None, finite(p_better), None, None),
            *(None, None, None, "", "; ".join(pooled.warnings)),
        )
        for estimate, lo, hi, method, p_better in means
    )
