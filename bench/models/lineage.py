"""Where a checkpoint comes from: its card, its parents' cards, and so on down to the base.

`bench lineage` draws it. No torch here: cards and digests are read, weights are not loaded.

    ppo (ppo)
    ├── policy: sft (sft)
    │   └── policy: smollm2-135m (base)
    └── reward: rm (rm), changed since
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from bench.cards import CARD, read_card
from bench.errors import ModelError, RunError
from bench.models.weights import BUILT_IN, find_weights, is_hub_id
from bench.types import Card, Parent, Stage

State = Literal["present", "changed", "missing"]
Digest = Callable[[Path], str]
NOWHERE = "no-folder-is-named"  # where a card names no folder: nothing lies there


@dataclass(frozen=True, slots=True)
class Node:
    """A checkpoint in a lineage.

    `role` is what it was to the child, "" for the checkpoint that was asked about. `digest` is what
    a card says of the weights, `found` that of the weights in `folder`, "" where there are none:
    `state` is "changed" when the two differ and "missing" without weights. `stage` is "" when
    nothing says it.
    """

    name: str
    role: Literal["", "policy", "reward"]
    stage: Stage | Literal[""]
    folder: str
    digest: str
    found: str
    state: State
    card: Card | None
    parents: tuple["Node", ...]


def lineage_of(name_or_folder: str | Path) -> Node:
    """The tree of a checkpoint (a built-in name, a folder, a Hub id) and all that led to it.

    Built-in names and Hub ids are leaves, and so is a parent without a card. A parent that is gone
    or that has changed since is no error: its node says so.

    Raises:
        ModelError: there is no such checkpoint, or no weights in the folder.
        RunError: the folder holds no card, a card is damaged, or cards name each other in a circle.
    """
    name = str(name_or_folder)
    weights = find_weights(name, allow_pickle=True)  # read for the digest, not unpickled
    if name in BUILT_IN or (is_hub_id(name) and not Path(name).is_dir()):
        folder, found = str(weights.folder), weights.digest
        return Node(name, "", "", folder, found, found, "present", None, ())
    card = read_card(weights.folder)
    if card is None:
        raise RunError(
            f"{weights.folder}: holds no {CARD}, so nothing says where its weights come from",
            "give a checkpoint folder that bench trained",
        )
    asked = Parent("policy", card.name, card.stage, str(weights.folder), card.digest)
    return replace(_node(asked, weights.folder, cache(_digest), ()), role="")


def _node(told: Parent, folder: Path, digest: Digest, children: tuple[Path, ...]) -> Node:
    """The node of a checkpoint that a card tells of; `children` are the folders that led here."""
    here = folder.resolve()
    if here in children:
        raise RunError(
            f"{folder / CARD}: names itself among its own parents", "restore the card it had"
        )
    found = digest(here)
    card = read_card(folder)
    parents = card.parents if card else ()
    return Node(
        name=told.name,
        role=told.role,
        stage=told.stage,
        folder=str(folder),
        digest=told.digest,
        found=found,
        state=_state(told.digest, found),
        card=card,
        parents=tuple(
            _node(parent, _folder(parent, folder), digest, (*children, here)) for parent in parents
        ),
    )


def _folder(parent: Parent, child: Path) -> Path:
    """The parent's folder; a relative one counts from the child's, else from where we are."""
    beside = child / parent.folder
    return beside if beside.is_dir() and parent.folder else Path(parent.folder or NOWHERE)


def _state(told: str, found: str) -> State:
    if not found:
        return "missing"
    return "present" if found == told else "changed"


def _digest(folder: Path) -> str:
    """The digest of the weights in `folder`, "" where there are none that can be read."""
    try:
        return find_weights(str(folder), allow_pickle=True).digest
    except ModelError:
        return ""
