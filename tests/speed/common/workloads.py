"""What both programs are asked: real tasks of a mirror of the Hub, else embedded ones.

The requests are those that `bench` makes of its own tasks, as plain text; lm-eval is handed the
same texts. `Workload.rival_rows` of the rows, spread evenly over them, are enough to time lm-eval
where it reads every prompt anew: its time grows in step with the rows.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.evaluation.plan import Ask, Plan, Settings, make_plan
from bench.models.model import Model
from bench.registry.folder import select
from bench.registry.prompt import ShotChoice, ShotSettings
from bench.types import Generation, Request
from tests.speed.common.made_tasks import MMLU, PIQA, make_tasks

BESIDE = Path(__file__).parents[4] / "shared" / "hub"
NEEDED = (
    "allenai/ai2_arc/ARC-Easy",
    "cais/mmlu/all",
    "ybisk/piqa",
    "openai/gsm8k/main",
    "EdinburghNLP/xsum",
)
SHORT, LONG, TEXTS = (1, 4, 16), (1, 4, 16), (1, 4, 12)  # batch sizes that lm-eval is tried with
GSM8K_STOPS = ("Question:", "</s>", "<|im_end|>")  # as in lm-eval's task
NEVER = ("<|im_end|>",)  # never in a text; at "\n" most of the summaries would be empty


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks by name, in one of their wordings."""

    names: tuple[str, ...]
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """A line of the table. `target` is how many times as fast as lm-eval `bench` shall be; with
    `generation` that replaces the task's own."""

    name: str
    title: str
    target: float
    tasks: Tasks
    instead: Tasks  # without a mirror
    rows: int
    rival_rows: int
    sizes: tuple[int, ...]
    shots: int = 0
    shot_choice: ShotChoice = "fixed"
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks are found: `folder` holds the made ones; `mirror` is None without a mirror."""

    folder: Path
    mirror: Path | None

    def tasks_of(self, workload: Workload) -> Tasks:
        return workload.instead if self.mirror is None else workload.tasks


ARC, FACTS = Tasks(("arc_easy",)), Tasks(("facts",))
WORKLOADS = (
    Workload("arc", "text choices, no shots", 4.0, ARC, FACTS, 64, 64, SHORT),
    Workload("arc_fixed", "text choices, 5 shots, the same", 20.0, ARC, FACTS, 128, 12, LONG, 5),
    Workload(
        "arc_drawn",
        "text choices, 5 shots, drawn per row",
        4.5,
        ARC,
        FACTS,
        16,
        16,
        LONG,
        5,
        "per_example",
    ),
    Workload(
        "mmlu",
        "letters, 5 shots, the same in a subject",
        8.0,
        Tasks(MMLU),
        Tasks(("facts",), "lettered"),
        120,
        12,
        LONG,
        5,
    ),
    Workload(
        "piqa", "two choices, no shots", 2.0, Tasks((PIQA,)), Tasks(("truthful",)), 64, 64, SHORT
    ),
    Workload(
        "gsm8k",
        "up to 128 tokens, 5 shots, the same, mixed stops",
        2.5,
        Tasks(("gsm8k",)),
        Tasks(("arithmetic",)),
        12,
        12,
        TEXTS,
        5,
        generation=Generation(128, GSM8K_STOPS),
    ),
    Workload(
        "xsum",
        "summaries of 48 tokens",
        2.0,
        Tasks(("xsum",)),
        Tasks(("dialogue_summary",)),
        12,
        12,
        TEXTS,
        generation=Generation(48, NEVER),
    ),
)


def workload_of(name: str) -> Workload:
    """The workload of that name."""
    return next(one for one in WORKLOADS if one.name == name)


def find_place(folder: Path) -> Place:
    """The mirror of BENCH_DATA_ROOT, or the one beside the repository, if it has all that is
    needed; the tasks made of it go into `folder`, a new one."""
    given = os.environ.get("BENCH_DATA_ROOT", "")
    mirror = (Path(given) if given else BESIDE).resolve()
    if not all((mirror / data).is_dir() for data in NEEDED):
        return Place(folder, None)
    make_tasks(folder, mirror)
    return Place(folder, mirror)


def place_in(folder: Path, mirror: str) -> Place:
    """The same for a worker, which is told both."""
    return Place(folder, Path(mirror) if mirror else None)


def plans_of(workload: Workload, place: Place, rows: int, model: Model) -> list[Plan]:
    """A Plan for each task of `workload`, with `rows` rows in all."""
    asked = place.tasks_of(workload)
    settings = Settings(
        shots=ShotSettings(workload.shots, workload.shot_choice),
        variant=asked.variant,
        chat="off",
        data_root=place.mirror,
    )
    made = [place.folder] if place.mirror else []
    each = -(-rows // len(asked.names))
    plans = [make_plan(model, task, settings, each) for task, _ in select(asked.names, made)]
    return [_generating(plan, workload.generation) for plan in plans]


def requests_of(plans: Sequence[Plan]) -> list[Request]:
    """The requests of all plans; each row has one."""
    found = [ask.requests for plan in plans for ask in plan.asks]
    assert all(len(requests) == 1 for requests in found)
    return [request for (request,) in found]


def part_of(plans: Sequence[Plan], rows: Sequence[int]) -> list[Plan]:
    """The plans with only those rows whose numbers, counted through all plans, are in `rows`."""
    wanted, number, parts = set(rows), 0, []
    for plan in plans:
        numbers = range(number, number + len(plan.asks))
        asks = tuple(ask for at, ask in zip(numbers, plan.asks, strict=True) if at in wanted)
        number += len(plan.asks)
        if asks:
            parts.append(replace(plan, asks=asks))
    return parts


def scaled(rows: int, scale: float) -> int:
    """So many times `rows`, two at least."""
    return max(2, round(rows * scale))


def spread(rows: int, count: int) -> list[int]:
    """`count` of the numbers below `rows`, evenly; all of them if there are no more."""
    count = min(rows, count)
    return [at * rows // count for at in range(count)]


def _generating(plan: Plan, generation: Generation | None) -> Plan:
    if generation is None:
        return plan
    return replace(plan, asks=tuple(_asking(ask, generation) for ask in plan.asks))


def _asking(ask: Ask, generation: Generation) -> Ask:
    samples = tuple(replace(request, generation=generation) for request in ask.samples)
    return replace(ask, samples=samples)
