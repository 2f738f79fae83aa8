"""Names, prompts and replies that try to be markup, script or formulas, or to break the page."""

import csv
import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.export import HIDES
from bench.reporting.site.build import build_site
from bench.reporting.site.texts import Output, Prompt, Texts
from tests.reporting.site.boards import Shape, family
from tests.reporting.site.pages import broken_links, document, pages_of

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"`&amp;</td></table></main><!-- ]]>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "nul\0 bell\a \ud800",
    "\u202egnp.exe\u2066",
    "</script><style>*{display:none}</style>",
    "x" * 1_000_000,
    "=HYPERLINK(A1)",
    "../../../etc/passwd",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "",
)
# What the templates themselves may write.
TAGS = {
    *("html", "head", "meta", "title", "link", "script", "body", "a", "header", "p", "nav", "ul"),
    *(
        "li",
        "div",
        "label",
        "select",
        "option",
        "main",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "section",
    ),
    *("bdi", "figure", "figcaption", "details", "summary", "table", "caption", "thead", "tbody"),
    *("tr", "th", "td", "svg", "g", "path", "rect", "circle", "line", "text", "span", "abbr", "dl"),
    *("dt", "dd", "code", "br", "small", "form", "fieldset", "legend", "input", "button", "pre"),
    *("ins", "del", "time", "desc", "polygon"),
}


@pytest.fixture(scope="module", params=range(len(HOSTILE)))
def site(request, tmp_path_factory):
    """A site in which everything that somebody else wrote is one hostile text."""
    told = HOSTILE[request.param]
    bad = told[:500]  # names are written to every download, many times
    shape = Shape(sizes=("1b",), stages=("base", "sft", "ppo"), tasks=("reading",), items=6)
    results = [_poisoned(one, bad, told) for one in family(shape)]
    board = make_board(results)
    outputs = {
        (row, bad, bad, item, 0): Output(f"{told} {row}", told, ((told, 0.5),))
        for row, of_row in enumerate(board.rows)
        for result in of_row.results.values()
        for item in result.items.ids
    }
    digests = board.rows[0].results[bad, bad].items
    prompts = {
        (bad, bad, item, digest): Prompt(told, (told,))
        for item, digest in zip(digests.ids, digests.digests, strict=True)
    }
    folder = tmp_path_factory.mktemp("hostile")
    build_site(board, folder, Texts(prompts, outputs, (told,)), title=bad or "empty")
    return folder


def _poisoned(one, bad, told):
    """`one` with `bad` for every name and `told` for every other text; items stay apart by a
    number behind it."""
    model = replace(
        one.model, name=f"{bad}{one.model.name}", family=bad, size=bad, recipe=bad, licence=bad,
        parents=tuple(replace(link, name=f"{bad}{link.name}") for link in one.model.parents),
    )  # fmt: skip
    metric = replace(one.task.metrics[0], name=bad)
    task = replace(
        one.task, name=bad, title=bad, variant=bad, kind=bad, language=bad, source=bad,
        digest=bad, prompts_digest=bad, metrics=(metric,),
    )  # fmt: skip
    (scores,) = one.items.scores.values()
    items = replace(
        one.items,
        ids=tuple(f"{bad}{place}" for place in range(len(one.items.ids))),
        digests=tuple(f"{bad}{place}" for place in range(len(one.items.ids))),
        failures=(told, *one.items.failures[1:]),
        scores={bad: (None if told else scores[0], *scores[1:])},
        measures={bad: (1.0,) * len(one.items.ids)},
    )
    said = replace(
        one.provenance, tool=told, scorer=told, command=told, started=told, notes=(told,),
        environment={bad: told}, git={bad: told},
    )  # fmt: skip
    return replace(
        one, model=model, task=task, items=items, provenance=said, settings={bad: told},
        aggregates={bad: 0.5},
    )  # fmt: skip


def test_pages_stay_well_formed_and_hold_nothing_foreign(site):
    for name, page in pages_of(site).items():
        assert {tag for tag, _ in page.tags} <= TAGS, name
        scripts = [attrs for tag, attrs in page.tags if tag == "script"]
        assert len(scripts) == 1
        assert not any(key.startswith("on") for _, attrs in page.tags for key in attrs)
        assert page.attributes("style") == []


def test_links_stay_within_the_site(site):
    assert broken_links(site, pages_of(site)) == []


def test_nothing_hides_or_reorders_its_neighbours(site):
    for name, page in pages_of(site).items():
        assert not HIDES.search(page.text.replace("\n", "")), name
        for _, attrs in page.tags:
            assert not HIDES.search("".join(value or "" for value in attrs.values())), name


def test_a_page_stays_small(site):
    for path in site.rglob("*.html"):
        assert path.stat().st_size < 1_500_000, path.name


def test_no_cell_of_a_download_is_a_formula(site):
    csv.field_size_limit(2_000_000)
    for path in site.rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text("utf-8"))):
            for cell in row:
                assert not cell.startswith(("=", "@", "\t")), path.name


def test_feed_drawings_and_documents_can_be_read(site):
    assert ElementTree.parse(site / "feed.xml").getroot().tag.endswith("feed")
    drawings, documents = list(site.rglob("*.svg")), list(site.rglob("*.json"))
    assert drawings
    assert documents
    for path in drawings:
        assert ElementTree.parse(path).getroot().tag.endswith("svg"), path.name
    for path in documents:
        assert document(path.read_bytes()), path.name
