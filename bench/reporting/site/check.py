"""A site against its results: built anew from them, every file must be the same, byte for byte.

Called by `bench board check --site`. That holds because the site depends on nothing but results:
a number that was edited on a page, or a page of results that have changed since, is found.

    Finding("leaderboard/site/index.html", "site", "error", "is not what these results give")
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import RunError
from bench.reporting.comparison.board import make_board
from bench.reporting.results.files import load_results
from bench.reporting.results.rule import Finding
from bench.reporting.site.build import build_site

RULE = "site"


def site_findings(results: Path, site: Path) -> list[Finding]:
    """The files of `site` that differ from what `results` give, are missing or too many.

    Raises:
        RunError: there is no site, there are no results, or they cannot be read.
    """
    if not site.is_dir() or not any(site.iterdir()):
        raise RunError(f"{site}: no site here", f"bench board build -o {site}")
    board = make_board(load_results([results]))
    with TemporaryDirectory() as folder:
        made = {path.relative_to(folder) for path in build_site(board, Path(folder))}
        there = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
        return [
            Finding(str(site / path), RULE, "error", told)
            for path in sorted(made | there)
            if (told := _differs(site / path, Path(folder) / path))
        ]


def _differs(found: Path, expected: Path) -> str:
    if not expected.is_file():
        return "is not of these results: bench board build removes what it wrote before"
    if not found.is_file():
        return "is missing: bench board build writes it"
    if found.read_bytes() != expected.read_bytes():
        return "is not what these results give: it was edited, or the results have changed since"
    return ""
