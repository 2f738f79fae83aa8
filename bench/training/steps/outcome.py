"""What a stage that trained has to say of itself, for the card and the next stage."""

from dataclasses import dataclass

from bench.errors import RunError
from bench.types import DataUse


@dataclass(frozen=True, slots=True)
class Outcome:
    """`tokens` carried loss; `metrics` are those of the card: measured on held-out rows.

    `error` says how the stage went astray, if it did: then all this is of its last good state,
    which lies in the folder `last-good` below the stage's.
    """

    steps: int
    tokens: int
    data: tuple[DataUse, ...]
    metrics: dict[str, float]
    error: RunError | None = None
