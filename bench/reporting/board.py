"""The board: Cells of several runs as one HTML page, Markdown, CSV and JSON.

index.html   self-contained: no script, no network
board.md, board.csv, board.json
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bench.reporting.cells import by_kind, cells_of
from bench.reporting.charts import interval_svg
from bench.reporting.export import (
    cells_csv,
    cells_json,
    cells_markdown,
    dumps,
    markdown_text,
    printable,
    show,
)
from bench.scoring.aggregate import DIRECTIONS, Direction
from bench.store import load_run, write_atomic
from bench.types import Cell, Json, Record, Run, TaskRun

MIB = 2**20
LONGEST = 48  # characters of a column heading


@dataclass(frozen=True, slots=True)
class Entry:
    """One run on the board, under a `label` that no other run of the board has."""

    run: Run
    cells: list[Cell]
    label: str


def load_entries(folders: Sequence[Path]) -> list[Entry]:
    """The runs in `folders` with their Cells.

    Raises:
        RunError: a run is missing or damaged.
    """
    return make_entries([load_run(folder) for folder in folders])


def make_entries(runs: Sequence[tuple[Run, Iterable[Record]]]) -> list[Entry]:
    """Runs and their Records as board entries."""
    labels = _labels([run for run, _ in runs])
    return [
        Entry(run, cells_of(run, records), label)
        for (run, records), label in zip(runs, labels, strict=True)
    ]


def write_board(entries: Sequence[Entry], output: Path) -> Path:
    """Write all formats below `output`; the path of the page.

    Raises:
        RunError: a file cannot be written.
    """
    cells = [cell for entry in entries for cell in entry.cells]
    write_atomic(output / "board.csv", cells_csv(cells).encode())
    write_atomic(output / "board.json", dumps(board_json(entries)).encode())
    write_atomic(output / "board.md", _markdown(entries).encode())
    write_atomic(output / "index.html", _page(entries).encode())
    return output / "index.html"


def board_json(entries: Sequence[Entry]) -> dict[str, Json]:
    """The document of `bench board --json`."""
    return cells_json([(entry.run.model, entry.run.name, entry.cells) for entry in entries])


def task_rows(entries: Sequence[Entry]) -> list[tuple[str, list[Cell | None]]]:
    """(task and metric, one headline Cell for each entry), tasks grouped by kind."""
    return _rows(entries, headline=True)


def other_rows(entries: Sequence[Entry]) -> list[tuple[str, list[Cell | None]]]:
    """The same for the metrics that are no headline."""
    return _rows(entries, headline=False)


def kind_rows(entries: Sequence[Entry]) -> list[tuple[str, list[Cell | None]]]:
    """(kind, the mean of its tasks' headlines for each entry)."""
    pooled = [{cell.task: cell for cell in by_kind(entry.cells)} for entry in entries]
    kinds = sorted({kind for cells in pooled for kind in cells})
    return [(kind, [cells.get(kind) for cells in pooled]) for kind in kinds]


def mismatches(entries: Sequence[Entry]) -> list[str]:
    """What keeps the runs from being compared number by number; empty when nothing does."""
    found = []
    for key in dict.fromkeys(key for entry in entries for key in entry.run.settings):
        by_value: dict[str, list[str]] = {}
        for entry in entries:
            by_value.setdefault(_setting(entry.run.settings.get(key)), []).append(entry.label)
        if len(by_value) > 1:
            told = "; ".join(f"{value}: {', '.join(who)}" for value, who in by_value.items())
            found.append(f"{key} differs ({told})")
    tasks = [task for entry in entries for task in entry.run.tasks]
    found += _changed(tasks, "rows or scoring differ", lambda task: task.digest)
    found += _changed(tasks, "prompts differ", lambda task: task.prompts_digest)
    if len({frozenset(task.task for task in entry.run.tasks) for entry in entries}) > 1:
        found.append("not every run has every task, so means by kind cover different tasks")
    return found


def _changed(tasks: Sequence[TaskRun], what: str, digest: Callable[[TaskRun], str]) -> list[str]:
    """`what`, and in which tasks the runs disagree about `digest`."""
    seen: dict[str, set[str]] = {}
    for task in tasks:
        seen.setdefault(task.task, set()).add(digest(task))
    changed = [task for task, digests in seen.items() if len(digests) > 1]
    if not changed:
        return []
    where = "every task" if len(changed) == len(seen) else ", ".join(changed)
    return [f"{what} in {where}"]


def _rows(entries: Sequence[Entry], headline: bool) -> list[tuple[str, list[Cell | None]]]:
    found: dict[tuple[str, str, str], dict[int, Cell]] = {}
    for place, entry in enumerate(entries):
        for cell in entry.cells:
            if cell.headline == headline:
                found.setdefault((cell.kind, cell.task, cell.metric), {})[place] = cell
    return [
        (_row_name(task, metric), [found[key].get(place) for place in range(len(entries))])
        for key in (sorted(found) if headline else found)
        for _, task, metric in [key]
    ]


def _row_name(task: str, metric: str) -> str:
    lower = DIRECTIONS.get(metric, Direction()).lower_is_better
    return f"{task} ({metric}{', lower is better' if lower else ''})"


def _labels(runs: Sequence[Run]) -> list[str]:
    """The last part of the model's path; runs that share it add the settings that differ."""
    names = [_shortened(run.model.rstrip("/").rsplit("/", 1)[-1]) for run in runs]
    labels = []
    for name, run in zip(names, runs, strict=True):
        twins = [other for other, known in zip(runs, names, strict=True) if known == name]
        facts = [{**twin.settings, "dtype": twin.model_description.get("dtype")} for twin in twins]
        own = facts[twins.index(run)]
        told = [key for key in own if any(other.get(key) != own[key] for other in facts)]
        labels.append(_shortened(", ".join([name, *(f"{key} {own[key]}" for key in told)])))
    return [
        label if labels.count(label) == 1 else f"{label} #{labels[: place + 1].count(label)}"
        for place, label in enumerate(labels)
    ]


def _setting(value: Json) -> str:
    return "none" if value in (None, "") else _shortened(str(value))


def _shortened(text: str) -> str:
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}…{text[1 - half :]}"


def _markdown(entries: Sequence[Entry]) -> str:
    labels = [entry.label for entry in entries]
    notes = "".join(f"- {markdown_text(note)}\n" for note in mismatches(entries))
    return (
        "# Board\n\nEstimate [95% interval] n.\n"
        + (f"\nNot like for like:\n\n{notes}" if notes else "")
        + "\n## By kind\n\n"
        + cells_markdown(labels, kind_rows(entries))
        + "\n## By task\n\n"
        + cells_markdown(labels, task_rows(entries))
    )


def _warnings(entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """(run, task and metrics, warning), metrics that share a warning together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        for cell in [*by_kind(entry.cells), *entry.cells]:
            for warning in cell.warnings:
                found.setdefault((entry.label, cell.task, warning), []).append(cell.metric)
    return [
        (label, f"{task} ({', '.join(metrics)})", warning)
        for (label, task, warning), metrics in found.items()
    ]


def _page(entries: Sequence[Entry]) -> str:
    environment = Environment(
        loader=PackageLoader("bench.reporting"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("board.html").render(
        entries=entries,
        kinds=kind_rows(entries),
        tasks=task_rows(entries),
        others=other_rows(entries),
        mismatches=mismatches(entries),
        warnings=_warnings(entries),
        chart=lambda cell: Markup(interval_svg(cell)),
        show=show,
        mib=MIB,
    )
