"""Rows that must not be learned are dropped, and a report says how many, why and which.

`corpus.py` calls it on the sources of a mixture, in their order: of two rows that are alike the
first stays. Of a task's row its own wording is looked at.

>>> Dropped(2, (("12", "reading-train-004"),)).count
2
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from bench.registry.overlap import folded
from bench.training.data.data_settings import Clean
from bench.training.data.decontaminate import KnownTests
from bench.training.data.pii import pii_check
from bench.training.data.sources import Item, Loaded, content_digest
from bench.types import Demonstration, Json

T = TypeVar("T", bound=Item)
Rule = Callable[[str, Item], str | None]  # label, item -> what it collides with, None: it stays

SHOWN = 3  # dropped rows of each source and reason that the report names
SHINGLE = 5  # words
PERMUTATIONS = 128  # of MinHash: the standard error of the similarity is at most 0.044
WORD = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many rows were dropped for one reason; of the first, id and what it collided with."""

    count: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the rows of one source: `read` = `kept` + `joined` to another pair of their
    prompt + `failed` + all that is dropped."""

    read: int
    kept: int
    joined: int
    failed: Dropped
    dropped: Mapping[str, Dropped]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of each source. Tests of `unread` tasks could not be looked for, and why."""

    sources: Mapping[str, Cleaned]
    tests: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """As plain data for a run's folder."""
        return asdict(self)

    def summary(self) -> str:
        """All sources together: `2312 read, 3 failed, 40 exact, 2269 kept`."""
        rows = self.sources.values()
        counts = Counter({"failed": sum(row.failed.count for row in rows)})
        counts["joined"] = sum(row.joined for row in rows)
        for row in rows:
            counts.update({reason: dropped.count for reason, dropped in row.dropped.items()})
        lost = [f"{count} {reason}" for reason, count in counts.items() if count]
        read, kept = sum(row.read for row in rows), sum(row.kept for row in rows)
        return ", ".join([f"{read} read", *lost, f"{kept} kept"])


def clean(
    sources: Sequence[Loaded[T]], settings: Clean, tests: KnownTests | None, folder: Path
) -> tuple[list[Loaded[T]], Report]:
    """The rows of `sources` that `settings` let through, and what became of the others.

    `tests` are those of `decontaminate`, None without it; `folder` is where `pii` is looked up.

    Raises:
        TaskError: `pii` names no function, or the function fails.
    """
    rules = _rules(settings, tests, folder)
    kept: list[Loaded[T]] = []
    cleaned: dict[str, Cleaned] = {}
    for source in sources:
        rows, cleaned[source.label] = _cleaned(source, rules)
        same = len(rows) == len(source.rows)
        digest = source.digest if same else content_digest(rows)
        kept.append(replace(source, rows=rows, digest=digest))
    if tests is None:
        return kept, Report(cleaned)
    return kept, Report(cleaned, tests.tasks, tests.unread)


def _cleaned(
    source: Loaded[T], rules: Mapping[str, Rule]
) -> tuple[tuple[tuple[T, ...], ...], Cleaned]:
    kept: list[tuple[T, ...]] = []
    found: dict[str, list[tuple[str, str]]] = {reason: [] for reason in rules}
    for wordings in source.rows:
        item = wordings[0]
        verdicts = ((reason, rule(source.label, item)) for reason, rule in rules.items())
        reason, twin = next((pair for pair in verdicts if pair[1] is not None), ("", None))
        if twin is None:
            kept.append(wordings)
        else:
            found[reason].append((item.prompt.id, twin))
    failed = [(failure.id, failure.reason) for failure in source.failures]
    dropped = {reason: _dropped(pairs) for reason, pairs in found.items() if pairs}
    read = len(source.rows) + source.joined + len(failed)
    return tuple(kept), Cleaned(read, len(kept), source.joined, _dropped(failed), dropped)


def _dropped(pairs: Sequence[tuple[str, str]]) -> Dropped:
    return Dropped(len(pairs), tuple(pairs[:SHOWN]))


def _rules(settings: Clean, tests: KnownTests | None, folder: Path) -> dict[str, Rule]:
    """The rules that are switched on. Those that remember rows come last: they see what stays."""
    rules: dict[str, Rule] = {}
    if settings.longest is not None:
        rules["longest"] = _longest(settings.longest)
    if settings.pii:
        rules["pii"] = _pii(pii_check(settings.pii, folder))
    if tests is not None:
        rules["decontaminate"] = _contaminated(tests)
    if settings.exact:
        rules["exact"] = _repeated()
    if settings.near:
        rules["near"] = _similar(settings.near)
    return rules


def _longest(bound: int) -> Rule:
    def rule(label: str, item: Item) -> str | None:
        length = sum(map(len, _said(item)))
        return f"{length} characters" if length > bound else None

    return rule


def _pii(check: Callable[[str], bool]) -> Rule:
    def rule(label: str, item: Item) -> str | None:
        return "personal data" if check("\n".join(_said(item))) else None

    return rule


def _contaminated(tests: KnownTests) -> Rule:
    def rule(label: str, item: Item) -> str | None:
        example = item.prompt.example
        said = _said(item)
        asked = item.prompt.turns[-1].text if item.prompt.turns else said[-1]  # plain text
        return tests.find(example.question if example else asked, said)

    return rule


def _repeated() -> Rule:
    first: dict[tuple[str, ...], str] = {}

    def rule(label: str, item: Item) -> str | None:
        key = tuple(" ".join(text.casefold().split()) for text in _said(item))
        name = f"{label}:{item.prompt.id}"
        earlier = first.setdefault(key, name)
        return None if earlier is name else earlier

    return rule


def _similar(threshold: float) -> Rule:
    """MinHash of runs of five words (Broder 1997); the index proposes, the sketches decide."""
    from datasketch import MinHash, MinHashLSH  # heavy, and off by default

    # Missing a pair weighs more than proposing one in vain.
    index = MinHashLSH(threshold, PERMUTATIONS, weights=(0.1, 0.9))
    blank = MinHash(PERMUTATIONS, seed=1, hashfunc=zlib.crc32)
    kept: list[tuple[str, MinHash]] = []

    def rule(label: str, item: Item) -> str | None:
        sketch = blank.copy()  # drawing the permutations anew would take most of the time
        sketch.update_batch(_shingles(" ".join(_said(item))))
        for place in sorted(map(int, index.query(sketch))):
            if sketch.jaccard(kept[place][1]) >= threshold:
                return kept[place][0]
        index.insert(len(kept), sketch)
        kept.append((f"{label}:{item.prompt.id}", sketch))
        return None

    return rule


def _shingles(text: str) -> list[bytes]:
    words = WORD.findall(folded(text))
    last = max(1, len(words) - SHINGLE + 1)
    return [" ".join(words[start : start + SHINGLE]).encode() for start in range(last)]


def _said(item: Item) -> tuple[str, ...]:
    """Everything that is learned from the item: its prompt, then its replies."""
    replies = (item.target,) if isinstance(item, Demonstration) else item.replies
    return (item.prompt.text, *replies)
