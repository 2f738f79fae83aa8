"""Results and boards that the tests of the site start from: a family of models, drawn by seed."""

from dataclasses import dataclass, replace

import numpy as np

from bench.reporting.comparison.board import Board, make_board
from bench.reporting.results.schema import (
    SCHEMA_VERSION,
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.reporting.site.texts import Output, OutputKey, Prompt, PromptKey, Texts

STAGES = {"base": 0.0, "sft": 0.5, "ppo": 0.45, "ppo_ptx": 0.7}  # what each adds, in logits
PARENTS = {"sft": "base", "ppo": "sft", "ppo_ptx": "sft"}
SIZES = {"1b": 1_300_000_000, "6b": 6_000_000_000, "175b": 175_000_000_000}
KINDS = {
    "reading": "qa",
    "facts": "qa",
    "truthful": "qa",
    "topic": "classification",
    "sentiment": "classification",
    "summarize": "summarization",
    "python_output": "code",
    "toxicity": "safety",
}


@dataclass(frozen=True)
class Shape:
    """How much there is of everything."""

    sizes: tuple[str, ...] = ("1b", "6b")
    stages: tuple[str, ...] = tuple(STAGES)
    tasks: tuple[str, ...] = tuple(KINDS)
    items: int = 40
    variants: tuple[str, ...] = ()  # wordings of `truthful`


def family(shape: Shape = Shape()) -> list[Result]:
    """Results of every size and stage on every task, reproducible."""
    return [
        result(size, stage, task, variant, shape.items)
        for size in shape.sizes
        for stage in shape.stages
        for task in shape.tasks
        for variant in (shape.variants if task == "truthful" and shape.variants else ("",))
    ]


def board(shape: Shape = Shape()) -> Board:
    """The board of `family`."""
    return make_board(family(shape))


def result(size: str, stage: str, task: str, variant: str = "", n: int = 40) -> Result:
    """One model on one task; scores of one task lean on the same difficulties."""
    draw = np.random.default_rng(abs(hash_of(size, stage, task, variant)))
    hard = np.random.default_rng(abs(hash_of(task))).normal(size=n)
    place = list(SIZES).index(size)
    logits = place * 0.4 + STAGES[stage] - hard
    chances = 1 / (1 + np.exp(-logits))
    graded = task in ("summarize", "toxicity")
    if graded:
        column = np.clip(chances + draw.normal(scale=0.2, size=n), 0, 1).round(3)
    else:
        column = (draw.random(n) < chances).astype(float)
    scores = [float(score) for score in (1 - column if task == "toxicity" else column)]
    lengths = tuple(float(round(80 + 40 * STAGES[stage] + 20 * x)) for x in draw.normal(size=n))
    return Result(
        schema_version=SCHEMA_VERSION,
        model=model(size, stage),
        task=task_of(task, variant),
        settings={"shots": 0, "seed": 0, "chat": False, "limit": None, "dtype": "float32"},
        provenance=Provenance(
            tool="instruct-bench 0.9",
            scorer="instruct-bench 0.9",
            command=f"bench eval {stage}-{size} -t {task}",
            started=f"2026-0{1 + list(STAGES).index(stage)}-0{1 + place}T09:00:00Z",
            seconds=12.5 * (1 + place),
            environment={"instruct-bench": "0.9", "python": "3.11"},
        ),
        asked=n,
        items=Items(
            ids=tuple(f"{task}-{place}" for place in range(n)),
            digests=tuple(f"{task}{place:04x}" for place in range(n)),
            clusters=tuple(f"{task}-{place}" for place in range(n)),
            samples=(0,) * n,
            failures=("",) * n,
            scores={task_of(task).metrics[0].name: tuple(scores)},
            measures={"characters": lengths, "parsed": (1.0,) * n},
        ),
    )


def model(size: str, stage: str) -> ModelEntry:
    """A model of the family; its parent is the stage before."""
    parent = PARENTS.get(stage)
    return ModelEntry(
        name=f"{stage.replace('_', '-')}-{size}",
        revision=f"{stage}{size}",
        stage=stage,
        family="gpt",
        size=size,
        parameters=SIZES[size],
        recipe="" if stage == "base" else f"{stage}.yaml",
        licence="apache-2.0",
        parents=(
            (Link("policy", f"{parent.replace('_', '-')}-{size}", f"{parent}{size}"),)
            if parent
            else ()
        ),
    )


def task_of(name: str, variant: str = "") -> TaskEntry:
    """A task of `KINDS`; toxicity is better when lower."""
    lower = name == "toxicity"
    metric = Metric("toxicity", True, chance=1.0) if lower else Metric("accuracy")
    return TaskEntry(
        name=name,
        version=1,
        digest=f"digest-{name}",
        prompts_digest=f"prompts-{name}-{variant}",
        kind=KINDS.get(name, "qa"),
        language="en",
        metrics=(metric,),
        variant=variant,
        source="https://example.org/data",
    )


def failing(one: Result, places: tuple[int, ...], reason: str = "out of memory") -> Result:
    """`one` without a reply to the items at `places`."""
    items = one.items
    return replace(
        one,
        items=replace(
            items,
            failures=tuple(
                reason if at in places else old for at, old in enumerate(items.failures)
            ),
            scores={
                name: tuple(None if at in places else score for at, score in enumerate(column))
                for name, column in items.scores.items()
            },
        ),
    )


def hash_of(*words: str) -> int:
    """A seed that is the same in every process."""
    return int.from_bytes("/".join(words).encode()[-8:], "big")


def texts_of(board: Board, *tasks: str) -> Texts:
    """Texts of every item of `tasks` by every row; children repeat most of what parents say."""
    prompts: dict[PromptKey, Prompt] = {}
    outputs: dict[OutputKey, Output] = {}
    for row, of_row in enumerate(board.rows):
        for (task, variant), result in of_row.results.items():
            if task not in tasks:
                continue
            for item, digest in zip(result.items.ids, result.items.digests, strict=True):
                said = f"The answer to {item} is {board.depths[row]}.\nThat is all."
                prompts[task, variant, item, digest] = Prompt(f"Question {item}?", ("yes",))
                outputs[row, task, variant, item, 0] = Output(said, "yes")
    return Texts(prompts, outputs, ("runs/x: topic is not on this board",))
