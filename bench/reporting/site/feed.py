"""The changelog as an Atom feed (RFC 4287), in English.

Called by `bench.reporting.site.build`. Ids are names, not addresses, so the site may lie anywhere.

    <entry><title>ppo-6b was added</title><id>urn:uuid:8f0c...</id><updated>2026-03-02T09:00:00Z...
"""

import uuid
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from bench.reporting.export import printable
from bench.reporting.site.changelog import ADDRESS, UNKNOWN, Entry
from bench.reporting.site.charts.words import NOT_XML
from bench.reporting.site.sentences import change_sentence
from bench.reporting.site.strings import strings_of
from bench.reporting.site.view import View

NAMESPACE = uuid.UUID("5b1f3d0a-6f0e-5c0b-9d58-1b6f7a0c2e11")


def feed(view: View, entries: Sequence[Entry]) -> str:
    """The feed as XML; the newest entry gives its time."""
    updated = entries[0].when if entries else UNKNOWN
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
            f"<title>{_text(view.title)}</title>",
            f"<id>{_id(view.title)}</id>",
            f"<updated>{updated}</updated>",
            "<author><name>instruct-bench</name></author>",
            f'<link rel="alternate" type="text/html" href="{ADDRESS}"/>',
            *(_entry(view, entry) for entry in entries),
            "</feed>",
            "",
        ]
    )


def _entry(view: View, entry: Entry) -> str:
    href = f"{ADDRESS}#{entry.id}"
    return (
        f"<entry><title>{_text(_title(entry))}</title><id>{_id(view.title, entry.id)}</id>"
        f"<updated>{entry.when}</updated>"
        f'<link rel="alternate" type="text/html" href={quoteattr(href)}/>'
        f"<summary>{_text(_summary(view, entry))}</summary></entry>"
    )


def _title(entry: Entry) -> str:
    if entry.note:
        return entry.note.title
    t = strings_of("en")["entry_added" if entry.first else "entry_more"]
    return t.format(model=entry.label).unescape()


def _summary(view: View, entry: Entry) -> str:
    if entry.note:
        return entry.note.text
    told = [change_sentence(one, view.board.level, "en").striptags() for one in entry.changes]
    tasks = strings_of("en")["entry_tasks"].format(tasks=", ".join(entry.tasks)).unescape()
    return ". ".join([*told, tasks])


def _id(*parts: str) -> str:
    return uuid.uuid5(NAMESPACE, "\n".join(map(printable, parts))).urn


def _text(text: str) -> str:
    return escape(printable(text).translate(NOT_XML))
