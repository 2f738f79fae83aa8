"""The Python API: calls that do what the command line does.

>>> import bench
>>> runs = bench.evaluate("fake:gold", ["facts"], limit=4, output="/tmp/bench-doctest")
>>> [cell.estimate for cell in runs[0].cells if cell.headline]
[1.0]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import ModelError, RunError, UsageError
from bench.evaluation.ask import Progress
from bench.evaluation.plan import Chat, Settings, ShotsAs, answer_key, check_variants, make_plan
from bench.evaluation.references import Render
from bench.evaluation.run import evaluate_model, rescore
from bench.models.fake import open_fake
from bench.models.install import collector_at_rest, prepare_local
from bench.models.model import Model
from bench.models.options import ModelOptions
from bench.models.weights import find_folder, find_weights
from bench.registry.folder import Task, select
from bench.registry.prompt import ShotChoice, ShotSettings
from bench.reporting.cells import cells_of
from bench.store import load_run as read_run
from bench.training.recipe import LoadedRecipe, check_stages, load_recipe
from bench.training.steps.watch import SilentWatcher, Watcher
from bench.types import Cell, Record, Run

if TYPE_CHECKING:
    from bench.models.hf import HuggingFace
    from bench.training.stages import FinishedStage


@dataclass(frozen=True, slots=True)
class EvaluatedRun:
    """One checkpoint evaluated: where the run lies, what was done, records and cells."""

    folder: Path
    run: Run
    records: list[Record]
    cells: list[Cell]
    new_references: int = 0  # items scored again, of which the answers had changed


def load_tasks(names: str | Sequence[str], folders: Sequence[str | Path] = ()) -> list[Task]:
    """The tasks that `names` (of tasks and suites) stand for, also from task `folders`.

    Raises:
        UsageError: a name is neither a task nor a suite.
        TaskError: a task.yaml is invalid.
    """
    return [task for task, _ in select(_list(names), [Path(folder) for folder in folders])]


def load_run(folder: str | Path) -> EvaluatedRun:
    """A run written by `evaluate` or `bench eval`.

    Raises:
        RunError: files are missing or damaged.
    """
    run, records = read_run(Path(folder))
    return EvaluatedRun(Path(folder), run, records, cells_of(run, records))


def evaluate(
    models: str | Sequence[str],
    tasks: str | Sequence[str],
    *,
    shots: int = 0,
    seed: int = 0,
    limit: int | None = None,
    shot_choice: ShotChoice = "fixed",
    shots_as: ShotsAs = "turns",
    variant: str = "",
    chat: Chat = "auto",
    system: str = "",
    output: str | Path = "runs",
    task_folders: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    options: ModelOptions = ModelOptions(),
    unsafe_code: bool = False,
) -> list[EvaluatedRun]:
    """Evaluate each of `models` (names, folders, Hub ids, fakes) on all `tasks` and suites.

    `chat` "auto" uses the chat template when there is one. Runs are written below `output`; calling
    again asks only for what is missing.

    Raises:
        BenchError: as `bench eval` would report it.
    """
    settings = Settings(
        shots=ShotSettings(shots, shot_choice, seed),
        variant=variant,
        limit=limit,
        chat=chat,
        system=system,
        shots_as=shots_as,
        data_root=Path(data_root) if data_root else None,
    )
    chosen = select(_list(tasks), [Path(folder) for folder in task_folders])
    names = _list(models)
    check_models(names, options)
    return [
        evaluate_one(name, chosen, settings, Path(output), options, None, unsafe_code)
        for name in names
    ]


def evaluate_one(
    name: str,
    tasks: Sequence[tuple[Task, int | None]],
    settings: Settings,
    output: Path,
    options: ModelOptions = ModelOptions(),
    progress: Progress | None = None,
    unsafe_code: bool = False,
) -> EvaluatedRun:
    """One checkpoint on `tasks` (each with a row limit, as `select` gives them).

    Raises:
        BenchError: as `bench eval` would report it.
    """
    check_variants([task for task, _ in tasks], settings.variant)
    model = _open(name, tasks, settings, options)
    done = evaluate_model(model, tasks, settings, output, progress, unsafe_code)
    return EvaluatedRun(done.folder, done.run, done.records, cells_of(done.run, done.records))


def rescore_run(
    folder: Path,
    task_folders: Sequence[Path] = (),
    data_root: Path | None = None,
    unsafe_code: bool = False,
) -> EvaluatedRun:
    """Score the stored replies of a run again, without a model, and write the run anew.

    Raises:
        BenchError: as `bench rescore` would report it.
    """
    run, _ = read_run(folder)
    try:
        chosen = select([entry.task for entry in run.tasks], task_folders)
    except UsageError as error:
        raise RunError(f"{folder}: {error.cause}", "name its folder with --tasks DIR") from None
    done = rescore(folder, [task for task, _ in chosen], unsafe_code, data_root, _template_of)
    cells = cells_of(done.run, done.records)
    return EvaluatedRun(done.folder, done.run, done.records, cells, done.new_references)


def train(
    recipe: str | Path,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    output: str | Path = "checkpoints",
    fresh: bool = False,
    task_folders: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    watcher: Watcher | None = None,
) -> "list[FinishedStage]":
    """Run the stages of a recipe, a packaged one by name or a file, below `output`/<its name>.

    `overrides` are `key.path=value`; `only` names the stages to run. Stages whose inputs are
    unchanged are kept, a killed one goes on, unless `fresh`.

    Raises:
        BenchError: as `bench train` would report it.
    """
    loaded = load_recipe(str(recipe), overrides)
    return train_loaded(
        loaded, only, Path(output) / loaded.name, fresh, task_folders, data_root, watcher
    )


def train_loaded(
    loaded: LoadedRecipe,
    only: Sequence[str],
    output: Path,
    fresh: bool = False,
    task_folders: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    watcher: Watcher | None = None,
) -> "list[FinishedStage]":
    """The same for a recipe that was read, into the folder `output` itself.

    Raises:
        BenchError: as `bench train` would report it.
    """
    check_stages(loaded.recipe, only)
    find_folder(loaded.recipe.base)  # before torch is loaded, so that a wrong name is told at once
    prepare_local()
    from bench.training.data.sources import Places
    from bench.training.stages import run_stages
    from bench.training.workshop import Workshop

    root = Path(data_root) if data_root else None
    places = Places(loaded.path.resolve().parent, tuple(map(Path, task_folders)), root)
    return run_stages(Workshop(loaded, output, places, watcher or SilentWatcher()), only, fresh)


def check_models(names: Sequence[str], options: ModelOptions = ModelOptions()) -> None:
    """Raise ModelError if one of `names` stands for nothing, before any is evaluated."""
    for name in names:
        if name.startswith("fake:"):
            open_fake(name, {})
        else:
            find_folder(name, options.revision)


def open_model(name: str, options: ModelOptions = ModelOptions()) -> "HuggingFace":
    """A Hugging Face checkpoint by name, folder or Hub id; loads torch.

    Raises:
        ModelError: it cannot be found or read, or torch is not installed.
    """
    prepare_local()
    # Found before torch is loaded, so that a wrong name is answered at once.
    weights = find_weights(name, options.revision, options.base, options.allow_pickle)
    with collector_at_rest():
        from bench.models.hf import HuggingFace

    return HuggingFace(name, options, weights)


def _template_of(run: Run) -> Render | None:
    """The chat template of the model of a run, None where its folder is not there any more."""
    told = run.model_description
    folder, base = (Path(str(told.get(key) or "")) for key in ("folder", "base"))
    if not told.get("folder") or not folder.is_dir():
        return None
    try:
        prepare_local()
        from bench.models.template import read_template

        return read_template(folder, base if told.get("base") else None)
    except ModelError:
        return None


def _list(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _open(
    name: str,
    tasks: Sequence[tuple[Task, int | None]],
    settings: Settings,
    options: ModelOptions,
) -> Model:
    """A checkpoint, or a fake that knows the answers to these tasks."""
    if not name.startswith("fake:"):
        return open_model(name, options)
    blank = open_fake(name, {})
    return open_fake(
        name, answer_key([make_plan(blank, task, settings, limit) for task, limit in tasks])
    )
