"""Pages as HTML: a template, its values, a language, and what surrounds every page.

Called by `bench.reporting.site.build`. No text is markup: everything is escaped, and what hides or
reorders its neighbours is replaced.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bench.reporting.comparison.comparable import shown
from bench.reporting.site import digits
from bench.reporting.site.charts.say import speaking
from bench.reporting.site.charts.stages import mark, stage_word
from bench.reporting.site.charts.verdicts import SIGNS, verdict_class
from bench.reporting.site.links import FOLDERS, Site
from bench.reporting.site.names import name, names, plain
from bench.reporting.site.remarks import plain_remarks, remark, remarks
from bench.reporting.site.sentences import change_sentence
from bench.reporting.site.strings import LANGUAGES, Language, counted_in, strings_of
from bench.reporting.site.tables import FOR_PROGRAMS, FORMATS
from bench.reporting.site.view import View
from bench.reporting.site.words import MOST_CHARACTERS
from bench.types import Json

# Pages load nothing but their own style, script and drawings, and send nothing anywhere.
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MOST_ROWS = 200  # of a chart's numbers on the page; its CSV file holds all


@dataclass(frozen=True, slots=True)
class Page:
    """`address` lies below the folder of the language; `values` are those of `template`."""

    address: str
    template: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the pages of one language."""

    view: View
    site: Site
    language: Language

    def html(self, page: Page) -> str:
        """The page as a document of its own, or as a section where all are one file."""
        layout = "section.html" if self.site.one_file else "frame.html"
        policy = POLICY.format(script="'self'", style="'self'")
        values = self._values(page.address) | {"layout": layout, "policy": policy}
        template = _environment(self.language).get_template(page.template)
        with speaking(self.language):
            return template.render({**values, **page.values})

    def whole(self, sections: Sequence[str]) -> str:
        """The one file around its sections."""
        style, script = asset("board.css"), asset("board.js")
        values = self._values("index.html") | {
            "sections": Markup("".join(sections)),
            "style": Markup(style),
            "script": Markup(script),
            "policy": POLICY.format(script=hash_source(script), style=hash_source(style)),
        }
        return _environment(self.language).get_template("whole.html").render(values)

    def _values(self, address: str) -> dict[str, object]:
        level = self.view.board.level
        return {
            "view": self.view,
            "address": address,
            "links": self.site.links(address),
            "language": self.language,
            "place": LANGUAGES.index(self.language),
            "one_file": self.site.one_file,
            "h": 2 if self.site.one_file else 1,
            "sentence": lambda change: change_sentence(change, level, self.language),
        }


def hash_source(content: str) -> str:
    """What the policy calls a style or a script that stands in the page."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def asset(file: str) -> str:
    """A file of `static/`; the style holds that of the charts too."""
    folder = files("bench.reporting.site")
    content = (folder / "static" / file).read_text("utf-8")
    if file == "board.css":
        content += (folder / "charts" / "charts.css").read_text("utf-8")
    return content


@cache
def _environment(language: Language) -> Environment:
    """Templates in one language: `t("key")` is a string of the table."""
    made = Environment(
        loader=PackageLoader("bench.reporting.site"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "t": strings_of(language).__getitem__,
        "strings_of": strings_of,
        "counted": partial(counted_in, language),
        "digits": digits,
        "name": name,
        "names": names,
        "remark": partial(remark, language=language),
        "remarks": partial(remarks, language=language),
        "plain_remarks": partial(plain_remarks, language=language),
        "mark": lambda *place: Markup(mark(*place)),
        "stage_word": stage_word,
        "signs": SIGNS,
        "verdict_class": verdict_class,
        "ties": lambda groups: "".join(LETTERS[group % len(LETTERS)] for group in groups),
        "plain_value": _plain,
        "pairs": _pairs,
        "measure": lambda key: strings_of(language).get(f"measure_{key}") or name(key),
        "outcomes": ("right", "wrong", "failed", "missing"),
        "most_characters": MOST_CHARACTERS,
        "folders": FOLDERS,
        "formats": FORMATS,
        "for_programs": FOR_PROGRAMS,
        "most_rows": MOST_ROWS,
    }
    return made


def _plain(value: str | float | None) -> str:
    """A number of a chart as its table shows it."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pairs(values: Mapping[str, Json]) -> Markup:
    """Settings in a row: limit 200, shots 0."""
    return names(f"{key} {shown(values[key])}" for key in sorted(values))
