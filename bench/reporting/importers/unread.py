"""Which parts of a JSON value an importer does not read: the key paths that a Result cannot hold.

Called by the importers, each with its own table of what it reads. Lists add nothing to a path, and
`*` in the table stands for any one key:

>>> sorted(unread({"id": 1, "scores": {"f1": {"value": 0.5, "why": "close"}}, "note": ""},
...               frozenset({"id", "scores.*.value"})))
['scores.*.why']
"""

from collections.abc import Iterator

from bench.types import Json


def unread(value: Json, read: frozenset[str]) -> set[str]:
    """The shortest paths in `value` of which nothing is in `read`; what is empty is not missed."""
    ahead = {path[:end] for path in read for end in _dots(path)}
    return set(_unread(value, "", read, ahead))


def _unread(value: Json, path: str, read: frozenset[str], ahead: set[str]) -> Iterator[str]:
    if path in read or _is_empty(value):
        return
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for one in value:
            yield from _unread(one, path, read, ahead)
    elif isinstance(value, dict) and (not path or path in ahead):
        for key, inner in value.items():
            yield from _unread(inner, _step(path, key, read, ahead), read, ahead)
    else:
        yield path


def _is_empty(value: Json) -> bool:
    """Whether there is nothing in it: null, "", or lists and objects that hold only such."""
    if isinstance(value, (list, dict)):
        return all(map(_is_empty, value.values() if isinstance(value, dict) else value))
    return value is None or value == ""


def _step(path: str, key: str, read: frozenset[str], ahead: set[str]) -> str:
    """The path of `key`, with `*` where the table knows any key there and not this one."""
    named, any_key = (f"{path}.{name}" if path else name for name in (key, "*"))
    known = named in read or named in ahead
    return named if known or not (any_key in read or any_key in ahead) else any_key


def _dots(path: str) -> Iterator[int]:
    return (place for place, letter in enumerate(path) if letter == ".")
