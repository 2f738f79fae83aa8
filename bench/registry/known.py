"""What the registry says of a task that a run asked: what a run is held against before it is shown.

`bench.evaluation.known` makes it; `bench.reporting.results` compares runs with it before they are
published (`submit`), and what is published where that is asked for (`rules_registry`).

    KnownTask(version=1, digest="9f0c...", scorers=("accuracy",), aggregates=("macro_f1",),
              items={"topic-0001": "51b2..."}, asked=200, whole=200, chance=0.25, rope=0.01,
              margin=0.02)
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task as it is, asked in one wording with one row limit.

    `digest` names rows and scoring, `items` holds the digest of each item by its id. `asked` counts
    the records that a complete run has under that limit, `whole` those it has without a limit.
    """

    version: int
    digest: str
    scorers: tuple[str, ...]
    aggregates: tuple[str, ...]
    items: Mapping[str, str]
    asked: int
    whole: int
    chance: float
    rope: float
    margin: float
