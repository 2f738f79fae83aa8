"""A lineage from top to bottom, children indented below their parents, for narrow screens.

Called by `lineage` where the tree has no room.

    o base-6b
    |
    +- # sft-6b    against base-6b: ▲ 4 ▼ 1 = 6 ? 5
"""

from bench.reporting.comparison.values import Change
from bench.reporting.site.charts.chart import LINE
from bench.reporting.site.charts.lineage_nodes import Lineage, Node, depths_of, linked, signs
from bench.reporting.site.charts.say import say
from bench.reporting.site.charts.shapes import Point, group, link, path, rect, text
from bench.reporting.site.charts.stages import mark
from bench.reporting.site.charts.verdicts import SIGNS
from bench.reporting.site.charts.words import BOLD, SIZE, SMALL, fitted

EDGE, INDENT, HEAD, GAP = 8.0, 20.0, 36.0, 10.0
EDGE_LINE = 2 * LINE + 4  # whom a change is against, and its counts
DEEPEST = 6  # indentations; what lies deeper stands no further to the right


def listing(lineage: Lineage, width: float) -> tuple[str, float]:
    """The drawing and its height."""
    depths, y = depths_of(lineage), EDGE
    stems: dict[int, Point] = {}
    drawn: list[str] = []
    for node in lineage.nodes:
        x = EDGE + INDENT * min(DEEPEST, depths[node.row])
        stems[node.row] = (x + 7, y + 10)
        if node.parent is not None:
            above = stems[node.parent]
            drawn.insert(0, path("arrow", [above, (above[0], y + 10), (x + 7, y + 10)]))
        drawn.append(_node(node, x, y, width, lineage))
        y += HEAD
        for change in lineage.into(node):
            drawn.append(_change(change, x, y, width, lineage))
            y += EDGE_LINE
        y += GAP
    return "".join(drawn), y


def _node(node: Node, x: float, y: float, width: float, lineage: Lineage) -> str:
    room = width - x - 20 - EDGE
    drawn = [
        rect("hit", x, y, width - x, HEAD - 4),
        mark(node.stage, x + 7, y + 10, 6),
        text(x + 20, y + 14, fitted(node.name, room, SIZE * BOLD), "strong"),
        text(x + 20, y + 29, fitted(node.kind, room, SMALL), "soft"),
    ]
    tip = f"{node.name}, {node.kind}"
    return link(lineage.address(node), tip, group("".join(drawn), tip))


def _change(change: Change, x: float, y: float, width: float, lineage: Lineage) -> str:
    room = width - x - 20 - EDGE
    against = text(
        x + 20, y + 12, fitted(say("against {parent}", parent=change.parent), room, SMALL), "soft"
    )
    counts, _ = signs(change, x + 20, y + 28, tuple(SIGNS))
    return linked(
        change, against + counts, (x + 16, y, width - x - 16, EDGE_LINE), lineage.change_href
    )
