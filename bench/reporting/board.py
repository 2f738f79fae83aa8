"""The board: Cells of several runs as one HTML page, Markdown, CSV and JSON.

index.html   self-contained: no script, no network
board.md, board.csv, board.json
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bench.reporting.cells import by_kind, cells_of, headlines
from bench.reporting.charts import interval_svg
from bench.reporting.export import cells_csv, cells_json, cells_markdown, dumps, show
from bench.store import load_run, write_atomic
from bench.types import Cell, Json, Run

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """One run on the board."""

    run: Run
    cells: list[Cell]

    @property
    def label(self) -> str:
        """The model's name as the column heading: the last part of a path."""
        return self.run.model.rstrip("/").rsplit("/", 1)[-1]


def load_entries(folders: Sequence[Path]) -> list[Entry]:
    """The runs in `folders` with their Cells.

    Raises:
        RunError: a run is missing or damaged.
    """
    entries = []
    for folder in folders:
        run, records = load_run(folder)
        entries.append(Entry(run, cells_of(run, records)))
    return entries


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
    found: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for entry in entries:
        for cell in headlines(entry.cells):
            found.setdefault((cell.kind, cell.task, cell.metric), {})[cell.run] = cell
    return [
        (f"{task} ({metric})", [found[key].get(entry.run.name) for entry in entries])
        for key in sorted(found)
        for _, task, metric in [key]
    ]


def kind_rows(entries: Sequence[Entry]) -> list[tuple[str, list[Cell | None]]]:
    """(kind, the mean of its tasks' headlines for each entry)."""
    pooled = [{cell.task: cell for cell in by_kind(entry.cells)} for entry in entries]
    kinds = sorted({kind for cells in pooled for kind in cells})
    return [(kind, [cells.get(kind) for cells in pooled]) for kind in kinds]


def _markdown(entries: Sequence[Entry]) -> str:
    labels = [entry.label for entry in entries]
    return (
        "# Board\n\nEstimate [95% interval] n.\n\n## By kind\n\n"
        + cells_markdown(labels, kind_rows(entries))
        + "\n## By task\n\n"
        + cells_markdown(labels, task_rows(entries))
    )


def _page(entries: Sequence[Entry]) -> str:
    environment = Environment(
        loader=PackageLoader("bench.reporting"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("board.html").render(
        entries=entries,
        kinds=kind_rows(entries),
        tasks=task_rows(entries),
        others=[cell for entry in entries for cell in entry.cells if not cell.headline],
        warnings=[cell for entry in entries for cell in entry.cells if cell.warnings],
        chart=lambda cell: Markup(interval_svg(cell)),
        show=show,
        mib=MIB,
    )
