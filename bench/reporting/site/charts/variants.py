"""The wordings of one task beside each other: the difference under each, and pooled.

Called by the page of a task: whether the answer hangs on the wording of the prompt.

    variants_chart(contrast, "variants-truthful").caption
    "truthful, 2 wordings, as usual +21.0 [14.1, 27.9]; terse −3.0 [−9.2, 3.2]; pooled ..."
"""

from bench.reporting.comparison.values import Contrast
from bench.reporting.site.charts.chart import (
    WIDE,
    Chart,
    Href,
    Value,
    framed,
    notes,
    nothing,
)
from bench.reporting.site.charts.difference_rows import EDGE, FOOT, HEAD, axis, draw, frame_of
from bench.reporting.site.charts.differences import Difference, difference_of
from bench.reporting.site.charts.say import counted, say, say_remark
from bench.reporting.site.charts.words import NAMED, brief, clean, finite

COLUMNS = (
    *("task", "variant", "estimate", "lo", "hi", "level", "n_items", "n_clusters"),
    *("verdict", "fragile"),
)


def variants_chart(
    contrast: Contrast, uid: str, href: Href | None = None, width: float = WIDE
) -> Chart:
    """The variants of `contrast` and below them all pooled; `href` gives a variant's place."""
    title = say("{task} by wording", task=brief(contrast.task))
    if not contrast.variants:
        why = say("{task} was asked in one wording.", task=brief(contrast.task))
        return nothing(uid, title, why, COLUMNS, width)
    rows = [
        difference_of(one, one.variant or say("as usual"), href(one.variant) if href else None)
        for one in contrast.variants
    ]
    pooled = difference_of(contrast, say("all wordings"))
    frame = frame_of([*rows, pooled], width)
    bottom = HEAD + frame.pitch * (len(rows) + 1)
    drawn = [axis(frame, HEAD, bottom, contrast.level, say("wording"))]
    drawn += [draw(row, HEAD + frame.pitch * at, frame) for at, row in enumerate([*rows, pooled])]
    told, below = notes(_told(contrast), EDGE, bottom + FOOT, width - 2 * EDGE)
    caption = _caption(contrast, rows, pooled)
    return Chart(
        svg=framed(uid, title, caption, width, bottom + FOOT + below + 8, "".join(drawn) + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(_values(one) for one in (*contrast.variants, contrast)),
    )


def _told(contrast: Contrast) -> list[str]:
    turned = say("Lower is better: turned round, so that right is better.")
    return [
        say("Prompt-fragile: {why}.", why=clean(say_remark(contrast.fragile)))
        if contrast.fragile
        else "",
        turned if contrast.metric.lower_is_better else "",
    ]


def _caption(contrast: Contrast, rows: list[Difference], pooled: Difference) -> str:
    """The number under each wording, of many only the least and the greatest."""
    drawn = sorted(rows, key=lambda row: (row.dot.estimate is None, row.dot.estimate or 0.0))
    known = [row for row in drawn if row.dot.estimate is not None]
    told = rows if len(rows) <= NAMED else [known[0], known[-1]] if known else []
    numbers = say("; ").join(f"{brief(row.name)} {row.numbers or row.absent}" for row in told)
    whole = say(", ").join([brief(contrast.task), counted(len(rows), "wording")])
    pattern = (
        "{counted}, {numbers}; pooled {pooled}."
        if told == rows
        else "{counted}, least and greatest: {numbers}; pooled {pooled}."
    )
    mean = pooled.numbers or pooled.absent
    return clean(say(pattern, counted=whole, numbers=numbers, pooled=mean))


def _values(one: Contrast) -> tuple[Value, ...]:
    return (
        *(one.task, one.variant, *map(finite, (one.estimate, one.lo, one.hi, one.level))),
        *(one.n_items, one.n_clusters, one.verdict, one.fragile),
    )
