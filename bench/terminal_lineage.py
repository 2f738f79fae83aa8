"""A lineage on stdout: a tree with what each checkpoint was trained on, what it cost, what it gave.

`bench lineage` calls it.

    rl  [ppo]  40 steps  61,440 tokens  312.0 s  digest 1f0c9a72d3b4e5f6
    │ data: topic 200 rows, 3.20 epochs
    │ held out: reward 0.81, kl 4.2
    └── policy: warm  [sft]  ...
"""

import sys

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from bench.models.lineage import Node
from bench.terminal import OUT
from bench.types import Card

METRICS_SHOWN = 6
WIDTH_PIPED = 200
STATES = {"present": "", "changed": "changed since", "missing": "missing"}


def print_lineage(node: Node) -> None:
    """The tree of `node` on stdout; plain text when piped."""
    piped = Console(width=WIDTH_PIPED, highlight=False, file=sys.stdout)
    (OUT if OUT.is_terminal else piped).print(tree_of(node))


def tree_of(node: Node) -> Tree:
    """A line about the checkpoint, lines from its card, and its parents as branches."""
    tree = Tree(Text("\n").join([_headline(node), *(Text(line) for line in _card_lines(node))]))
    for parent in node.parents:
        tree.children.append(tree_of(parent))
    return tree


def _headline(node: Node) -> Text:
    label = f"{node.role}: " if node.role else ""
    parts = [f"  [{node.stage or 'no card'}]", *_cost(node.card), f"  digest {node.digest}"]
    line = Text.assemble(label, (node.name, "bold"), *parts)
    if node.state == "changed":
        return line.append(f"  {STATES[node.state]}: now {node.found}", "bold yellow")
    return line.append(f"  {STATES[node.state]}: {node.folder}" * (not node.found), "bold red")


def _cost(card: Card | None) -> list[str]:
    if card is None:
        return []
    return [f"  {card.steps:,} steps", f"  {card.tokens:,} tokens", f"  {card.seconds:,.1f} s"]


def _card_lines(node: Node) -> list[str]:
    if node.card is None:
        return []
    data = [f"{use.source} {use.rows:,} rows, {use.epochs:.2f} epochs" for use in node.card.data]
    held_out = [f"{name} {value:.4g}" for name, value in node.card.metrics.items()]
    shown = held_out[:METRICS_SHOWN] + ["..."] * (len(held_out) > METRICS_SHOWN)
    return [
        *(["data: " + "; ".join(data)] if data else []),
        *(["held out: " + ", ".join(shown)] if shown else []),
    ]
