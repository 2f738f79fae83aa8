"""The verbs about results: board and what belongs to it, compare, import, submit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bench.cli_options import AsJson, DataRoot, TaskFolders, print_json
from bench.counted import counted

MOST_FINDINGS = 5  # of imported results
RESULTS, SITE = Path("leaderboard/results"), Path("leaderboard/site")
Site = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the site.")]
Results = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of results.")]

board = typer.Typer(
    help="Build, serve, check, publish and export the leaderboard.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@board.command()
def build(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="Runs, folders of runs or of results; none: leaderboard/results."),
    ] = None,
    output: Site = SITE,
    one_file: Annotated[bool, typer.Option("--one-file", help="One page with everything.")] = False,
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Write the site: what RLHF did to each lineage, with intervals, down to the single item."""
    from bench.reporting.comparison.board import make_board
    from bench.reporting.document import board_json
    from bench.reporting.results.audit import audit_read
    from bench.reporting.results.sources import read_sources
    from bench.reporting.site.build import build_site
    from bench.reporting.site.texts import texts_of_runs
    from bench.terminal import print_note
    from bench.terminal_board import print_board, print_refused

    found = read_sources(sources or [RESULTS], strict=[RESULTS])
    made = make_board(found.results)
    texts = texts_of_runs(made, found.runs, tasks or [], data_root)
    build_site(
        made,
        output,
        texts,
        one_file=one_file,
        damaged=[one.told for one in found.damaged],
    )
    if as_json:
        print_json(board_json(made, found.damaged))
    else:
        print_board(made)
    for one in found.damaged:
        print_note(str(one))
    for note in texts.notes:
        print_note(note)
    print_refused(audit_read(found.entries))
    page = output / "index.html"
    print_note(f"wrote {page}, open it in a browser: {page.resolve().as_uri()}")


@board.command()
def serve(
    output: Site = SITE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
) -> None:
    """Serve the built site on this machine until ^C."""
    from bench.reporting.site.serve import serve_site
    from bench.terminal import print_note

    serve_site(output, port, print_note)


@board.command()
def check(
    results: Annotated[Path, typer.Argument(help="Folder of results.")] = RESULTS,
    site: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A site built from these results alone.")
    ] = None,
    tasks: Annotated[
        list[Path] | None,
        typer.Option(
            "--tasks", metavar="DIR", help="Hold results to these task folders too; repeatable."
        ),
    ] = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """The board audits itself: every rule on every result, and a site against its results."""
    from dataclasses import asdict
    from functools import partial

    from bench.errors import RunError
    from bench.evaluation.known import task_as_asked
    from bench.registry.folder import find_task_files, search_folders
    from bench.reporting.results.audit import RULES, audit, failed
    from bench.reporting.results.rules_registry import registry_rules
    from bench.reporting.site.check import site_findings
    from bench.terminal import print_note
    from bench.terminal_board import print_findings

    if tasks:
        find_task_files(search_folders(tasks))  # a wrong folder is told at once
    extra = registry_rules(partial(task_as_asked, folders=tasks, root=data_root)) if tasks else {}
    findings = audit([results], extra)
    if site is not None and not failed(findings):
        findings += site_findings(results, site)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_findings(findings)
    if failed(findings):
        errors = sum(finding.severity == "error" for finding in findings)
        raise RunError(
            f"{results}: {counted(errors, 'error')}; a board of these results would mislead",
            "restore the files named above: bench submit RUN writes them from the run",
        )
    print_note(f"{results}: {len(RULES) + len(extra)} rules hold")


@board.command()
def publish(
    to: Annotated[
        str, typer.Option(metavar="hf://...", help="hf://spaces/O/N, hf://datasets/O/N, hf://O/M.")
    ],
    results: Annotated[Path, typer.Option(metavar="DIR", help="Folder of results.")] = RESULTS,
    site: Annotated[Path, typer.Option(metavar="DIR", help="The built site.")] = SITE,
    model: Annotated[str, typer.Option(help="Which model's results, for hf://ORG/MODEL.")] = "",
    base_model: Annotated[
        str, typer.Option(metavar="ORG/MODEL", help="What that model was trained from.")
    ] = "",
    benchmark: Annotated[
        str, typer.Option(metavar="ORG/NAME", help="Benchmark on the Hub, for .eval_results.")
    ] = "",
    source: Annotated[str, typer.Option(metavar="URL", help="Where the board is read.")] = "",
    push: Annotated[bool, typer.Option("--push", help="Push; without it, show what would be.")] = (
        False
    ),
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Ask the owner to take the commit.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Delete what is there and not in the folder.")
    ] = False,
) -> None:
    """Bring the site, the results or a model's card to the Hub; a dry run unless --push."""
    from tempfile import TemporaryDirectory

    from bench.reporting.hub.publish import plan_upload, shown
    from bench.reporting.hub.publish import push as push_upload
    from bench.reporting.hub.stage import Asked, stage
    from bench.reporting.hub.target import parse_target
    from bench.terminal import print_note

    target = parse_target(to)
    with TemporaryDirectory() as folder:
        asked = Asked(model, base_model, benchmark, source, fetch_card=push)
        staged = stage(target, Path(folder) / "upload", site, results, asked)
        upload = plan_upload(target, staged)
        typer.echo(shown(upload))
        if push:
            done = push_upload(upload, "Leaderboard of instruct-bench", mirror, pull_request)
            print_note(f"pushed: {done}")
        else:
            print_note("nothing was pushed: give --push")


