"""The slope chart of the alignment tax: each task's score from stage to stage, a panel a size.

Called by the page of a lineage; `inputs.panels_of` makes the panels. A step is orange only where
it is a tax (`bench.statistics.noninferiority`), not where it merely points down.

    slope_chart([Panel("6b", (Stop("gpt-6b", "base"), Stop("sft-6b", "sft")), lines=...)], "slope")
"""

from collections.abc import Sequence

from bench.reporting.site.charts.chart import WIDE, Chart, Href, Value, framed, notes, nothing
from bench.reporting.site.charts.plane import Plane
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.scales import Scale, linear
from bench.reporting.site.charts.slope_panel import EDGE, LEFT, Panel, Track, draw, tracks_of
from bench.reporting.site.charts.stages import stage_word
from bench.reporting.site.charts.words import brief, clean, finite, several

PANEL, NAMES = 320.0, 0.36  # pixels across, and the share of them for names
HEAD, TALL, FOOT = 30.0, 280.0, 44.0  # pixels down
COLUMNS = (
    *("panel", "task", "kind", "metric", "lower_is_better", "model", "stage"),
    *("estimate", "lo", "hi", "tax_of_step"),
)


def slope_chart(
    panels: Sequence[Panel], uid: str, href: Href | None = None, width: float = WIDE
) -> Chart:
    """Scores in points of each metric's range, up is better; `href` gives a task's page."""
    title = say("Scores from stage to stage")
    shown = [(panel, tracks) for panel in panels if (tracks := tracks_of(panel))]
    if not shown:
        return nothing(uid, title, say("No lineage has scores of two stages."), COLUMNS, width)
    columns = max(1, min(len(shown), int(width // PANEL)))
    wide, tall = min(width / columns, 1.4 * PANEL), HEAD + TALL + FOOT
    numbers = [
        number
        for _, tracks in shown
        for track in tracks
        for dot in track.dots
        for number in dot.numbers()
    ]
    drawn, unnamed = [], 0
    for place, (panel, tracks) in enumerate(shown):
        left, top = wide * (place % columns), tall * (place // columns)
        room = NAMES * wide
        plane = Plane(
            Scale(0, len(panel.stops) - 1, left + LEFT, left + wide - room),
            linear(numbers, top + HEAD + TALL, top + HEAD, within=(0, 100)),
        )
        picture, left_out = draw(panel, tracks, plane, room, href)
        drawn.append(picture)
        unnamed += left_out
    foot, across = tall * (1 + (len(shown) - 1) // columns), wide * columns
    told, below = notes(_told(unnamed), EDGE, foot, across - 2 * EDGE)
    caption = " ".join(_sentence(panel, tracks) for panel, tracks in shown)
    return Chart(
        svg=framed(uid, title, caption, across, foot + below + 8, "".join(drawn) + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(row for panel in panels for row in _rows(panel)),
    )


def _told(unnamed: int) -> list[str]:
    return [
        say(
            "Points of each metric's range, up is better. Orange, thick, ▼ after the last step: a "
            "tax, whose interval lies below 0 and does not exclude a fall by the task's margin. "
            "Dashed: undetermined. Bands: intervals of the scores."
        ),
        say("{lines} without a name for want of room.", lines=counted(unnamed, "line"))
        if unnamed
        else "",
    ]


def _sentence(panel: Panel, tracks: Sequence[Track]) -> str:
    """`6b, base to PPO: a tax in the step to PPO on 2 of 8 tasks (topic, trivia).`"""
    first, last = (stage_word(panel.stops[at].stage) for at in (0, -1))
    told = []
    for step, stop in enumerate(panel.stops):
        taxed = [track.line.task for track in tracks if track.line.taxes[step] == "tax"]
        if taxed:
            on = say(
                "on {n} of {tasks} ({names})",
                n=len(taxed),
                tasks=counted(len(panel.lines), "task"),
                names=several(taxed),
            )
            stage = stage_word(stop.stage)
            told.append(say("a tax in the step to {stage} {on}", stage=stage, on=on))
    return clean(
        say(
            "{title}, {first} to {last}: {told}.",
            title=brief(panel.title),
            first=first,
            last=last,
            told=say("; ").join(told) or say("no step is a tax"),
        )
    )


def _rows(panel: Panel) -> list[tuple[Value, ...]]:
    return [
        (
            *(panel.title, line.task, line.kind, line.metric.name, line.metric.lower_is_better),
            *(stop.name, stop.stage, *map(finite, (dot.estimate, dot.lo, dot.hi)), tax),
        )
        for line in panel.lines
        for stop, dot, tax in zip(panel.stops, line.dots, line.taxes, strict=True)
    ]
