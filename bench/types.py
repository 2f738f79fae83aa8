"""The concepts that every room shares, as frozen values: data only, no I/O.

One row of a task becomes an Example; an Example becomes Requests; a model answers a Request with a
Reply; a Reply scored is a Record; Records fold into Cells.
Training learns from Demonstrations and Rankings, and leaves a Card in every checkpoint it writes.

>>> Turn("user", "2 + 2 =").role
'user'
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

Json = JsonValue
Role = Literal["system", "user", "assistant"]
Normalise = Literal["none", "char", "byte", "token", "pmi"]
Finish = Literal["stop", "length", "scored", "error"]
Status = Literal["scored", "failed"]
Stage = Literal["base", "sft", "rm", "dpo", "ppo", "ppo_ptx", "rloo", "grpo", "published"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Shot:
    """A solved question shown before the one that is asked."""

    question: str
    target: str


@dataclass(frozen=True, slots=True)
class Extract:
    """How the answer is cut out of a generated text (see `bench.scoring.extract`)."""

    how: Literal["text", "first_line", "number", "code_block", "choice_letter", "regex"] = "text"
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """How text is made. `temperature` 0 is greedy; `sample` numbers the draws of one prompt.

    Raises:
        ValueError: no token may be made, none may be drawn, or the temperature is below 0.
    """

    max_tokens: int
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    sample: int = 0

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or not 0.0 < self.top_p <= 1.0 or self.temperature < 0.0:
            raise ValueError(
                f"max_tokens {self.max_tokens}, top_p {self.top_p}, temperature {self.temperature}"
                ": expected at least 1, above 0 and at most 1, at least 0"
            )


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a task, rendered: what is asked and what counts as right.

    `generation` is None for tasks that are scored by the log-likelihood of their choices.
    `right` holds the positions in `choices` of the accepted choices (empty without choices).
    `digest` identifies the item (question, answers, choices, check), whatever shots or chat
    template surround it.
    """

    task: str
    id: str
    cluster: str
    variant: str
    instruction: str
    shots: tuple[Shot, ...]
    question: str
    delimiter: str
    target: str
    answers: tuple[str, ...]
    choices: tuple[str, ...]
    right: tuple[int, ...]
    normalise: Normalise
    extract: Extract
    generation: Generation | None
    samples: int
    check: Mapping[str, Json]
    digest: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked: score `continuations` after `prompt`, or generate from it.

    `special_tokens` is False when a chat template has already written BOS into the prompt.
    `essential` counts the characters at the end of the prompt that may not be cut off when it is
    longer than the model reads: shots may go, the question may not.
    """

    prompt: str
    continuations: tuple[str, ...] = ()
    generation: Generation | None = None
    special_tokens: bool = True
    essential: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Log-probabilities are natural logarithms, one sum per continuation.

    `baseline` holds the same sums without the prompt (for pointwise mutual information);
    `token_counts` the length in tokens of each continuation; `truncated` how many prompt tokens
    were cut on the left; `error` is None unless the model could not answer.
    """

    text: str | None = None
    logprobs: tuple[float, ...] = ()
    greedy: tuple[bool, ...] = ()
    token_counts: tuple[int, ...] = ()
    baseline: tuple[float, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    truncated: int = 0
    seconds: float = 0.0
    finish: Finish = "stop"
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A Reply scored, or the reason why it could not be. A failed Record has no score, not 0.

    `prediction` is the chosen choice or the extracted text, None when nothing could be parsed;
    `probabilities` is the softmax over the choices (empty without choices).
    """

    task: str
    id: str
    cluster: str
    digest: str
    prompt_digest: str
    variant: str
    sample: int
    status: Status
    scores: Mapping[str, float]
    prediction: str | None
    gold: str
    answers: tuple[str, ...]
    choices: tuple[str, ...]
    probabilities: tuple[float, ...]
    reply: Reply
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One checkpoint on one task under one metric: estimate, interval, counts.

    `estimate`, `lo`, `hi` are None where nothing was scored: missing is not zero.
    """

    model: str
    run: str
    task: str
    kind: str
    language: str
    metric: str
    headline: bool
    estimate: float | None
    lo: float | None
    hi: float | None
    level: float
    method: str
    n: int
    n_clusters: int
    failed: int
    chance: float
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked in training: as a chat, and as plain text for models without a template.

    `source` is the task or data set, `group` what must not be split between training and held-out
    rows (a user, a passage, a template); `example` is the task's row, None for plain data: with it
    the task's own scorer can judge a reply.
    """

    source: str
    id: str
    group: str
    turns: tuple[Turn, ...]
    text: str
    delimiter: str
    example: Example | None = None


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A prompt with the reply to learn."""

    prompt: Prompt
    target: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """A prompt with K replies; rank 1 is best and equal ranks are ties.

    `scores` are what the ranks came from (empty when a person ranked); `target` is the
    demonstration of the same prompt, empty where there is none.
    """

    prompt: Prompt
    replies: tuple[str, ...]
    ranks: tuple[int, ...]
    scores: tuple[float, ...] = ()
    target: str = ""


@dataclass(frozen=True, slots=True)
class DataUse:
    """How much of one source a stage learned from. `epochs` is rows drawn over rows there are;
    `tokens` counts those that carried loss."""

    source: str
    digest: str
    rows: int
    drawn: int
    epochs: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Parent:
    """A checkpoint that a stage started from (`policy`) or was judged by (`reward`)."""

    role: Literal["policy", "reward"]
    name: str
    stage: Stage
    folder: str
    digest: str


@dataclass(frozen=True, slots=True)
class Card:
    """`bench.json` in a checkpoint folder: where it comes from and what it cost.

    `settings` is the stage of the recipe, whole; `inputs_digest` names everything the stage depends
    on, so an unchanged stage is not trained again; `digest` is that of the weights.
    """

    schema_version: int
    name: str
    stage: Stage
    digest: str
    inputs_digest: str
    parents: tuple[Parent, ...]
    recipe: str
    settings: dict[str, Json]
    data: tuple[DataUse, ...]
    steps: int
    tokens: int
    seed: int
    seconds: float
    peak_memory_bytes: int
    metrics: dict[str, float]
    command: str
    environment: dict[str, str]
    git: dict[str, str]
    created: str


@dataclass(frozen=True, slots=True)
class TaskRun:
    """What a run needs to say about one of its tasks."""

    task: str
    kind: str
    language: str
    version: int
    digest: str
    prompts_digest: str
    variant: str
    scorers: tuple[str, ...]
    aggregates: tuple[str, ...]
    chance: float
    margin: float
    rope: float
    limit: int | None
    rows: int
    failed: int
    truncated: int
    tokens_in: int
    tokens_out: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """What was done: a checkpoint, tasks with digests, settings, environment, command, commit.

    `asked` and `reused` (from the ledger) are of the latest invocation. `started`, `seconds` (wall
    time), memory and energy are too, unless it asked nothing: then they stay what they were.
    `energy_joules` is None where the machine does not report it.
    """

    schema_version: int
    name: str
    model: str
    model_digest: str
    model_description: dict[str, str | int | float]
    settings: dict[str, Json]
    tasks: tuple[TaskRun, ...]
    command: str
    environment: dict[str, str]
    git: dict[str, str]
    started: str
    seconds: float
    asked: int
    reused: int
    peak_memory_bytes: int
    energy_joules: float | None
    records_sha256: str = ""
