"""The site of a board in a folder, or as one file: every page in every language, and downloads.

`bench board build` calls `build_site`. Equal boards give equal bytes: dates come from the results.

    build_site(make_board(results), Path("site"), texts_of_runs(board, folders))
    site/index.html, site/zh/index.html, site/task/topic.html, ..., site/data/scores.csv
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import RunError, write_remedy
from bench.reporting.comparison.board import Board
from bench.reporting.site import changelog, compare_page, judgments_page, methods_page, overview
from bench.reporting.site.changelog import Entry, Note, changelog_page, entries_of
from bench.reporting.site.downloads import data_files
from bench.reporting.site.feed import feed
from bench.reporting.site.figure import Figure, files_of
from bench.reporting.site.figures import (
    change_figures,
    lineage_figures,
    overview_figures,
    task_figures,
)
from bench.reporting.site.frame import Frame, Page, asset
from bench.reporting.site.item_page import item_page
from bench.reporting.site.items import MOST
from bench.reporting.site.lineage_page import lineage_page
from bench.reporting.site.links import FOLDERS, Site
from bench.reporting.site.manifest import MANIFEST, earlier, listed, refuse_foreign, remove
from bench.reporting.site.strings import LANGUAGES, Language
from bench.reporting.site.task_page import task_page
from bench.reporting.site.texts import Texts
from bench.reporting.site.view import NO_TEXTS, View, view_of

File = tuple[str, bytes]


def build_site(
    board: Board,
    output: Path,
    texts: Texts = NO_TEXTS,
    one_file: bool = False,
    title: str = "Leaderboard",
    log: Sequence[Note] = (),
    languages: Sequence[Language] = LANGUAGES,
    most_items: int = MOST,
    damaged: Sequence[str] = (),
) -> list[Path]:
    """Write the site of `board` below `output`; the paths written.

    With `one_file` it is index.html alone, in the first of `languages`, with everything in it but
    the pages of items and the downloads. `texts` give pages to items, to `most_items` in all that
    the tasks share; `log` adds entries to the changelog; the runs `damaged` are named as left out.
    What an earlier build wrote there and this one does not is removed, also by `one_file`.

    Raises:
        RunError: a file cannot be written, or `output` holds files that no build wrote.
    """
    alone = one_file and not (output / MANIFEST).is_file()
    before = set() if alone else earlier(output)
    if alone:
        refuse_foreign(output / "index.html")
    view = view_of(board, title, texts, 0 if one_file else most_items, tuple(damaged))
    entries = entries_of(view, log)
    site = Site(_known(view), tuple(languages[:1] if one_file else languages), one_file)
    files = _one_file(view, site, entries) if one_file else _files(view, site, entries)
    written = [(address, _write(output / address, content)) for address, content in files]
    addresses = {address for address, _ in written}
    remove(output, before - addresses)
    if one_file:
        remove(output, [MANIFEST])
        return [path for _, path in written]
    return [*(path for _, path in written), _write(output / MANIFEST, listed(addresses))]


def _files(view: View, site: Site, entries: Sequence[Entry]) -> Iterator[File]:
    for name in ("board.css", "board.js"):
        yield f"static/{name}", asset(name).encode()
    yield "feed.xml", feed(view, entries).encode()
    yield from data_files(view)
    frames = [Frame(view, site, language) for language in site.languages]
    for page, figures in _pages(view, site, entries):
        for frame in frames:
            yield FOLDERS[frame.language] + page.address, _encoded(frame.html(page))
        for figure in figures:
            yield from files_of(figure, site.languages)


def _one_file(view: View, site: Site, entries: Sequence[Entry]) -> Iterator[File]:
    frame = Frame(view, site, site.languages[0])
    sections = [frame.html(page) for page, _ in _pages(view, site, entries)]
    yield "index.html", _encoded(frame.whole(sections))


def _pages(
    view: View, site: Site, entries: Sequence[Entry]
) -> Iterator[tuple[Page, Sequence[Figure]]]:
    """Every page with the charts on it, one after the other: no more than one is held."""
    figures = overview_figures(view, site.links(overview.ADDRESS))
    yield overview.overview(view, figures), figures
    yield compare_page.compare_page(view), ()
    if view.board.judged:
        yield judgments_page.judgments_page(view, site.links(judgments_page.ADDRESS))
    for root in view.roots:
        links = site.links(view.lineage_page(root))
        figures = lineage_figures(view, root, links)
        drawn = {
            view.change_id(one): change_figures(view, one, links) for one in view.changes(root)
        }
        page = lineage_page(view, root, figures, drawn)
        yield page, [*figures, *(figure for of_change in drawn.values() for figure in of_change)]
    for task in view.board.tasks:
        links = site.links(view.task_page(task.name))
        figures = task_figures(view, task, links)
        yield task_page(view, task, figures, links), figures
    tasks = {task.name: task for task in view.board.tasks}
    for name, item in view.items.pages:
        yield item_page(view, tasks[name], item), ()
    yield methods_page.methods_page(view), ()
    yield changelog_page(entries), ()


def _known(view: View) -> frozenset[str]:
    """The address of every page."""
    return frozenset(
        [
            *(overview.ADDRESS, compare_page.ADDRESS, methods_page.ADDRESS, changelog.ADDRESS),
            *([judgments_page.ADDRESS] if view.board.judged else []),
            *map(view.lineage_page, view.roots),
            *(view.task_page(task.name) for task in view.board.tasks),
            *view.items.pages.values(),
        ]
    )


def _encoded(html: str) -> bytes:
    return html.encode("utf-8", "replace")


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written: {error.strerror or error}",
            write_remedy(error),
        ) from None
    return path
