"""A chart with what a page and a download need of it: wide, narrow, without links; each language.

Made by `bench.reporting.site.figures`, shown by the macro `figure` of the templates.

    Figure(kind="forest", name="forest-ppo-sft", title="ppo / sft", drawn={"en": Drawn(...), ...})
    charts/forest-ppo-sft.svg, zh/charts/forest-ppo-sft.svg, charts/forest-ppo-sft.csv
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from bench.reporting.site import tables
from bench.reporting.site.charts.chart import NARROW, WIDE, Chart, Href
from bench.reporting.site.charts.say import speaking
from bench.reporting.site.links import FOLDERS
from bench.reporting.site.strings import LANGUAGES, Language

Drawing = Callable[[str, Href | None, float], Chart]
NO_ID = re.compile(r"[^A-Za-z0-9_-]")
# Two of these stand side by side where the page has room.
SMALL = ("sizes", "win_sizes", "length", "pareto")
HALF = 600.0  # pixels


@dataclass(frozen=True, slots=True)
class Drawn:
    """The chart in one language: `bare` is `wide` without links."""

    wide: Chart
    narrow: Chart
    bare: Chart

    @property
    def svg(self) -> Markup:
        """Both forms; the style shows the one that the page has room for."""
        return Markup(
            f'<div class="chart-wide">{self.wide.svg}</div>'
            f'<div class="chart-narrow">{self.narrow.svg}</div>'
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """`kind` is the word for it, `name` that of its files and part of its ids; a `folded` one is
    shown when asked for."""

    kind: str
    name: str
    title: str
    drawn: Mapping[Language, Drawn]
    folded: bool = False

    @property
    def is_small(self) -> bool:
        """Whether another may stand beside it."""
        return self.kind in SMALL


def figure(kind: str, name: str, title: str, draw: Drawing, href: Href | None) -> Figure:
    """What `draw` makes of (id, links, width), in each language three times."""
    uid, wide = NO_ID.sub("_", name), HALF if kind in SMALL else WIDE
    drawn: dict[Language, Drawn] = {}
    for language in LANGUAGES:
        with speaking(language):
            drawn[language] = Drawn(
                wide=draw(f"{uid}-wide", href, wide),
                narrow=draw(f"{uid}-narrow", href, NARROW),
                bare=draw(uid, None, WIDE),
            )
    return Figure(kind, name, title, drawn)


def files_of(made: Figure, languages: Sequence[Language]) -> Iterator[tuple[str, bytes]]:
    """The drawing in each of `languages` as a file that needs no other, and its numbers."""
    for language in languages:
        svg = made.drawn[language].bare.svg
        head = f'<svg xmlns="http://www.w3.org/2000/svg" data-theme="light" {svg[5:]}'
        start = head.index(">") + 1
        alone = f"{head[:start]}<style>{_style()}</style>{head[start:]}\n"
        place = f"{FOLDERS[language]}charts/{made.name}.svg"
        yield place, alone.encode("utf-8", "replace")
    numbers = made.drawn[LANGUAGES[0]].bare
    table = tables.Table(made.name, numbers.columns, numbers.rows)
    yield f"charts/{made.name}.csv", tables.csv(table)


@cache
def _style() -> str:
    """The style of the charts, for a drawing that stands alone."""
    content = (files("bench.reporting.site") / "charts" / "charts.css").read_text("utf-8")
    return content.replace("&", "&amp;").replace("<", "&lt;")
