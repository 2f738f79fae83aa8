"""The models of a lineage and the signs on the ways between them.

Called by `lineage_tree` and `lineage_list`, the two forms of the lineage strip.

    Node(row=2, name="ppo-6b", stage="ppo", size="6b", parent=1)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.reporting.comparison.values import Change, Verdict
from bench.reporting.site.charts.chart import Href
from bench.reporting.site.charts.say import say
from bench.reporting.site.charts.shapes import group, link, rect, text
from bench.reporting.site.charts.stages import stage_word
from bench.reporting.site.charts.verdicts import SIGNS, pair, tally, verdict_class
from bench.reporting.site.charts.words import BOLD, SMALL, width_of

ChangeHref = Callable[[Change], str | None]


@dataclass(frozen=True, slots=True)
class Node:
    """A model; `row` and `parent` are positions on the board, None for one that is not on it."""

    row: int
    name: str
    stage: str
    size: str
    parent: int | None = None

    @property
    def kind(self) -> str:
        """Stage and size in words."""
        return say(", ").join(part for part in (stage_word(self.stage), self.size) if part)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Nodes with every child behind its parent, the changes between them, and where both lead; a
    parent that is not among the nodes before its child is None."""

    nodes: tuple[Node, ...]
    changes: tuple[Change, ...]
    href: Href | None
    change_href: ChangeHref | None

    def into(self, node: Node) -> list[Change]:
        """The changes whose child is `node`, the parent's first."""
        found = [change for change in self.changes if change.edge.child == node.row]
        return sorted(found, key=lambda change: change.edge.kind != "parent")

    def address(self, node: Node) -> str | None:
        """The page of a node."""
        return self.href(node.name) if self.href else None

    def children(self, row: int | None) -> list[Node]:
        """The nodes whose parent is `row`; the roots for None."""
        return [node for node in self.nodes if node.parent == row]


def lineage_of(
    nodes: Sequence[Node],
    changes: Sequence[Change],
    href: Href | None,
    change_href: ChangeHref | None,
) -> Lineage:
    """The Lineage of `nodes` and of those of `changes` that lie between them."""
    known: set[int] = set()
    rooted = []
    for node in nodes:
        rooted.append(node if node.parent in known else replace(node, parent=None))
        known.add(node.row)
    between = [one for one in changes if {one.edge.child, one.edge.parent} <= known]
    return Lineage(tuple(rooted), tuple(between), href, change_href)


def depths_of(lineage: Lineage) -> dict[int, int]:
    """How many ancestors each row has among the nodes."""
    depths: dict[int, int] = {}
    for node in lineage.nodes:
        depths[node.row] = 0 if node.parent is None else depths[node.parent] + 1
    return depths


def signs(change: Change, x: float, y: float, verdicts: Sequence[Verdict]) -> tuple[str, float]:
    """How many tasks ended in each of `verdicts`, side by side, and where that ends."""
    drawn = []
    for verdict in verdicts:
        number = change.count(verdict)
        if verdict == "no number" and not number:
            continue
        words = f"{SIGNS[verdict]} {number}"
        style = verdict_class(verdict) if number else "none"
        drawn.append(text(x, y, words, f"small word {style}"))
        x += width_of(words, SMALL * BOLD) + 8
    return "".join(drawn), x


def linked(
    change: Change, drawn: str, box: tuple[float, float, float, float], href: ChangeHref | None
) -> str:
    """What is `drawn` of a change in a `box` (x, y, width, height), with its page behind it."""
    tip = say("{pair}: {tally}", pair=pair(change), tally=tally(change))
    return link(href(change) if href else None, tip, group(rect("hit", *box) + drawn, tip))
