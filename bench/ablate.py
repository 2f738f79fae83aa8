"""One setting of a recipe's last stage at several values: train each, evaluate, draw the curve.

    bench ablate demo --stage ppo --over ptx.gamma --values 0,1,5,20,28 -t core

The stages above are trained once; each variant is a stage of its own, so a killed ablation goes on
where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.api import EvaluatedRun, evaluate_one, train_loaded
from bench.cards import read_card
from bench.errors import UsageError
from bench.evaluation.ask import Progress
from bench.evaluation.plan import Settings
from bench.models.options import ModelOptions
from bench.registry.folder import Task
from bench.reporting.ablation import AblationPoint, write_ablation
from bench.reporting.cells import by_kind
from bench.training.recipe import LoadedRecipe, variant_name, varied
from bench.training.steps.watch import Watcher


@dataclass(frozen=True, slots=True)
class Study:
    """What is varied: `key` (below the stage) of `stage`, at each of `values`."""

    stage: str
    key: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) < 2:
            raise UsageError(
                f"--values: found {list(self.values)}, expected two or more different numbers",
                "such as --values 0,1,5,20,28",
            )


def ablate(
    loaded: LoadedRecipe,
    study: Study,
    tasks: Sequence[tuple[Task, int | None]],
    settings: Settings,
    output: Path,
    watcher: Watcher,
    progress: Progress,
    task_folders: Sequence[Path] = (),
) -> Path:
    """Train, evaluate and compare the variants of `study`; the path of the page.

    Capability is the mean of the tasks' headline metrics, reward the mean on held-out prompts.

    Raises:
        BenchError: as `bench train` and `bench eval` would report it.
    """
    recipe = varied(loaded.recipe, study.stage, study.key, study.values)
    variants = replace(loaded, recipe=recipe)
    train_loaded(
        variants,
        (),
        output,
        task_folders=task_folders,
        data_root=settings.data_root,
        watcher=watcher,
    )

    def point(value: float, name: str, model: str) -> AblationPoint:
        options = ModelOptions(dtype="float32", device=recipe.device)
        run = evaluate_one(model, tasks, settings, output / "runs", options, progress)
        return _point(value, name, Path(model), run)

    points = [
        point(value, name, str(output / name))
        for value in study.values
        for name in [variant_name(study.stage, study.key, value)]
    ]
    parent = loaded.recipe.stages[study.stage].from_
    folder = output / parent
    elsewhere = recipe.base if parent == "base" else parent
    model = str(folder) if parent in recipe.stages else elsewhere
    return write_ablation(points, output, study.key, point(0.0, parent, model))


def _point(value: float, name: str, folder: Path, run: EvaluatedRun) -> AblationPoint:
    card = read_card(folder)
    metrics = card.metrics if card else {}
    (whole,) = by_kind([replace(cell, kind="all tasks") for cell in run.cells])
    return AblationPoint(
        value=value,
        name=name,
        capability=whole,
        reward=metrics.get("held_out/reward"),
        kl=metrics.get("held_out/kl"),
        cells=run.cells,
    )
