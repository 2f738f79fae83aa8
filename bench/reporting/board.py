"""The board: Cells of several runs as one HTML page, Markdown, CSV and JSON.

index.html   self-contained: no script, no network
board.md, board.csv, board.json
contrasts.csv   where the parent of a run is on the board too
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from bench.reporting.cells import by_kind, cells_of
from bench.reporting.changes import Change, changes_of, sentence, verdict
from bench.reporting.charts import change_svg, interval_svg, reach_of, tree_svg
from bench.reporting.export import (
    cells_csv,
    cells_json,
    cells_markdown,
    changes_csv,
    changes_json,
    dumps,
    markdown_text,
    probability,
    show,
    show_contrast,
    table_markdown,
)
from bench.reporting.lineage import Place, in_order, places_of
from bench.reporting.page import render
from bench.scoring.aggregate import DIRECTIONS, Direction
from bench.store import load_run, write_atomic
from bench.types import Cell, Contrast, Json, Record, Run, TaskRun

MIB = 2**20
LONGEST = 48  # characters of a column heading


@dataclass(frozen=True, slots=True)
class Entry:
    """One run on the board, under a `label` that no other run of the board has."""

    run: Run
    records: list[Record]
    cells: list[Cell]
    label: str


def load_entries(folders: Sequence[Path]) -> list[Entry]:
    """The runs in `folders` with their Cells.

    Raises:
        RunError: a run is missing or damaged.
    """
    return make_entries([load_run(folder) for folder in folders])


def make_entries(runs: Sequence[tuple[Run, Iterable[Record]]]) -> list[Entry]:
    """Runs and their Records as board entries, children behind their parents."""
    labels = _labels([run for run, _ in runs])
    read = [(run, list(records)) for run, records in runs]
    entries = [
        Entry(run, records, cells_of(run, records), label)
        for (run, records), label in zip(read, labels, strict=True)
    ]
    return [entries[place] for place in in_order([run for run, _ in runs])]


def entry_changes(entries: Sequence[Entry]) -> list[Change]:
    """What each entry changed against its parent's, where that is on the board."""
    runs = [(entry.run, entry.records) for entry in entries]
    return changes_of(runs, [entry.label for entry in entries])


def write_board(entries: Sequence[Entry], output: Path) -> Path:
    """Write all formats below `output`; the path of the page.

    Raises:
        RunError: a file cannot be written.
    """
    cells = [cell for entry in entries for cell in entry.cells]
    changes = entry_changes(entries)
    write_atomic(output / "board.csv", cells_csv(cells).encode())
    if changes:
        write_atomic(output / "contrasts.csv", changes_csv(changes).encode())
    else:  # of an earlier board
        (output / "contrasts.csv").unlink(missing_ok=True)
    write_atomic(output / "board.json", dumps(board_json(entries)).encode())
    write_atomic(output / "board.md", _markdown(entries, changes).encode())
    write_atomic(output / "index.html", _page(entries, changes).encode())
    return output / "index.html"


def board_json(entries: Sequence[Entry]) -> dict[str, Json]:
    """The document of `bench board --json`; `contrasts` only where there are changes."""
    changes = entry_changes(entries)
    runs = cells_json([(entry.run.model, entry.run.name, entry.cells) for entry in entries])
    return {**runs, "contrasts": changes_json(changes)} if changes else runs


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


def change_rows(changes: Sequence[Change]) -> list[tuple[str, list[Contrast | None]]]:
    """(task and metric, one Contrast for each change), the mean first, then tasks by kind."""
    by_key = [{(one.kind, one.task, one.metric): one for one in c.contrasts} for c in changes]
    keys = sorted({key for contrasts in by_key for key in contrasts})
    rows = [
        (_row_name(task, metric), [contrasts.get((kind, task, metric)) for contrasts in by_key])
        for kind, task, metric in keys
    ]
    return [("mean over tasks", [change.mean for change in changes]), *rows]


