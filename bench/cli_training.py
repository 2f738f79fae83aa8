"""The verbs that train: whole recipes, rankings by themselves, ablations.

`bench.cli` adds `VERBS` to its own. Imports that take time stay inside the verbs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli_options import AsJson, DataRoot, TaskFolders, print_json
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.schema import Yaml
    from bench.training.recipe import LoadedRecipe
    from bench.training.stages import FinishedStage

Recipe = Annotated[str, typer.Argument(help="A recipe file, or the name of a packaged one.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override a key; repeatable."),
]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="Where checkpoints go, below the recipe's name.")
]


def train(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe file or a packaged name; none lists those.")
    ] = None,
    override: Overrides = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Run only this stage; repeatable.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on from saved states, or start anew.")
    ] = True,
    plot: Annotated[
        bool, typer.Option("--plot", help="Only draw the curves of what was trained.")
    ] = False,
    output: Output = Path("checkpoints"),
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Run a recipe: SFT, rankings, reward model, DPO, PPO-ptx, RLOO, GRPO; again resumes.

    Stages whose inputs are unchanged are kept.
    """
    from bench.training.recipe import load_recipe

    if recipe is None:
        _list_recipes(as_json)
        return
    from bench.reporting.curves import LOG, write_curves

    loaded = load_recipe(recipe, override or [])
    folder = output / loaded.name
    if not plot:
        from bench.api import train_loaded
        from bench.terminal_training import TrainingView

        with TrainingView() as view:
            done = train_loaded(
                loaded, only or [], folder, not resume, tasks or [], data_root, view
            )
        if not _is_main_process():
            return
        _report(done, as_json)
        if not any((stage.folder / LOG).is_file() for stage in done):
            return
    from bench.terminal import print_note

    page = write_curves(folder)
    print_note(f"curves: {page}")


