"""What a stage that trained has to say of itself, for the card and the next stage."""

from dataclasses import dataclass

from bench.types import DataUse


@dataclass(frozen=True, slots=True)
class Outcome:
    """`tokens` carried loss; `metrics` are those of the card: measured on held-out rows."""

    steps: int
    tokens: int
    data: tuple[DataUse, ...]
    metrics: dict[str, float]
