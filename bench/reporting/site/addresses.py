"""Where a page lies, and names as parts of addresses: safe on every system, no two alike.

>>> slugs(["topic", "Topic", "两个", "a/b"])
('topic', 'Topic-7e61847d', 'eab040a4', 'a-b-c14cddc0')
"""

import hashlib
import posixpath
import re
from collections.abc import Sequence

UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)
LONGEST = 60
# Names that Windows keeps for itself, whatever stands behind a dot.
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789"),
}


def slugs(names: Sequence[str]) -> tuple[str, ...]:
    """One part of a path for each of `names`, which are distinct; most stay what they are."""
    taken: set[str] = set()
    found = []
    for name in names:
        slug = slug_of(name)
        if slug.casefold() in taken:  # some file systems do not tell upper from lower case
            slug = f"{slug[:LONGEST]}-{_digest(name)}"
        taken.add(slug.casefold())
        found.append(slug)
    return tuple(found)


def slug_of(name: str) -> str:
    """`name` where it is safe, else what is safe of it and a digest."""
    safe = UNSAFE.sub("-", name).strip(".-_")[:LONGEST]
    if safe == name and safe and safe.split(".")[0].casefold() not in RESERVED:
        return name
    return f"{safe}-{_digest(name)}".strip("-")


def relative(source: str, target: str) -> str:
    """The way from one page to another: from task/a.html to index.html it is ../index.html."""
    return posixpath.relpath(target, posixpath.dirname(source) or ".")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
