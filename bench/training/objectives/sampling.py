"""Replies drawn from a network: what rollouts, rankings and held-out measurements have in common.

Each draw has a seed of its own, so a reply does not depend on the batch it was drawn in.

    sample(policy, writer, prompts, seeds, Generation(128, temperature=1.0), micro_tokens=4096)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from bench.models.batching import Budget
from bench.models.decode import generate
from bench.models.encode import Ids
from bench.models.model import Encoded
from bench.models.reach import rope_switch
from bench.training.data.writer import Writer
from bench.training.networks.network import Network, active
from bench.types import Generation

# Generation keeps keys and values of a token, 4 h bytes a layer in half precision; training keeps
# 34 h (Korthikanti et al. 2022, arXiv 2205.05198, equation 1 with t = 1, attention aside).
TOKENS_KEPT = 8  # tokens whose keys and values take the room of one that is trained on
MOST_ROWS = {"cpu": 64, "mps": 32}  # replies made side by side: more are not faster there


@dataclass(frozen=True, slots=True)
class Sampled:
    """One reply: its tokens (the end token included if it came), its text, and whether it ended."""

    ids: Ids
    text: str
    ended: bool


def sample(
    network: Network,
    writer: Writer,
    prompts: Sequence[Ids],
    seeds: Sequence[int],
    how: Generation,
    micro_tokens: int,
) -> list[Sampled]:
    """One reply to each of `prompts` (the same prompt may stand several times).

    `seeds` take the place of the seed of `how`. Prompts are replied to as many at once as take the
    memory of training on `micro_tokens` tokens.
    """
    items = [
        Encoded(prompt, generation=replace(how, seed=seed if how.temperature else 0))
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    if not items:
        return []
    longest = max(map(len, prompts)) + how.max_tokens
    with active(network), torch.no_grad():
        found = dict(
            generate(
                network.model,
                items,
                _budget(network, longest, micro_tokens),
                frozenset({writer.end}),
                writer.read,
                share=longest <= network.reach,
            )
        )
    replies = [found[place] for place in range(len(items))]
    return [Sampled(made.ids, made.text, made.ids[-1] == writer.end) for made in replies]


def _budget(network: Network, longest: int, micro_tokens: int) -> Budget:
    """For rows of up to `longest` tokens."""
    rows = max(1, TOKENS_KEPT * micro_tokens // longest)
    rows = min(rows, MOST_ROWS.get(network.device.type, rows))
    # Past the switch of LongRoPE a row's numbers depend on the longest row beside it.
    if longest > network.reach and rope_switch(network.model.config) is not None:
        rows = 1
    return Budget(tokens=rows * longest, positions=rows, rows=rows)
