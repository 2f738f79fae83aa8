"""Checkpoint x task -> what has to be asked.

A Plan holds the Examples of one task with the prompts as the model will see them, so that digests,
resume and the fakes' answer key all speak of the same text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.errors import UsageError
from bench.models.model import Model
from bench.registry.folder import Task
from bench.registry.prompt import (
    Failure,
    ShotSettings,
    as_text,
    as_turns,
    digest,
    load_examples,
    with_variant,
)
from bench.types import Example, Request

Chat = Literal["auto", "on", "off"]
ShotsAs = Literal["turns", "text"]


# What decides, beside the items themselves, what a score means.
SCORED_BY = {"version", "scorers", "aggregates", "normalise", "generate", "extract"}


@dataclass(frozen=True, slots=True)
class Settings:
    """How tasks are asked; saved whole in run.json."""

    shots: ShotSettings = ShotSettings()
    """Number of shots, how they are drawn, and the seed of everything random."""
    variant: str = ""
    """Named alternative wording; tasks without it are an error."""
    limit: int | None = None
    """Only the first rows of each test split."""
    chat: Chat = "auto"
    """Use the tokenizer's chat template: when there is one, always, never."""
    system: str = ""
    """System message of the chat."""
    shots_as: ShotsAs = "turns"
    """Shots as turns of their own, or everything in one user turn."""
    data_root: Path | None = None
    """Local mirror of the Hub."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit: found {self.limit}, expected at least 1", "leave it out")
        if self.shots.count < 0:
            raise UsageError(f"shots: found {self.shots.count}, expected 0 or more", "use 0")


@dataclass(frozen=True, slots=True)
class Ask:
    """One Example and the Requests it takes.

    `samples` holds one request a sample; `baseline` scores the choices without the question (for
    pmi). `prompt_digest` names the text that the model sees.
    """

    example: Example
    samples: tuple[Request, ...]
    baseline: Request | None
    prompt_digest: str

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests, the baseline last."""
        return self.samples + ((self.baseline,) if self.baseline else ())


@dataclass(frozen=True, slots=True)
class Plan:
    """One task, asked of one model. `chat` tells whether the chat template was used."""

    task: Task
    asks: tuple[Ask, ...]
    failures: tuple[Failure, ...]
    limit: int | None
    chat: bool

    @property
    def digest(self) -> str:
        """See `digest_of`."""
        return digest_of(self.task, [ask.example for ask in self.asks])

    @property
    def prompts_digest(self) -> str:
        """Identifies the prompts as the model saw them: wording, shots, chat template."""
        return digest([ask.prompt_digest for ask in self.asks])


def make_plan(model: Model, task: Task, settings: Settings, limit: int | None = None) -> Plan:
    """What to ask `model` about `task`; the smaller of `limit` and `settings.limit` rows.

    Raises:
        TaskError: data, templates or shots are wrong.
        UsageError: no such variant, or chat asked of a model without a template.
    """
    limits = [bound for bound in (limit, settings.limit) if bound is not None]
    rows = min(limits, default=None)
    chat = uses_chat(model, settings)
    examples, failures = load_examples(
        task, settings.shots, settings.variant, rows, settings.data_root
    )
    pmi = "accuracy_pmi" in task.spec.scorers or task.spec.normalise == "pmi"
    asks = tuple(_ask(model, example, settings, chat, pmi) for example in examples)
    return Plan(task, asks, tuple(failures), rows, chat)


def digest_of(task: Task, examples: Iterable[Example]) -> str:
    """Identifies items and scoring of a task: equal digests mean comparable scores."""
    items = [example.digest for example in examples]
    spec = task.spec.model_dump(mode="json", include=SCORED_BY)
    return digest([spec, items])


def uses_chat(model: Model, settings: Settings) -> bool:
    """Whether prompts go through the chat template.

    Raises:
        UsageError: --chat on, or --system, for a model without a template.
    """
    if settings.chat == "on" and not model.has_chat_template:
        raise UsageError(f"{model.name} has no chat template", "use --chat off or auto")
    chat = settings.chat != "off" and model.has_chat_template
    if settings.system and not chat:
        raise UsageError(
            f"--system needs a chat template, which {model.name} is not asked through",
            "leave --system out, or use --chat on with a chat model",
        )
    return chat


def answer_key(plans: Sequence[Plan]) -> dict[str, str]:
    """Prompt -> the task's own target, for the fakes."""
    return {
        ask.samples[0].prompt: ask.example.target or ask.example.answers[0]
        for plan in plans
        for ask in plan.asks
    }


def check_variants(tasks: Sequence[Task], variant: str) -> None:
    """Raise UsageError before any work if a task lacks `variant`."""
    for task in tasks:
        with_variant(task, variant)


def _ask(model: Model, example: Example, settings: Settings, chat: bool, pmi: bool) -> Ask:
    if chat:
        turns = as_turns(example, settings.system, settings.shots_as == "turns")
        prompt, delimiter = model.chat(turns), ""
    else:
        prompt, delimiter = as_text(example), example.delimiter
    # Some chat templates trim what they are given.
    essential = len(prompt) - max(prompt.rfind(example.question.strip()), 0)
    request = Request(prompt, special_tokens=not chat, essential=essential)
    options = tuple(delimiter + choice for choice in example.choices)
    generation = example.generation
    if generation is None:
        samples: tuple[Request, ...] = (replace(request, continuations=options),)
    else:
        samples = tuple(
            replace(
                request,
                generation=replace(
                    generation,
                    sample=number,
                    seed=_seed(settings.shots.seed, example, number)
                    if generation.temperature
                    else 0,
                ),
            )
            for number in range(example.samples)
        )
    baseline = Request("", options) if pmi and generation is None else None
    return Ask(example, samples, baseline, digest([prompt, delimiter]))


def _seed(seed: int, example: Example, sample: int) -> int:
    """Randomness from seed + digest, never from a position in a batch."""
    return int(digest([seed, example.task, example.digest, sample])[:12], 16)
