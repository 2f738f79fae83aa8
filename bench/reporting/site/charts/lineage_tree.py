"""A lineage from left to right: stages are columns, sizes and branches are rows.

Called by `lineage` where there is room. On each way stand how many tasks got better or worse, and
below it how many did not change or are open.

    [o base] --- ▲ 4 ▼ 1 --> [# SFT] --- ▲ 6 ▼ 2 --> [<> PPO]
                 = 6 ? 5                 = 5 ? 3
"""

from collections.abc import Mapping

from bench.reporting.comparison.values import Change
from bench.reporting.site.charts.lineage_nodes import Lineage, Node, depths_of, linked, signs
from bench.reporting.site.charts.shapes import Point, group, link, path, rect, text
from bench.reporting.site.charts.stages import mark
from bench.reporting.site.charts.words import BOLD, SIZE, SMALL, fitted

EDGE, WIDE, TALL = 8.0, 156.0, 40.0  # pixels of a node
ACROSS, DOWN = 304.0, 78.0  # pixels from one node to the next
ELBOW = 14.0


def width_needed(lineage: Lineage) -> float:
    """Pixels across of the whole tree."""
    return 2 * EDGE + WIDE + ACROSS * max(depths_of(lineage).values(), default=0)


def tree(lineage: Lineage) -> tuple[str, float, list[Change]]:
    """The drawing, its height, and the changes between siblings that it has no room for."""
    places = _places(lineage)
    nodes = {node.row: node for node in lineage.nodes}
    drawn, left_out = [], []
    for change in lineage.changes:
        child, parent = nodes[change.edge.child], nodes[change.edge.parent]
        ends = places[parent.row], places[child.row]
        if child.parent == parent.row:
            drawn.append(_way(change, *ends, lineage))
        elif ends[0][0] == ends[1][0] and ends[1][1] - ends[0][1] == DOWN:
            drawn.append(_between(change, *ends, lineage))
        else:
            left_out.append(change)
    drawn += [_node(node, places[node.row], lineage) for node in lineage.nodes]
    return "".join(drawn), max(y for _, y in places.values()) + TALL + EDGE, left_out


def _places(lineage: Lineage) -> Mapping[int, Point]:
    """The upper left corner of each node: a child beside its parent, its siblings below."""
    depths, places = depths_of(lineage), {}
    y = EDGE

    def visit(node: Node) -> None:
        nonlocal y
        places[node.row] = (EDGE + ACROSS * depths[node.row], y)
        for at, child in enumerate(lineage.children(node.row)):
            y += DOWN if at else 0
            visit(child)

    for at, root in enumerate(lineage.children(None)):
        y += DOWN if at else 0
        visit(root)
    return places


def _node(node: Node, place: Point, lineage: Lineage) -> str:
    x, y = place
    drawn = [
        rect("node", x, y, WIDE, TALL),
        mark(node.stage, x + 15, y + TALL / 2, 6),
        text(x + 29, y + 17, fitted(node.name, WIDE - 34, SIZE * BOLD), "strong"),
        text(x + 29, y + 32, fitted(node.kind, WIDE - 34, SMALL), "soft"),
    ]
    tip = f"{node.name}, {node.kind}"
    return link(lineage.address(node), tip, group("".join(drawn), tip))


def _way(change: Change, start: Point, end: Point, lineage: Lineage) -> str:
    """From the right side of the parent to the left side of the child."""
    left, right = start[0] + WIDE, end[0]
    above, y = start[1] + TALL / 2, end[1] + TALL / 2
    bend = left + ELBOW
    turns = [(left, above), (bend, above), (bend, y), (right - 6, y)]
    head = [(right - 1, y), (right - 8, y - 4), (right - 8, y + 4)]
    first, _ = signs(change, bend + 8, y - 7, ("better", "worse"))
    second, _ = signs(change, bend + 8, y + 16, ("equivalent", "undetermined", "no number"))
    box = (bend + 2, y - 20, right - bend - 12, 40)
    return (
        path("arrow", turns)
        + path("arrow-head", head, closed=True)
        + linked(change, first + second, box, lineage.change_href)
    )


def _between(change: Change, start: Point, end: Point, lineage: Lineage) -> str:
    """From the bottom of one sibling to the top of the next."""
    x, top, bottom = start[0] + 15, start[1] + TALL, end[1]
    first, after = signs(change, x + 12, top + 23, ("better", "worse"))
    second, _ = signs(change, after, top + 23, ("equivalent", "undetermined"))
    head = [(x, bottom - 1), (x - 4, bottom - 8), (x + 4, bottom - 8)]
    box = (x + 4, top + 7, WIDE - 24, 24)
    return (
        path("arrow arrow-sibling", [(x, top), (x, bottom - 6)])
        + path("arrow-head", head, closed=True)
        + linked(change, first + second, box, lineage.change_href)
    )
