"""What the result of a stage depends on, as one digest: where it is the same, nothing is trained.

`bench.training.stages` keeps it in the card, and in the saved state of a stage that was killed.

    "5e51746cef623b96"    settings, parents, data, what judges, seed and arithmetic
"""

from collections.abc import Sequence
from pathlib import Path

from bench.registry.folder import Task, select
from bench.registry.prompt import digest
from bench.training.recipe import data_names
from bench.training.settings import Rank, Reinforcement, StageSettings
from bench.training.workshop import Workshop
from bench.types import Json, Parent

# How a stage is watched over, not what it makes: a run that was stopped by `max_kl` goes on from
# its saved state when that is raised. `micro_tokens` moves last bits, so it counts.
NOT_INPUTS = {"save_every", "measure_every", "max_kl", "max_loss"}


def inputs_digest(workshop: Workshop, stage: StageSettings, parents: Sequence[Parent]) -> str:
    """Names everything that the stage's result depends on."""
    data = {key: dict(workshop.corpus(name).digests) for key, name in data_names(stage)}
    mixes = [workshop.mix(name).model_dump(mode="json") for _, name in data_names(stage)]
    holdouts = [
        workshop.recipe.data[name].holdout.model_dump(mode="json")
        for _, name in data_names(stage)
        if name in workshop.recipe.data
    ]
    return digest(
        [
            stage.model_dump(mode="json", by_alias=True, exclude=NOT_INPUTS),
            [[parent.role, parent.digest] for parent in parents],
            data,
            mixes,
            holdouts,
            [_code(workshop.places.recipe_folder / file) for file in _function_files(stage)],
            _scorers(workshop, stage),
            workshop.recipe.seed,
            str(workshop.dtype),
        ]
    )


def _function_files(stage: StageSettings) -> list[str]:
    """The files of the functions that the stage's reward calls."""
    parts = stage.reward if isinstance(stage, Reinforcement) else ()
    return [part.function.rpartition(":")[0] for part in parts if part.function]


def _scorers(workshop: Workshop, stage: StageSettings) -> list[Json]:
    """How the tasks score whose prompts the stage replies to, if their scorers judge it."""
    match stage:
        case Rank(by=by, prompts=prompts) if by.scorer:
            pass
        case Reinforcement(reward=reward, prompts=prompts) if any(p.scorer for p in reward):
            pass
        case _:
            return []
    sources = workshop.recipe.data[prompts].sources
    chosen = select([one.task for one in sources if one.task], workshop.places.task_folders)
    return [_scoring(task) for task, _ in chosen]


def _scoring(task: Task) -> Json:
    spec = task.spec.model_dump(mode="json", include={"scorers", "extract", "generate", "check"})
    return [spec, _code(task.folder / "task.py")]


def _code(path: Path) -> str:
    """The content of a file of Python; "" where there is none, which whoever calls it tells."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