@board.command()
def export(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to.")],
    organization: Annotated[str, typer.Option(help="Who hands the numbers on.")],
    developer: Annotated[str, typer.Option(help="Who made models without ORG/ in their name.")],
    results: Annotated[Path, typer.Option(metavar="DIR", help="Folder of results.")] = RESULTS,
) -> None:
    """Write the results as every_eval_ever 0.3.0 records; says what those cannot hold."""
    import time

    from bench.reporting.importers.every_eval_ever_export import Publisher, save_all
    from bench.reporting.results.files import load_results
    from bench.terminal import print_note

    publisher = Publisher(organization, developer, int(time.time()))
    done = save_all(output, load_results([results]), publisher)
    for lost in sorted({lost for one in done for lost in one.lost}):
        print_note(f"not carried over: {lost}")
    print_note(f"wrote {counted(len(done), 'record')} to {output / 'data'}")


def compare(
    child: Annotated[
        str, typer.Argument(metavar="A", help="Checkpoint, NAME@5-shot, or run folder.")
    ],
    parent: Annotated[str, typer.Argument(metavar="B", help="What A is compared with.")],
    runs: Annotated[
        list[Path] | None,
        typer.Option("--runs", metavar="DIR", help="Where names are looked up; repeatable."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("-t", "--task", help="Only these; repeatable.")
    ] = None,
    shared_items_only: Annotated[
        bool,
        typer.Option(
            "--shared-items-only", help="Compare the items that both have, where rows differ."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A minus B on every task, item by item: difference, interval, verdict, and why."""
    from bench.errors import UsageError, did_you_mean
    from bench.reporting.comparison.change import comparison
    from bench.reporting.comparison.find import find_rows, shots_differ
    from bench.reporting.document import change_json
    from bench.terminal import print_note
    from bench.terminal_board import print_change

    sources = runs or [path for path in (Path("runs"), RESULTS) if path.is_dir()]
    rows = find_rows(child, parent, sources, strict=[RESULTS])
    for one in rows.damaged:
        print_note(str(one))
    if rows.child == rows.parent:
        print_note(f"{child} and {parent} are one and the same")
    known = sorted({name for name, _ in rows.child.results})
    for name in task or []:
        if name not in known:
            raise UsageError(f"-t {name}: {child} was not run on it", did_you_mean(name, known))
    found = comparison(
        rows.child,
        rows.parent,
        (child, parent),
        task or (),
        shared_items_only=shared_items_only,
        across_shots=shots_differ(child, parent),
    )
    if as_json:
        print_json(change_json(found))
    else:
        print_change(found)
    if all(one.estimate is None for one in (*found.contrasts, *found.others)):
        raise UsageError(
            f"{child} and {parent} cannot be compared on any task",
            "run both with the same tasks and settings; rows that differ: --shared-items-only",
        )


def import_results(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="instructgpt, lm_eval, inspect_log, helm, alpaca_eval, judgments, "
            "every_eval_ever, or auto.",
        ),
    ],
    path: Annotated[Path, typer.Argument(help="File or folder that the other tool wrote.")],
    output: Results = RESULTS,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite other results of the same place.")
    ] = False,
    started: Annotated[
        str, typer.Option(metavar="TIME", help="When it was run, where the files do not say.")
    ] = "",
) -> None:
    """Read other tools' results as ours; says what their form holds and ours does not."""
    from bench.reporting.importers.attach import attach
    from bench.reporting.importers.table import guess_importer
    from bench.reporting.importers.table import import_results as read
    from bench.reporting.results.audit import audit
    from bench.reporting.results.files import path_of
    from bench.reporting.results.submission import write_bundle
    from bench.reporting.results.submit import Bundle
    from bench.terminal import print_note

    name = guess_importer(path) if kind == "auto" else kind
    found = read(name, path, _time(started))
    attached = attach(found.results, output)
    write_bundle(Bundle(attached.results, (), ()), output, replace)
    written = {str(output / path_of(one)) for one in attached.results}
    for lost in found.lost:
        print_note(f"not carried over: {lost}")
    for note in attached.notes:
        print_note(note)
    refused = [one for one in audit([output]) if one.severity == "error" and one.file in written]
    for finding in refused[:MOST_FINDINGS]:
        print_note(f"bench board check refuses {finding.file}: {finding.rule}: {finding.told}")
    if len(refused) > MOST_FINDINGS:
        print_note(f"and {len(refused) - MOST_FINDINGS} findings more: bench board check {output}")
    models = len({(one.model.name, one.model.revision) for one in attached.results})
    wrote = f"{counted(len(attached.results), 'result')} of {counted(models, 'model')}"
    print_note(f"wrote {wrote} to {output}")


def submit(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of runs.")],
    output: Results = RESULTS,
    allow_limit: Annotated[
        bool, typer.Option("--allow-limit", help="Take runs with --limit, marked as partial.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite other results of the same place.")
    ] = False,
    tasks: TaskFolders = None,
    data_root: DataRoot = None,
) -> None:
    """Check runs whole and write them as results for a pull request; nothing is asked again."""
    from functools import partial

    from bench.evaluation.known import known_task
    from bench.reporting.results.submission import write_bundle
    from bench.reporting.results.submit import prepare
    from bench.terminal import print_note

    known = partial(known_task, folders=tasks or [], root=data_root)
    bundle = prepare(runs, known, allow_limit)
    for written in write_bundle(bundle, output, replace):
        typer.echo(f"{written.state:9} {written.path}")
    for note in bundle.notes:
        print_note(note)


def _time(text: str) -> str:
    """`--started` as given, checked."""
    from datetime import datetime

    from bench.errors import UsageError

    try:
        return datetime.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise UsageError(
            f"--started: found {text!r}, expected a time as 2026-01-31T12:00:00+00:00", "mend it"
        ) from None


VERBS: Mapping[str, Callable[..., None]] = {
    "compare": compare,
    "import": import_results,
    "submit": submit,
}