def lineage_rows(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """(label, stage and parent in words) of each run; empty when no run has either."""
    places = _places(entries)
    if not any(place.stage or place.parent is not None for place in places):
        return []
    return [
        (entry.label, _descent(place, entries))
        for entry, place in zip(entries, places, strict=True)
    ]


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


def _places(entries: Sequence[Entry]) -> list[Place]:
    return places_of([entry.run for entry in entries])


def _descent(place: Place, entries: Sequence[Entry]) -> str:
    stage = f"stage {place.stage}" if place.stage else "stage not stated"
    if place.parent is not None:
        return f"{stage}, from {entries[place.parent].label}"
    return f"{stage}, from {place.absent[:8]}, not on this board" if place.absent else stage


def _markdown(entries: Sequence[Entry], changes: Sequence[Change]) -> str:
    labels = [entry.label for entry in entries]
    notes = _listed(mismatches(entries))
    return (
        "# Board\n\nEstimate [95% interval] n.\n"
        + (f"\n{_listed([sentence(change) for change in changes])}" if changes else "")
        + (f"\nNot like for like:\n\n{notes}" if notes else "")
        + _markdown_lineage(entries)
        + _markdown_changes(changes)
        + "\n## By kind\n\n"
        + cells_markdown(labels, kind_rows(entries))
        + "\n## By task\n\n"
        + cells_markdown(labels, task_rows(entries))
    )


def _markdown_lineage(entries: Sequence[Entry]) -> str:
    rows = lineage_rows(entries)
    if not rows:
        return ""
    lines = [
        f"{'  ' * place.depth}- {markdown_text(f'{label}: {told}')}\n"
        for (label, told), place in zip(rows, _places(entries), strict=True)
    ]
    return f"\n## Lineage\n\n{''.join(lines)}"


def _markdown_changes(changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    headings = [f"{change.child} against {change.parent}" for change in changes]
    rows = [(name, [show_contrast(one) for one in row]) for name, row in change_rows(changes)]
    notes = [f"{label}, {tasks}: {told}" for label, tasks, told in _change_warnings(changes)]
    table = table_markdown(headings, rows)
    told = f"\nNotes:\n\n{_listed(notes)}" if notes else ""
    return f"\n## Change against parent\n\n{table}{told}"


def _listed(lines: Sequence[str]) -> str:
    return "".join(f"- {markdown_text(line)}\n" for line in lines)


def _change_warnings(changes: Sequence[Change]) -> list[tuple[str, str, str]]:
    """(change, its tasks, warning), tasks that share a warning together."""
    found: list[tuple[str, str, str]] = []
    for change in changes:
        tasks: dict[str, list[str]] = {}
        for contrast in (change.mean, *change.contrasts):
            for warning in contrast.warnings:
                tasks.setdefault(warning, []).append(contrast.task)
        label, every = f"{change.child} against {change.parent}", len(change.contrasts)
        for warning, names in tasks.items():
            where = "every task" if len(names) == every > 1 else ", ".join(names)
            found.append((label, where, warning))
    return found


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


def _page(entries: Sequence[Entry], changes: Sequence[Change]) -> str:
    rows = change_rows(changes) if changes else []
    reach = reach_of([one for _, row in rows for one in row if one is not None])
    return render(
        "board.html",
        {
            "entries": entries,
            "changes": changes,
            "sentence": sentence,
            "lineage": lineage_rows(entries),
            "tree": Markup(tree_svg(_places(entries))),
            "change_rows": rows,
            "reach": reach,
            "verdict": verdict,
            "probability": probability,
            "change_chart": lambda contrast: Markup(change_svg(contrast, reach)),
            "kinds": kind_rows(entries),
            "tasks": task_rows(entries),
            "others": other_rows(entries),
            "mismatches": mismatches(entries),
            "warnings": [*_change_warnings(changes), *_warnings(entries)],
            "chart": lambda cell: Markup(interval_svg(cell)),
            "show": show,
            "mib": MIB,
        },
    )
