"""A chart with what a page and a download need of it: wide, narrow, and without links.

Made by `bench.reporting.site.figures`, shown by the macro `figure` of the templates.

    Figure(kind="forest", name="forest-ppo-sft", title="ppo / sft", wide=Chart(...), ...)
    charts/forest-ppo-sft.svg, charts/forest-ppo-sft.csv
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from bench.reporting.site import tables
from bench.reporting.site.charts.chart import NARROW, WIDE, Chart, Href

Drawing = Callable[[str, Href | None, float], Chart]
NO_ID = re.compile(r"[^A-Za-z0-9_-]")
# Two of these stand side by side where the page has room.
SMALL = ("sizes", "win_sizes", "length", "pareto")
HALF = 600.0  # pixels


@dataclass(frozen=True, slots=True)
class Figure:
    """`kind` is the word for it, `name` that of its files and part of its ids; `bare` is `wide`
    without links; a `folded` one is shown when asked for."""

    kind: str
    name: str
    title: str
    wide: Chart
    narrow: Chart
    bare: Chart
    folded: bool = False

    @property
    def svg(self) -> Markup:
        """Both forms; the style shows the one that the page has room for."""
        return Markup(
            f'<div class="chart-wide">{self.wide.svg}</div>'
            f'<div class="chart-narrow">{self.narrow.svg}</div>'
        )

    @property
    def is_small(self) -> bool:
        """Whether another may stand beside it."""
        return self.kind in SMALL


def figure(kind: str, name: str, title: str, draw: Drawing, href: Href | None) -> Figure:
    """What `draw` makes of (id, links, width), three times."""
    uid, wide = NO_ID.sub("_", name), HALF if kind in SMALL else WIDE
    return Figure(
        kind=kind,
        name=name,
        title=title,
        wide=draw(f"{uid}-wide", href, wide),
        narrow=draw(f"{uid}-narrow", href, NARROW),
        bare=draw(uid, None, WIDE),
    )


def files_of(drawn: Figure) -> Iterator[tuple[str, bytes]]:
    """The drawing as a file that needs no other, and its numbers."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" data-theme="light" {drawn.bare.svg[5:]}'
    start = head.index(">") + 1
    alone = f"{head[:start]}<style>{_style()}</style>{head[start:]}\n"
    yield f"charts/{drawn.name}.svg", alone.encode("utf-8", "replace")
    table = tables.Table(drawn.name, drawn.bare.columns, drawn.bare.rows)
    yield f"charts/{drawn.name}.csv", tables.csv(table)


@cache
def _style() -> str:
    """The style of the charts, for a drawing that stands alone."""
    content = (files("bench.reporting.site") / "charts" / "charts.css").read_text("utf-8")
    return content.replace("&", "&amp;").replace("<", "&lt;")
