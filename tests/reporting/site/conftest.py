"""One board with texts and its site, built once for all tests that only read it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.reporting.comparison.board import Board, make_board
from bench.reporting.site.build import build_site
from bench.reporting.site.changelog import Note
from bench.reporting.site.texts import Texts
from tests.reporting.site.boards import Shape, failing, family, texts_of
from tests.reporting.site.pages import Page, pages_of

SHAPE = Shape(
    tasks=("reading", "truthful", "summarize", "toxicity"), items=24, variants=("", "terse")
)
LOG = (Note("2026-05-01", "Scorer mended", "Case counts no longer: all of topic was run again."),)


@dataclass(frozen=True)
class Built:
    """A site and what it was built from."""

    board: Board
    texts: Texts
    folder: Path
    written: list[Path]
    pages: dict[str, Page]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Built:
    """A folder of pages with everything on them: items that failed, pairs that do not compare."""
    results = family(SHAPE)
    results[0] = failing(results[0], (1, 2))
    board = make_board(results)
    texts = texts_of(board, "reading", "truthful")
    folder = tmp_path_factory.mktemp("site")
    written = build_site(board, folder, texts, title="Test board", log=LOG)
    return Built(board, texts, folder, written, pages_of(folder))
