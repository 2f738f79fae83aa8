"""The command line: Typer verbs that call plain functions, and the one map from errors to exits.

Exit codes: 0 done, 1 an expected failure (cause and remedy on stderr), 3 a bug, 130 interrupted.
Imports that take time stay inside the verbs that need them: `bench --help` loads no model code.
"""

import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli_board import VERBS as BOARD_VERBS
from bench.cli_board import board
from bench.cli_checkpoint import VERBS as CHECKPOINT_VERBS
from bench.cli_options import AsJson, Chat, DataRoot, Device, DType, TaskFolders, Unsafe, print_json
from bench.cli_training import VERBS as TRAINING_VERBS
from bench.counted import counted
from bench.errors import BenchError, ProblemsError, UsageError

if TYPE_CHECKING:
    from bench.api import EvaluatedRun

app = typer.Typer(
    name="bench",
    help="Did RLHF help this model, on what, by how much, and how sure are we?",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

INTERRUPTED = 130


def main() -> None:
    """Entry point of the `bench` command."""
    try:
        code = app(prog_name="bench", standalone_mode=False)
    except ProblemsError as error:
        from bench.terminal import print_problems

        print_problems(error)
        code = 1
    except BenchError as error:
        _complain(error.cause, error.remedy)
        code = 1
    except typer.TyperException as error:  # an option or argument that does not parse
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "bench"
        _complain(error.format_message(), f"{command} --help")
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:  # the one catch-all
        code = 3
        with tempfile.NamedTemporaryFile(
            "w", prefix="bench-bug-", suffix=".txt", delete=False
        ) as report:
            report.write(f"command: {sys.argv}\n\n{traceback.format_exc()}")
        _complain(f"bug: {type(error).__name__}: {error}", f"report it with {report.name}")
    if code == INTERRUPTED:  # Typer returns this code when ^C comes inside a verb
        _complain("interrupted", "run the same command again: finished portions are kept")
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Did RLHF help this model, on what, by how much, and how sure are we?"""
    if version:
        from bench import __version__

        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_tasks(
    suite: Annotated[str, typer.Option(help="Only tasks of this suite.")] = "",
    kind: Annotated[str, typer.Option(help="Only tasks of this kind.")] = "",
    language: Annotated[str, typer.Option(help="Only tasks in this language.")] = "",
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks."""
    from bench.registry.data import ROLES, count_rows
    from bench.registry.folder import all_tasks, in_suite, of_kind

    chosen = of_kind(in_suite(all_tasks(tasks or []), suite), kind, language)
    rows = {
        task.name: {role: count_rows(task, role, data_root) for role in ROLES} for task in chosen
    }
    if as_json:
        print_json(
            [
                {
                    "name": task.name,
                    "kind": task.spec.kind,
                    "language": task.spec.language,
                    "suites": list(task.spec.suites),
                    "rows": rows[task.name],
                }
                for task in chosen
            ]
        )
        return
    from bench.terminal import print_table

    print_table(
        ("task", "kind", "language", "train", "shots", "test", "headline", "suites"),
        [
            (
                task.name,
                task.spec.kind,
                task.spec.language,
                *("-" if count is None else str(count) for count in rows[task.name].values()),
                task.spec.scorers[0],
                ", ".join(task.spec.suites),
            )
            for task in chosen
        ],
    )


@app.command()
def show(
    task: Annotated[str, typer.Argument(help="Name of a task.")],
    model: Annotated[str, typer.Option(help="Show the prompt as this model sees it.")] = "",
    tokens: Annotated[bool, typer.Option("--tokens", help="Show token ids and boundary.")] = False,
    logprobs: Annotated[
        bool, typer.Option("--logprobs", help="And what each token of the choices is worth.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 2,
    shots: Annotated[int, typer.Option(min=0, help="Solved examples before each.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the shots.")] = 0,
    variant: Annotated[str, typer.Option(help="Named alternative wording.")] = "",
    chat: Annotated[Chat, typer.Option(help="Use the chat template.")] = "auto",
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Show real prompts of a task, and how a model tokenizes them."""
    from bench.api import open_model
    from bench.evaluation.plan import Settings
    from bench.evaluation.show import show_rows, shown_text
    from bench.models.fake import open_fake
    from bench.registry.folder import select
    from bench.registry.prompt import ShotSettings

    if (tokens or logprobs) and (not model or (logprobs and model.startswith("fake:"))):
        flag = "--logprobs" if logprobs else "--tokens"
        raise UsageError(f"{flag} needs a model", f"bench show {task} --model smollm2-135m {flag}")
    settings = Settings(
        ShotSettings(shots, "fixed", seed), variant, rows, chat, data_root=data_root
    )
    (chosen, _), *others = select([task], tasks or [])
    if others:
        raise UsageError(f"{task!r} is a suite", f"bench show {chosen.name}")
    model = model or "fake:empty"
    if model.startswith("fake:"):
        shown = show_rows(chosen, settings, open_fake(model, {}), tokens)
    else:
        asked = open_model(model)
        weigh = asked.token_logprobs if logprobs else None
        shown = show_rows(chosen, settings, asked, tokens or logprobs, weigh)
    if as_json:
        print_json(shown)
    else:
        typer.echo("\n\n".join(shown_text(row) for row in shown))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the task: lower case, digits, _.")],
    kind: Annotated[str, typer.Option(help="qa, classification, summarization, code, ...")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where to put its folder.")
    ] = Path("tasks"),
) -> None:
    """Write a task folder that passes `bench check` at once."""
    from bench.registry.scaffold import new_task

    folder = new_task(name, kind, output)
    typer.echo(f"{folder}/")
    for path in sorted(folder.iterdir()):
        typer.echo(f"  {path.name}")
    typer.echo(f"next: edit the rows, then: bench check {folder}")


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Tasks or folders; default all.")
    ] = None,
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    unsafe_code: Unsafe = False,
    as_json: AsJson = False,
) -> None:
    """Check task folders: keys, ids, overlap of train and test, gold scores 1, empty scores 0."""
    from bench.registry.check import check_file, raise_findings
    from bench.registry.folder import named_files
    from bench.terminal import print_note

    chosen = named_files(names or [], tasks or [])
    found = []
    for file, name in chosen.items():
        findings = check_file(file, data_root, unsafe_code, fetch=bool(names))
        found += findings
        if not as_json:
            errors = sum(finding.level == "error" for finding in findings)
            typer.echo(f"{name}: {counted(errors, 'error') if errors else 'ok'}")
            for finding in findings:
                typer.echo(f"  {finding.level} [{finding.rule}] {finding.where}: {finding.message}")
    if as_json:
        from dataclasses import asdict

        print_json([asdict(finding) for finding in found])
    raise_findings(found, len(chosen))
    print_note(f"{counted(len(chosen), 'task folder')} conform{'s' if len(chosen) == 1 else ''}")


@app.command("eval")
def evaluate(
    models: Annotated[
        list[str], typer.Argument(help="Names, folders, Hub ids, fake:gold, fake:empty, ...")
    ],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="Task or suite; repeatable; default core."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows of each task.")] = None,
    shots: Annotated[int, typer.Option(min=0, help="Solved examples before each question.")] = 0,
    shot_choice: Annotated[
        Literal["fixed", "per_example"], typer.Option(help="One set a task, or one a row.")
    ] = "fixed",
    shots_as: Annotated[
        Literal["turns", "text"], typer.Option(help="Shots in a chat: own turns, or one turn.")
    ] = "turns",
    seed: Annotated[int, typer.Option(help="Seed of shots and sampling.")] = 0,
    variant: Annotated[str, typer.Option(help="Named alternative wording.")] = "",
    chat: Annotated[Chat, typer.Option(help="Use the chat template.")] = "auto",
    system: Annotated[str, typer.Option(help="System message of the chat.")] = "",
    dtype: DType = "auto",
    device: Device = "auto",
    revision: Annotated[str, typer.Option(help="Revision of a Hub id.")] = "",
    base: Annotated[str, typer.Option(help="Base of an adapter that does not name it.")] = "",
    batch_tokens: Annotated[int, typer.Option(min=0, help="Tokens a batch; 0 chooses.")] = 0,
    engine: Annotated[
        Literal["fast", "naive"], typer.Option(help="naive: row by row, to check the fast one.")
    ] = "fast",
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Read weights that are pickles.")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where runs go.")] = Path("runs"),
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    unsafe_code: Unsafe = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate checkpoints on tasks; the same command again resumes."""
    from bench.api import check_models, evaluate_one
    from bench.evaluation.plan import Settings
    from bench.models.install import load_for_good
    from bench.models.options import ModelOptions
    from bench.registry.folder import select
    from bench.registry.prompt import ShotSettings
    from bench.terminal import Bars

    chosen = select(task or ["core"], tasks or [])
    settings = Settings(
        ShotSettings(shots, shot_choice, seed), variant, limit, chat, system, shots_as, data_root
    )
    options = ModelOptions(revision, base, dtype, device, allow_pickle, batch_tokens, engine)
    check_models(models, options)
    if any(not name.startswith("fake:") for name in models):
        load_for_good()
    done = []
    for name in models:
        with Bars(Path(name).name) as bars:
            done.append(evaluate_one(name, chosen, settings, output, options, bars, unsafe_code))
    _report(done, as_json)


@app.command()
def rescore(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    unsafe_code: Unsafe = False,
    as_json: AsJson = False,
) -> None:
    """Score stored replies again with scorers and gold answers as they are; needs no model."""
    from bench.api import rescore_run
    from bench.store import find_runs
    from bench.terminal import print_note

    folders = find_runs(runs)
    done = [rescore_run(path, tasks or [], data_root, unsafe_code) for path in folders]
    _report(done, as_json, rescored=True)
    for one in done:
        if one.new_references:
            print_note(
                f"{one.folder}: the answers of {counted(one.new_references, 'item')} had changed"
            )


for _name, _verb in {**TRAINING_VERBS, **CHECKPOINT_VERBS, **BOARD_VERBS}.items():
    app.command(_name)(_verb)
app.add_typer(board, name="board")


def _report(done: "Sequence[EvaluatedRun]", as_json: bool, rescored: bool = False) -> None:
    """Tables of finished runs on stdout, or one JSON document; failures and folders on stderr."""
    from bench.evaluation.failures import raise_if_all_failed
    from bench.reporting.export import cells_json
    from bench.terminal import print_cells, print_summary

    if as_json:
        print_json(cells_json([(one.run.model, one.run.name, one.cells) for one in done]))
    for one in done:
        if not as_json:
            print_cells(one.run.model, one.cells)
        print_summary(one.run, one.records, one.folder, rescored)
    for one in done:
        raise_if_all_failed(one.folder, one.records)


def _complain(cause: str, remedy: str) -> None:
    from bench.terminal import print_error

    print_error(cause, remedy)
