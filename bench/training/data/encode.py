"""A corpus as token ids: what the mixture draws from, and what is held out to measure on.

Rows whose prompt or reply is too long are dropped and counted, never cut: a reply without its end
would teach that replies do not end. Plain text, which answers no prompt, is learned in pieces
instead (`pieces.py`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bench.errors import TaskError, UsageError
from bench.training.data.corpus import Corpus
from bench.training.data.data_settings import Mix
from bench.training.data.mixture import Mixture, wording
from bench.training.data.pieces import pieces_of
from bench.training.data.rankings import SampledRanking
from bench.training.data.writer import Writer
from bench.training.networks.layout import Document
from bench.types import DataUse, Demonstration, Prompt, Ranking

T = TypeVar("T", bound=Demonstration | Ranking)


@dataclass(frozen=True, slots=True)
class Entry:
    """A prompt, its token ids with those of its replies, and the replies' texts and ranks.

    Of a text that is learned in pieces `document` is one piece, `texts` and `target` are the whole.
    """

    prompt: Prompt
    document: Document
    texts: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    target: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens of the longest prompt and reply that are kept."""

    prompt: int
    reply: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """How many rows are left out for their length, by source: of those learned, of those held out.

    A held-out row that was read from rankings counts under the task of its prompt.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    held_out: Mapping[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """Such as "reading 12, topic 3, held out reading 2"; "" for nothing."""
        named = {**self.rows, **{f"held out {name}": n for name, n in self.held_out.items()}}
        return ", ".join(f"{name} {count}" for name, count in named.items() if count)


@dataclass(frozen=True, slots=True)
class Material:
    """Entries by source: rows, each in its wordings; those held out; how many were too long.

    `pieces` says how many of the rows are pieces of longer texts, by source.
    """

    rows: Mapping[str, tuple[tuple[Entry, ...], ...]]
    held_out: tuple[Entry, ...]
    digests: Mapping[str, str]
    too_long: TooLong = TooLong()
    pieces: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Rows of all sources."""
        return sum(map(len, self.rows.values()))


class Stream:
    """The entries of a Material in the order in which a mixture draws them, by index."""

    def __init__(self, material: Material, mix: Mix, seed: int) -> None:
        self.material, self.seed = material, seed
        sizes = {label: len(rows) for label, rows in material.rows.items()}
        self.mixture = Mixture(sizes, mix, seed)
        self._rows = Counter(
            row[0].document.source for rows in material.rows.values() for row in rows
        )
        self._seen: Counter[str] = Counter()  # of the first `_counted` draws, by source
        self._counted = 0

    def take(self, start: int, count: int) -> list[Entry]:
        """`count` entries from index `start` on."""
        found = []
        for index in range(start, start + count):
            draw = self.mixture.at(index)
            row = self.material.rows[draw.source][draw.row]
            found.append(wording(draw, row, self.seed))
        return found

    def documents(self, drawn: int) -> list[Document]:
        """The distinct documents of the first `drawn` entries, and those held out."""
        entries = [*self.take(0, drawn), *self.material.held_out]
        return list(dict.fromkeys(entry.document for entry in entries))

    def epochs(self, drawn: int) -> dict[str, float]:
        """How often the rows of each source were drawn in the first `drawn` draws, as is logged:
        {"epochs/topic": 1.25}. A rank stage's sources are the tasks of its prompts."""
        if drawn < self._counted:
            self._seen, self._counted = Counter(), 0
        for index in range(self._counted, drawn):
            draw = self.mixture.at(index)
            self._seen[self.material.rows[draw.source][draw.row][0].document.source] += 1
        self._counted = drawn
        return {f"epochs/{name}": round(self._seen[name] / n, 4) for name, n in self._rows.items()}

    def used(self, drawn: int, tokens: Mapping[str, float]) -> tuple[DataUse, ...]:
        """What `drawn` draws took from each source; `tokens` carried loss, by source of the logs,
        of which a source with rows of several tasks has several."""
        counts = Counter(self.mixture.at(index).source for index in range(drawn))
        return tuple(
            DataUse(
                source=label,
                digest=self.material.digests[label],
                rows=len(rows),
                drawn=counts[label],
                epochs=round(counts[label] / len(rows), 4) if rows else 0.0,
                tokens=sum(int(tokens.get(name, 0)) for name in _names(rows)),
            )
            for label, rows in self.material.rows.items()
        )


def _names(rows: Sequence[Sequence[Entry]]) -> set[str]:
    """What logs call the sources of `rows`."""
    return {row[0].document.source for row in rows}


def together(uses: Iterable[DataUse]) -> tuple[DataUse, ...]:
    """`uses` with those of one source's rows added up: prompts and text may come from the same."""
    found: dict[tuple[str, str], DataUse] = {}
    for use in uses:
        known = found.get((use.source, use.digest), replace(use, drawn=0, tokens=0))
        rows, drawn = max(known.rows, use.rows), known.drawn + use.drawn  # limits may differ
        found[use.source, use.digest] = replace(
            use,
            rows=rows,
            drawn=drawn,
            epochs=round(drawn / rows, 4) if rows else 0.0,
            tokens=known.tokens + use.tokens,
        )
    return tuple(found.values())


