"""How a policy does on held-out prompts, and by how much that has changed since the start.

Reinforcement stages measure at the start, now and then, and at the end, always with the same seeds,
so that two measurements are paired prompt by prompt.

>>> means({"reward": [1.0, None, 0.5]})
{'held_out/reward': 0.75}
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bench.statistics.clusters import clustered_error
from bench.training.data.encode import Entry
from bench.training.objectives.rollout import Team, roll_out
from bench.training.settings import Reinforcement
from bench.training.steps.loop import Site
from bench.types import Json

MOST = 256  # prompts
Measured = dict[str, list[float | None]]  # name -> a value for each prompt, None where unscored


def measure(team: Team, settings: Reinforcement, site: Site, entries: Sequence[Entry]) -> Measured:
    """reward, kl (nats a reply), length (tokens) and eos (1 if it ended) of a reply to each prompt.

    Only the first 256 prompts; empty where there are none.
    """
    if not entries:
        return {}
    rollouts = roll_out(
        replace(team, value=None), settings, site, entries[:MOST], moment="held_out", group=1
    )
    scores = rollouts.scores_B.tolist()
    return {
        "reward": [None if score != score else score for score in scores],
        "kl": rollouts.kl.tolist(),
        "length": rollouts.tokens_BT.sum(1).double().tolist(),
        "eos": [float(reply.ended) for (reply,) in rollouts.replies],
    }


def means(measured: Measured) -> dict[str, float]:
    """The mean of each over the prompts that have a value."""
    found = {name: [v for v in row if v is not None] for name, row in measured.items()}
    return {f"held_out/{name}": sum(row) / len(row) for name, row in found.items() if row}


def changes(first: Measured, last: Measured, entries: Sequence[Entry]) -> dict[str, float]:
    """Both means of each, their paired difference, and its standard error.

    The error is CR1 over the prompts' groups (`bench.statistics.clusters`), missing where there
    are fewer than two. Prompts that only one of the two has a value for do not enter the
    difference.
    """
    found = {f"start/{name}": mean for name, mean in means(first).items()} | means(last)
    for name, row in last.items():
        pairs = [
            (after - before, entry.prompt.group)
            for before, after, entry in zip(first[name], row, entries[:MOST], strict=True)
            if before is not None and after is not None
        ]
        if pairs:
            differences = np.array([difference for difference, _ in pairs])
            groups = [group for _, group in pairs]
            found[f"held_out/{name}_change"] = float(differences.mean())
            if len(set(groups)) > 1:
                residuals = differences - differences.mean()
                found[f"held_out/{name}_change_se"] = clustered_error(residuals, groups)
    return found


def to_json(measured: Measured) -> Json:
    """As the saved state holds it."""
    return {name: list(row) for name, row in measured.items()}


def from_json(found: Json) -> Measured:
    """What `to_json` gave, out of a saved state."""
    assert isinstance(found, Mapping)
    return {str(name): [_number(value) for value in _row(row)] for name, row in found.items()}


def _row(found: Json) -> Sequence[Json]:
    assert isinstance(found, list)
    return found


def _number(found: Json) -> float | None:
    assert found is None or isinstance(found, int | float)
    return None if found is None else float(found)
