"""Rules for parents and children: on the board, in no circle, asked the same items.

Called by `bench.reporting.results.audit`. Who is whose parent is asked of the board's own lineage.
A reward model answers no task, so nobody misses it here.
"""

from collections.abc import Iterator, Mapping

from bench.reporting.comparison.against_reference import with_reference
from bench.reporting.comparison.lineage import Row, parents_of, policy_of, rows_of
from bench.reporting.results.rule import Board, Entry, Rule, Rules, Told
from bench.reporting.results.schema import Link, ModelEntry, Result

Key = tuple[str, str]  # (name without what stands before its last slash, revision)


def parents(board: Board) -> Told:
    """What a model was trained from is on the board too."""
    rows = rows_of([entry.result for entry in board.entries])
    for row, parent in zip(rows, parents_of(rows), strict=True):
        link = policy_of(row.model)
        if link is not None and parent is None:
            told = f"model.parents: {link.name or 'one'} at {link.revision} is not on the board"
            yield _file_of(board, _first(row)), told


def circles(board: Board) -> Told:
    """No model descends from itself."""
    links = {_key(entry.result.model): _links(entry.result.model) for entry in board.entries}
    told: set[Key] = set()
    for entry in board.entries:
        key = _key(entry.result.model)
        if key not in told and key in _ancestors(key, links):
            told.add(key)
            yield entry.file, f"model.parents: {entry.result.model.name} descends from itself"


def pairs(board: Board) -> Told:
    """Child and parent have a score on the same items."""
    rows = rows_of([entry.result for entry in board.entries])
    for row, place in zip(rows, parents_of(rows), strict=True):
        for asked, result in row.results.items() if place is not None else ():
            theirs, (_, variant) = rows[place or 0], asked
            judged = with_reference({variant: result}, theirs, {})  # against the parent's replies
            parent = theirs.results.get(asked) or judged.get(variant)
            told = _unpaired(result, parent) if parent else "its parent was not asked this task"
            if told:
                yield _file_of(board, result), told


LINEAGE_RULES: Rules = {
    "parents": Rule(parents, "what a model was trained from is on the board", "warning"),
    "circles": Rule(circles, "no model descends from itself"),
    "pairs": Rule(pairs, "child and parent have scores on the same items", "warning"),
}


def _unpaired(child: Result, parent: Result) -> str:
    """How many items only one of the two has a score on, "" for none."""
    ours, theirs = _scored(child), _scored(parent)
    missing = len(ours ^ theirs)
    if not missing:
        return ""
    return f"{missing} of {len(ours | theirs)} items have a score in only one of it and its parent"


def _scored(result: Result) -> set[tuple[str, str, int]]:
    items = result.items
    named = zip(items.ids, items.digests, items.samples, strict=True)
    return {item for item, reason in zip(named, items.failures, strict=True) if not reason}


def _first(row: Row) -> Result:
    return next(iter(row.results.values()))


def _file_of(board: Board, result: Result) -> str:
    """The file that a Result of the board was read from."""
    found: Iterator[Entry] = (entry for entry in board.entries if entry.result is result)
    return next(found).file


def _key(model: ModelEntry | Link) -> Key:
    return model.name.rsplit("/", 1)[-1], model.revision


def _links(model: ModelEntry) -> list[Key]:
    return [_key(link) for link in model.parents]


def _ancestors(key: Key, links: Mapping[Key, list[Key]]) -> set[Key]:
    """All that `key` leads to, itself only where there is a way back to it."""
    found: set[Key] = set()
    ahead = list(links.get(key, []))
    while ahead:
        at = ahead.pop()
        if at not in found:
            found.add(at)
            ahead += links.get(at, [])
    return found