def encode_demonstrations(
    corpus: Corpus[Demonstration], writer: Writer, limits: Limits
) -> Material:
    """Documents of one reply each: the demonstration.

    Raises:
        TaskError: a row is a prompt alone.
    """

    def encode(row: Demonstration) -> Entry:
        if not row.target:
            raise TaskError(
                f"data {corpus.name}: {row.prompt.source} row {row.prompt.id} is a prompt without "
                "a reply, and there is nothing else to learn from",
                "use it as the prompts of ppo, rloo, grpo or rank, or add completions",
            )
        return _entry(writer, row.prompt, (row.target,), (1,), row.target)

    return _encode(corpus, encode, limits)


def encode_rankings(corpus: Corpus[Ranking], writer: Writer, limits: Limits) -> Material:
    """Documents of K replies each, with their ranks; a sampled reply that was cut off stays so."""

    def encode(row: Ranking) -> Entry:
        ended = row.ended if isinstance(row, SampledRanking) else ()
        return _entry(writer, row.prompt, row.replies, row.ranks, row.target, ended)

    return _encode(corpus, encode, limits)


def encode_prompts(corpus: Corpus[Demonstration], writer: Writer, limits: Limits) -> Material:
    """Documents without replies, to be replied to."""

    def encode(row: Demonstration) -> Entry:
        return _entry(writer, row.prompt, (), (), row.target)

    return _encode(corpus, encode, limits)


def _entry(
    writer: Writer,
    prompt: Prompt,
    texts: tuple[str, ...],
    ranks: tuple[int, ...],
    target: str,
    ended: tuple[bool, ...] = (),
) -> Entry:
    """`ended` says which of `texts` are whole; without it all are."""
    whole = ended or (True,) * len(texts)
    replies = tuple(writer.reply(prompt, *pair) for pair in zip(texts, whole, strict=True))
    return Entry(
        prompt, Document(prompt.source, writer.prompt(prompt), replies), texts, ranks, target
    )


def _logged(entry: Entry, name: str) -> Entry:
    return replace(entry, document=replace(entry.document, source=name))


def _name(row: T, label: str, owners: Mapping[str, int]) -> str:
    """What tokens and losses of `row` are counted under: rankings of many tasks are one source of
    the mixture, and are told by task, with the label where several sources (`owners`) have some."""
    source = row.prompt.source
    if isinstance(row, Demonstration):
        return label
    return source if owners[source] == 1 else f"{label}:{source}"


def _encode(corpus: Corpus[T], encode: Callable[[T], Entry], limits: Limits) -> Material:
    """Raises UsageError when nothing is short enough."""
    too_long, pieces = Counter[str](), Counter[str]()
    owners = Counter(
        name
        for originals in corpus.train.values()
        for name in {row[0].prompt.source for row in originals}
    )
    rows: dict[str, tuple[tuple[Entry, ...], ...]] = {}
    for label, originals in corpus.train.items():
        encoded = [
            tuple(_logged(encode(row), _name(row, label, owners)) for row in wordings)
            for wordings in originals
        ]
        kept = [_rows(wordings, limits) for wordings in encoded]
        rows[label] = tuple(row for found in kept for row in found)
        too_long[label] = sum(not found for found in kept)
        pieces[label] = sum(len(found) for found in kept if len(found) > 1)
    measured = [encode(row) for row in corpus.held_out]
    fitting = [_rows((entry,), limits) for entry in measured]
    held_out = tuple(entry for found in fitting for row in found for entry in row)
    lost = Counter(entry.prompt.source for entry in measured)
    lost.subtract(e.prompt.source for e, found in zip(measured, fitting, strict=True) if found)
    if not any(rows.values()):
        raise UsageError(
            f"data {corpus.name}: none of {sum(too_long.values())} rows has a prompt of at most "
            f"{limits.prompt} and a reply of at most {limits.reply} tokens",
            "raise max_prompt or max_reply of the stage",
        )
    in_pieces = {label: count for label, count in pieces.items() if count}
    return Material(rows, held_out, corpus.digests, TooLong(too_long, lost), in_pieces)


def _rows(wordings: Sequence[Entry], limits: Limits) -> list[tuple[Entry, ...]]:
    """A row in those of its wordings that fit, or the rows that a text in pieces makes; none."""
    if any(entry.prompt.turns for entry in wordings):
        fitting = _fitting(wordings, limits)
        return [fitting] if fitting else []
    cut = [
        replace(entry, document=piece)
        for entry in wordings
        for piece in pieces_of(entry.document, limits.reply)
    ]
    return [(entry,) for entry in _fitting(cut, limits)]


def _fitting(entries: Sequence[Entry], limits: Limits) -> tuple[Entry, ...]:
    return tuple(
        entry
        for entry in entries
        if 0 < len(entry.document.prompt) <= limits.prompt
        and all(0 < len(reply) <= limits.reply for reply in entry.document.replies)
    )
