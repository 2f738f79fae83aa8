"""Replies drawn from a network: what rollouts, rankings and held-out measurements have in common.

Each draw has a seed of its own, so a reply does not depend on the batch it was drawn in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bench.models.batching import Budget
from bench.models.decode import generate
from bench.models.model import Encoded
from bench.models.reach import rope_switch
from bench.training.layout import Ids
from bench.training.network import Network, active
from bench.training.writer import Writer
from bench.types import Generation

ROWS = {"cpu": 64, "cuda": 256, "mps": 32}  # replies made side by side


@dataclass(frozen=True, slots=True)
class Sampled:
    """One reply: its tokens (the end token included if it came), its text, and whether it ended."""

    ids: Ids
    text: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How replies are drawn; temperature 0 is greedy."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0


def sample(
    network: Network,
    writer: Writer,
    prompts: Sequence[Ids],
    seeds: Sequence[int],
    sampling: Sampling,
) -> list[Sampled]:
    """One reply to each of `prompts` (the same prompt may stand several times)."""
    items = [
        Encoded(
            prompt,
            generation=Generation(
                sampling.max_tokens,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                seed=seed if sampling.temperature else 0,
            ),
        )
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    if not items:
        return []
    longest = max(map(len, prompts)) + sampling.max_tokens
    # Past the switch of LongRoPE a row's numbers depend on the longest row beside it.
    alone = longest > network.reach and rope_switch(network.model.config) is not None
    rows = 1 if alone else ROWS.get(network.device.type, 32)
    budget = Budget(tokens=rows * longest, positions=rows, rows=rows)
    with active(network), torch.no_grad():
        ends = frozenset({writer.end})
        found = dict(
            generate(
                network.model, items, budget, ends, writer.read, share=longest <= network.reach
            )
        )
    replies = [found[place] for place in range(len(items))]
    return [Sampled(made.ids, made.text, made.ids[-1] == writer.end) for made in replies]
