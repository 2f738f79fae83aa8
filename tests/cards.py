"""A card to vary: what training would leave in a checkpoint folder."""

from dataclasses import replace

from bench.cards import SCHEMA_VERSION
from bench.types import Card, DataUse

PLAIN = Card(
    schema_version=SCHEMA_VERSION,
    name="warm",
    stage="sft",
    digest="0123456789abcdef",
    inputs_digest="fedcba9876543210",
    parents=(),
    recipe="recipe.yaml",
    settings={"kind": "sft", "epochs": 2},
    data=(DataUse("topic", "aa", rows=200, drawn=400, epochs=2.0, tokens=1234),),
    steps=40,
    tokens=1234,
    seed=0,
    seconds=12.5,
    peak_memory_bytes=2**20,
    metrics={"loss": 1.5},
    command="bench train recipe.yaml",
    environment={"python": "3.11.0"},
    git={},
    created="2026-01-01T00:00:00+00:00",
)


def card(**changes) -> Card:
    """The plain card with some fields changed."""
    return replace(PLAIN, **changes)
