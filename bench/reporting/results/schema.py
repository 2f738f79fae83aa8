"""A Result: one model on one task in one wording, item by item, with all that a reader must know.

The one form that everything on a board is computed from. Runs become Results (`from_run`), other
tools' files do (`bench.reporting.importers`), and files under `leaderboard/results/` are Results.
Data only; scores and measures are columns, one value an item, None where there is none.

>>> Metric("toxicity", lower_is_better=True).better(-0.1)
True
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.types import Json

SCHEMA_VERSION = 1
Column = tuple[float | None, ...]

WIN_RATE = "win_rate"  # the name of a metric: which of two replies a judge preferred
# Settings of a judged Result: who judged (or all who did, by number), and against whose replies.
JUDGE, JUDGES, REFERENCE = "judge", "judges", "reference"
LENGTH, REFERENCE_LENGTH = "characters", "reference_characters"
CAME_FIRST, JUDGED_BY = "came_first", "judged_by"
BRIER, SURPRISE = "brier", "nll"  # of one item; their means are the aggregates of these names
# Measures of a reply beside its scores, and what each means; a Result holds those that are known.
MEASURES: Mapping[str, str] = {
    "parsed": "1 where an answer was found in the reply, 0 where none was",
    "refused": "1 where the reply declines to answer",
    "cut_off": "1 where the reply ended because it ran out of tokens",
    LENGTH: "length of the reply in characters",
    REFERENCE_LENGTH: "length of the reply that it was judged against",
    CAME_FIRST: "1 where the judge saw the reply before the one it was judged against, else 0",
    JUDGED_BY: "who judged: a place in the list of judges that the settings hold",
    "tokens": "length of the reply in tokens of the model that wrote it",
    "probability": "probability the model gave to the choice that it finds most probable",
    "correct": "1 where that choice was right (with `probability`: calibration)",
    BRIER: "squared distance of all probabilities from what was right",
    SURPRISE: "negative log-probability of what was right, in nats",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """What one score means. `rope` and `margin` are differences in the metric's own unit: below
    `rope` nobody cares, and a capability may fall by `margin` before it counts as lost."""

    name: str
    lower_is_better: bool = False
    low: float = 0.0
    high: float = 1.0
    chance: float = 0.0
    rope: float = 0.01
    margin: float = 0.02

    def better(self, difference: float) -> bool:
        """Whether a difference of this sign is an improvement."""
        return difference < 0 if self.lower_is_better else difference > 0


# A coin wins half of the time; two wins in a hundred are below what judges agree on.
WINS = Metric(WIN_RATE, chance=0.5, rope=0.02, margin=0.03)


@dataclass(frozen=True, slots=True)
class Link:
    """A model that another was trained from (`policy`) or judged by (`reward`)."""

    role: Literal["policy", "reward"]
    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """Who answered. `revision` tells apart weights of one name; `family` groups lineages of one
    kind at several sizes; `stage` is one of `bench.types.Stage` or ""."""

    name: str
    revision: str
    stage: str = ""
    family: str = ""
    size: str = ""
    parameters: int | None = None
    recipe: str = ""
    licence: str = ""
    parents: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """What was asked. The first of `metrics` is the headline; `digest` names rows and scoring,
    `prompts_digest` the wording as the model saw it, `variant` a named wording ("" the usual)."""

    name: str
    version: int
    digest: str
    prompts_digest: str
    kind: str
    language: str
    metrics: tuple[Metric, ...]
    variant: str = ""
    title: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the numbers came about. `tool` is the program and version that asked the model, `scorer`
    the one that scored the replies; `seconds` the wall time of the task."""

    tool: str
    scorer: str
    command: str
    started: str
    seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    git: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """The items [n] as columns. `failures` holds the reason where the model gave no reply ("" where
    it did); then every score is None. `clusters` names what is not independent."""

    ids: tuple[str, ...]
    digests: tuple[str, ...]
    clusters: tuple[str, ...]
    samples: tuple[int, ...]
    failures: tuple[str, ...]
    scores: Mapping[str, Column]
    measures: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one task in one wording.

    `asked` counts the items that were meant to be asked: fewer in `items` is a partial result.
    `settings` decide prompts and decoding (shots, seed, chat, system, limit, temperature ...).
    `aggregates` are metrics over all items (F1, ECE, distinct-2), None where undefined.
    """

    schema_version: int
    model: ModelEntry
    task: TaskEntry
    settings: Mapping[str, Json]
    provenance: Provenance
    asked: int
    items: Items
    aggregates: Mapping[str, float | None] = field(default_factory=dict)
