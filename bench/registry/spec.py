"""The schema of `task.yaml`: every key, its type, its default and one sentence on what it means.

Unknown keys are errors that name the nearest known key. `bench check` and every verb that loads a
task go through `read_spec`.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from bench.errors import TaskError
from bench.schema import Strict, read_yaml, validated
from bench.types import Normalise

Kind = Literal[
    "qa",
    "classification",
    "summarization",
    "code",
    "maths",
    "translation",
    "truthfulness",
    "safety",
    "instruction",
]
KINDS: tuple[str, ...] = get_args(Kind)
Unit = Annotated[float, Field(ge=0.0, le=1.0)]


class SourceSpec(Strict):
    """Where the rows come from and under which licence."""

    licence: str
    url: str = ""
    citation: str = ""


class DataSpec(Strict):
    """Either `files` (split name -> path inside the folder) or `hub` (pinned by `revision`)."""

    files: dict[str, str] = Field(default_factory=dict)
    hub: str = ""
    config: str = ""
    revision: str = ""

    @model_validator(mode="after")
    def one_origin(self) -> Self:
        """A task reads files or the Hub, not both; Hub data is pinned."""
        if bool(self.files) == bool(self.hub):
            raise ValueError("give exactly one of files and hub")
        if self.hub and not self.revision:
            raise ValueError("hub data needs a revision (a commit hash) so that rows cannot move")
        if self.files and (self.config or self.revision):
            raise ValueError("config and revision belong to hub, not to files")
        return self


class SplitsSpec(Strict):
    """Which data split plays which role. Only `test` is required."""

    train: str = ""
    shots: str = ""
    test: str


class GenerateSpec(Strict):
    """How replies are generated; a task with this key generates, one without scores choices."""

    max_tokens: int = Field(gt=0)
    stops: tuple[str, ...] = ()
    samples: int = Field(default=1, gt=0)
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def distinct_samples(self) -> Self:
        """Several greedy samples would be one text; an empty stop would stop everything."""
        if self.samples > 1 and self.temperature == 0.0:
            raise ValueError("samples > 1 needs a temperature above 0")
        if "" in self.stops:
            raise ValueError("an empty stop string stops at once")
        return self


class ExtractSpec(Strict):
    """How the answer is cut out of the generated text."""

    how: Literal["text", "first_line", "number", "code_block", "choice_letter", "regex"] = "text"
    pattern: str = ""

    @model_validator(mode="after")
    def pattern_goes_with_regex(self) -> Self:
        """`pattern` is required by `how: regex` and means nothing elsewhere."""
        if (self.how == "regex") != bool(self.pattern):
            raise ValueError("pattern goes with how: regex, and only with it")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        return self


class VariantSpec(Strict):
    """A named alternative wording; a key left out keeps the task's own value."""

    prompt: str | None = None
    instruction: str | None = None
    answer: str | tuple[str, ...] | None = None
    target: str | None = None
    choices: str | tuple[str, ...] | None = None


class TaskSpec(Strict):
    """A whole `task.yaml`. Expressions are Jinja expressions over the columns of a row."""

    title: str
    """A short name for tables."""
    kind: Kind
    """The group under which the task is reported."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    """ISO 639-1 code of the prompts."""
    version: int = Field(gt=0)
    """Raised whenever rows, prompts or scoring change."""
    source: SourceSpec
    """`licence`, `url`, `citation` of the rows."""
    data: DataSpec
    """`files` (split name -> path in the folder), or `hub`, `config`, `revision` of a data set."""
    splits: SplitsSpec
    """Which data split is the `train`, the `shots`, the `test` split; only `test` is required."""
    id: str = ""
    """Column with a unique id; empty: the row number within its split."""
    cluster: str = ""
    """Column shared by rows that are not independent (a passage); empty: every row on its own."""
    instruction: str = ""
    """Constant text said once, before shots and question."""
    prompt: str
    """Jinja template of the question; a name that is no column is an error."""
    answer: str | tuple[str, ...]
    """Expression for the accepted text, the list of accepted texts, or the right choice (its text
    or position); a YAML list holds several such expressions."""
    target: str = ""
    """Expression for the text that shots show and training learns; empty: first accepted answer."""
    choices: str | tuple[str, ...] = ()
    """Expression giving the list of choices, or the literal choices as a YAML list."""
    variants: dict[str, VariantSpec] = Field(default_factory=dict)
    """Name -> alternative `prompt`, `instruction`, `choices`, `answer`, `target`; see --variant."""
    normalise: Normalise = "none"
    """How choice log-likelihoods are compared: `none` (as they are), per `char`, `byte` or `token`,
    or against the choice's own log-likelihood without the question (`pmi`)."""
    delimiter: str = " "
    """Between question and answer in plain text (a chat template brings its own)."""
    generate: GenerateSpec | None = None
    """`max_tokens`, `stops`, `samples`, `temperature`, `top_p` of generated replies; a task without
    this key scores its choices instead."""
    extract: ExtractSpec = ExtractSpec()
    """`how` the answer is cut out of a generated reply: text, first_line, number (the last one),
    code_block, choice_letter, or regex with a `pattern`."""
    check: dict[str, str] = Field(default_factory=dict)
    """What a scorer needs beyond the answers: name -> expression."""
    scorers: tuple[str, ...] = Field(min_length=1)
    """Scorers of one reply, each in [0, 1]; the first is the headline."""
    aggregates: tuple[str, ...] = ()
    """Metrics over all records (macro_f1, mcc, ece, brier, nll, pass@k, ...)."""
    chance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """What random choices, or the replies to other rows, score."""
    margin: Unit = 0.03
    """Non-inferiority margin: the largest loss that still counts as none."""
    rope: Unit = 0.02
    """Half-width of the region of practical equivalence."""
    suites: tuple[str, ...] = ()
    """Suites that include the task."""

    @model_validator(mode="after")
    def can_be_asked(self) -> Self:
        """A task generates text or scores choices; pmi needs choices to compare."""
        if self.generate is None and not self.choices:
            raise ValueError("needs choices (scored by log-likelihood) or generate (text)")
        if self.generate is not None and self.extract.how == "choice_letter" and not self.choices:
            raise ValueError("extract: choice_letter needs choices")
        if len(set(self.scorers)) < len(self.scorers):
            raise ValueError("a scorer is named twice")
        return self

    @model_validator(mode="after")
    def choices_differ(self) -> Self:
        """Literal choices are two or more, and different, in every wording."""
        for choices in (self.choices, *(variant.choices for variant in self.variants.values())):
            if isinstance(choices, tuple) and choices and len(set(choices)) < max(2, len(choices)):
                raise ValueError(f"choices {list(choices)} are not two or more different texts")
        return self


def read_spec(path: Path) -> TaskSpec:
    """The validated `task.yaml` at `path`.

    Raises:
        TaskError: no such file, not YAML, an unknown key, or a value of the wrong type; the
            message names file, key path, value and what was expected.
    """
    guide = "see CONTRIBUTING.md, or start from `bench new`"
    raw = read_yaml(path, TaskError, f"bench new {path.parent.name} --kind qa", guide)
    return validated(path, raw, TaskSpec, TaskError, "see the keys in CONTRIBUTING.md")
