"""Pages of a site as the tests read them: tags in order, ids, links, text."""

import json
import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """A page; reading it fails where tags are not closed in order or an attribute stands twice."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        self.text += " " if tag in ("td", "th") else ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def attributes(self, name: str) -> list[str]:
        """Every value of an attribute, in order."""
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]

    @property
    def words(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())


def pages_of(folder: Path) -> dict[str, Page]:
    """Every page below a folder, by its address."""
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def broken_links(folder: Path, pages: dict[str, Page]) -> list[tuple[str, str]]:
    """Links to files that do not exist, and to places that are not on their page."""
    ids = {address: set(page.attributes("id")) for address, page in pages.items()}
    found = []
    for address, page in pages.items():
        for link in [*page.attributes("href"), *page.attributes("src")]:
            parts = urlsplit(link)
            assert not parts.scheme, link
            assert not parts.netloc, link
            here = posixpath.join(posixpath.dirname(address), unquote(parts.path))
            target = posixpath.normpath(here) if parts.path else address
            place = unquote(parts.fragment)
            if not (folder / target).is_file() or (place and place not in ids[target]):
                found.append((address, link))
    return found


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def document(content: bytes) -> object:
    """A JSON document that holds nothing that is not JSON."""

    def refuse(word: str) -> float:
        raise AssertionError(word)

    return json.loads(content, parse_constant=refuse)
