"""The lineage strip: who was trained from whom, and on how many tasks that made it better or worse.

Called by the overview and the page of a lineage; a tree where there is room, else an indented list.

    lineage_chart(nodes, board.changes, "lineage", href=row_page, change_href=change_page)
"""

from collections.abc import Sequence

from bench.reporting.comparison.values import VERDICTS, Change
from bench.reporting.site.charts.chart import WIDE, Chart, Href, Value, framed, notes, nothing
from bench.reporting.site.charts.lineage_list import listing
from bench.reporting.site.charts.lineage_nodes import ChangeHref, Lineage, Node, lineage_of
from bench.reporting.site.charts.lineage_tree import EDGE, tree, width_needed
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.stages import in_order, stage_word
from bench.reporting.site.charts.verdicts import pair, said, tally
from bench.reporting.site.charts.words import NAMED, clean

COLUMNS = ("model", "stage", "size", "against", "kind", *VERDICTS)


def lineage_chart(
    nodes: Sequence[Node],
    changes: Sequence[Change],
    uid: str,
    href: Href | None = None,
    width: float = WIDE,
    change_href: ChangeHref | None = None,
) -> Chart:
    """`nodes` with every child behind its parent, and those of `changes` that lie between them.

    `href` gives a model's page, `change_href` that of a change.
    """
    title = say("Lineage")
    if not nodes:
        return nothing(uid, title, say("There are no models."), COLUMNS, width)
    lineage = lineage_of(nodes, changes, href, change_href)
    left_out: list[Change] = []
    if width_needed(lineage) <= width:
        width = width_needed(lineage)
        drawn, height, left_out = tree(lineage)
    else:
        drawn, height = listing(lineage, width)
    told, below = notes(_told(lineage.changes, left_out), EDGE, height, width - 2 * EDGE)
    caption = _caption(lineage)
    return Chart(
        svg=framed(uid, title, caption, width, height + below + 8, drawn + told),
        caption=caption,
        columns=COLUMNS,
        rows=tuple(row for node in lineage.nodes for row in _rows(node, lineage)),
    )


def _told(changes: Sequence[Change], left_out: Sequence[Change]) -> list[str]:
    words = say(", ").join(said(verdict) for verdict in VERDICTS)
    return [
        say("Number of tasks: {words}.", words=words) if changes else "",
        *(say("{pair}: {tally}.", pair=pair(one), tally=tally(one)) for one in left_out),
    ]


def _caption(lineage: Lineage) -> str:
    """`4 models, base to PPO-ptx; sft-6b against base-6b: better on 4 of 16 tasks; ...`"""
    models = counted(len(lineage.nodes), "model")
    stages = in_order([node.stage for node in lineage.nodes if node.stage])
    ends = [stage_word(stage) for stage in dict.fromkeys([*stages[:1], *stages[-1:]])]
    span = say("{one} to {other}", one=ends[0], other=ends[1]) if len(ends) > 1 else "".join(ends)
    head = say("{models}, {span}", models=models, span=clean(span)) if span else models
    told = [
        say("{pair}: {tally}", pair=pair(change), tally=tally(change)) for change in lineage.changes
    ]
    ways, more = say("; ").join(told[:NAMED]), len(told) - NAMED
    if more > 0:
        ways = say("{ways} and {n} more", ways=ways, n=more)
    return say("{head}; {ways}.", head=head, ways=ways) if told else say("{head}.", head=head)


def _rows(node: Node, lineage: Lineage) -> list[tuple[Value, ...]]:
    changes = lineage.into(node)
    if not changes:
        return [(node.name, node.stage, node.size, None, None, *(None for _ in VERDICTS))]
    return [
        (
            *(node.name, node.stage, node.size, change.parent, change.edge.kind),
            *(change.count(verdict) for verdict in VERDICTS),
        )
        for change in changes
    ]