def rank(
    checkpoint: Annotated[str, typer.Argument(help="The checkpoint that replies.")],
    prompts: Annotated[
        list[str], typer.Option("--prompts", "-p", help="Task, or file of rows; repeatable.")
    ],
    scorer: Annotated[
        str, typer.Option(help="Rank by the task's scorer; headline: its first.")
    ] = "",
    model: Annotated[str, typer.Option(help="Rank by this reward model.")] = "",
    judge: Annotated[str, typer.Option(help="Rank by asking this checkpoint.")] = "",
    replies: Annotated[int, typer.Option("-k", min=2, max=9, help="Replies to a prompt.")] = 4,
    most: Annotated[int | None, typer.Option(min=1, help="Prompts; default all.")] = None,
    temperature: Annotated[float, typer.Option(help="Of the sampling.")] = 1.0,
    max_reply: Annotated[int, typer.Option(min=1, help="Tokens of a reply.")] = 128,
    seed: Annotated[int, typer.Option(help="Seed of the sampling.")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where rankings.jsonl goes.")] = (
        Path("rankings")
    ),
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Sample replies to the train prompts of tasks and rank them; writes rankings.jsonl."""
    from bench.api import train_loaded
    from bench.terminal_training import TrainingView
    from bench.training.stage_file import check_own_rankings

    by = {"scorer": scorer, "model": model, "judge": judge}
    if sum(map(bool, by.values())) != 1:
        raise UsageError(
            "give exactly one of --scorer, --model and --judge",
            f"bench rank {checkpoint} -p {prompts[0]} --scorer headline",
        )
    stage = {
        "kind": "rank",
        "prompts": "prompts",
        "by": {key: value for key, value in by.items() if value},
        "replies": replies,
        "most": most,
        "temperature": temperature,
        "max_reply": max_reply,
    }
    check_own_rankings(output)
    loaded = _rank_recipe(checkpoint, prompts, output.resolve().name, stage, seed)
    with TrainingView() as view:
        done = train_loaded(
            loaded, (), output.resolve().parent, False, tasks or [], data_root, view
        )
    _report(done, as_json)


def _rank_recipe(
    checkpoint: str, prompts: Sequence[str], name: str, stage: "Yaml", seed: int
) -> "LoadedRecipe":
    """A recipe of the one stage `name`, over tasks and files of rows.

    Raises:
        UsageError: an option has no meaning, or the checkpoint's name leads nowhere.
    """
    from bench.schema import validated
    from bench.training.recipe import LoadedRecipe, check_names
    from bench.training.settings import Recipe as Settings

    sources = [
        {"file": str(Path(p).resolve())} if Path(p).is_file() else {"task": p} for p in prompts
    ]
    raw: Yaml = {
        "base": checkpoint,
        "seed": seed,
        "data": {"prompts": {"sources": sources}},
        "stages": {name: stage},
    }
    here = Path("bench rank")
    settings = validated(here, raw, Settings, UsageError, "bench rank --help")
    check_names(settings, here)
    return LoadedRecipe("rank", here, settings)


def ablate(
    recipe: Recipe,
    stage: Annotated[str, typer.Option(help="The stage that is varied; no other starts from it.")],
    over: Annotated[str, typer.Option(metavar="KEY", help="Its key, such as ptx.gamma.")],
    values: Annotated[str, typer.Option(help="Numbers with commas between: 0,1,5,20,28.")],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="Task or suite to evaluate; repeatable; default core."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows of each task.")] = None,
    override: Overrides = None,
    output: Output = Path("checkpoints"),
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
) -> None:
    """Train a stage at several values of one setting; table and figure of capability and reward."""
    from bench.ablate import Study
    from bench.ablate import ablate as study_variants
    from bench.evaluation.plan import Settings
    from bench.registry.folder import select
    from bench.terminal import Bars, print_note
    from bench.terminal_training import TrainingView
    from bench.training.recipe import load_recipe

    study = Study(stage, over, _numbers(values))
    loaded = load_recipe(recipe, override or [])
    chosen = select(task or ["core"], tasks or [])
    settings = Settings(limit=limit, data_root=data_root)
    folder = output / f"{loaded.name}-{over.rsplit('.', 1)[-1]}"
    with Bars("eval") as bars, TrainingView() as view:
        page = study_variants(loaded, study, chosen, settings, folder, view, bars, tasks or [])
    typer.echo((folder / "ablation.md").read_text(encoding="utf-8"))
    print_note(f"wrote {page}, open it in a browser: {page.resolve().as_uri()}")


VERBS: dict[str, Callable[..., None]] = {"train": train, "rank": rank, "ablate": ablate}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--values {text}: expected numbers with commas between", "such as --values 0,1,5,20,28"
        ) from None


def _is_main_process() -> bool:
    """Whether this is the one process that reports, of those `accelerate launch` started."""
    import os

    return os.environ.get("RANK", "0") == "0"


def _list_recipes(as_json: bool) -> None:
    from bench.terminal import print_table
    from bench.training.recipe import load_recipe, packaged_names

    loaded = [load_recipe(name) for name in packaged_names()]
    if as_json:
        print_json(
            [
                {"name": one.name, "title": one.recipe.title, "stages": list(one.recipe.stages)}
                for one in loaded
            ]
        )
        return
    rows = [(one.name, ", ".join(one.recipe.stages), one.recipe.title) for one in loaded]
    print_table(("recipe", "stages", "title"), rows)


def _report(done: "Sequence[FinishedStage]", as_json: bool) -> None:
    """A row for each stage, with what it measured on held-out rows."""
    from bench.terminal import print_table

    if as_json:
        print_json(
            [
                {
                    "name": stage.name,
                    "kind": stage.kind,
                    "folder": str(stage.folder),
                    "ran": stage.ran,
                    "metrics": stage.metrics,
                }
                for stage in done
            ]
        )
        return
    rows = [
        (stage.name, stage.kind, "ran" if stage.ran else "kept", _shown(stage), str(stage.folder))
        for stage in done
    ]
    print_table(("stage", "kind", "", "measured", "folder"), rows)


def _shown(stage: "FinishedStage") -> str:
    """The first metrics, those of single sources and of the start left out."""
    names = [name for name in stage.metrics if name.count("/") < 2 and name != "step"]
    return "  ".join(f"{name} {stage.metrics[name]:.4g}" for name in names[:6])
