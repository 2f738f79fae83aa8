"""The pages there are, and the way from one to another: a path, or a place in the one file.

Called by the pages for what they link to, and by `bench.reporting.site.frame`.

    site.links("task/topic.html").page("index.html", "scores")    "../index.html#scores"
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.reporting.site.addresses import relative
from bench.reporting.site.strings import Language

FOLDERS: Mapping[Language, str] = {"en": "", "zh": "zh/"}


@dataclass(frozen=True, slots=True)
class Site:
    """`known` holds the address of every page below the folder of a language."""

    known: frozenset[str]
    languages: tuple[Language, ...]
    one_file: bool = False

    def links(self, here: str) -> "Links":
        """The ways from the page at `here`."""
        return Links(self, here)


@dataclass(frozen=True, slots=True)
class Links:
    """Ways from the page at `here` to others; the same in every language."""

    site: Site
    here: str

    def page(self, target: str, fragment: str = "") -> str | None:
        """A page, or a place on it; None where there is no such page."""
        if target not in self.site.known:
            return None
        if self.site.one_file:
            return f"#{_anchor(target, fragment)}"
        if target == self.here and fragment:
            return f"#{fragment}"
        return relative(self.here, target) + (f"#{fragment}" if fragment else "")

    def id(self, fragment: str = "") -> str:
        """The id of a place on this page; of the page itself in the one file."""
        return _anchor(self.here, fragment) if self.site.one_file else fragment

    def file(self, target: str, language: Language) -> str:
        """A file that all languages share."""
        return relative(FOLDERS[language] + self.here, target)

    def translations(self, language: Language) -> list[tuple[Language, str]]:
        """This page in each language, seen from `language`."""
        here = FOLDERS[language] + self.here
        return [(one, relative(here, FOLDERS[one] + self.here)) for one in self.site.languages]


def _anchor(target: str, fragment: str) -> str:
    """A place in the one file: ("task/topic.html", "items") is "task-topic--items"."""
    stem = target.removesuffix(".html").replace("/", "-")
    return f"{stem}--{fragment}" if fragment else stem
