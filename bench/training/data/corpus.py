"""A named mixture of a recipe -> the rows that are learned and those that are measured on.

Every stage of training loads its data here: sources, then cleaning, then the holdout.

>>> corpus = load_corpus("tasks", Data(sources=(Source(task="topic"),)), Places(Path()), seed=0)
>>> list(corpus.train), len(corpus.held_out) > 0
(['topic'], True)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, cast

from bench.errors import TaskError
from bench.training.data.clean import Report, clean
from bench.training.data.data_settings import Data, Holdout
from bench.training.data.decontaminate import KnownTests, read_tests
from bench.training.data.sources import Item, Loaded, Places, T_co, load_source
from bench.training.steps.seeds import seed_of
from bench.types import Demonstration, Prompt, Ranking


@dataclass(frozen=True, slots=True)
class Corpus(Generic[T_co]):
    """What is learned from and measured on.

    `train` holds the rows of each source, each row in its alternative wordings; `held_out` rows of
    all sources in their own wording; `digests` identify the cleaned rows of each source.
    """

    name: str
    train: Mapping[str, tuple[tuple[T_co, ...], ...]]
    held_out: tuple[T_co, ...]
    digests: Mapping[str, str]
    report: Report


def load_corpus(
    name: str, data: Data, places: Places, seed: int, tests: KnownTests | None = None
) -> Corpus[Item]:
    """The mixture `name`. `tests` spares reading them again for each of several mixtures.

    Raises:
        TaskError: a source cannot be read, demonstrations are mixed with rankings, or nothing is
            left to learn. UsageError: no such task or variant.
    """
    sources = [load_source(source, places) for source in data.sources]
    _require_one_kind(name, sources)
    known = (tests or read_tests(places)) if data.clean.decontaminate else None
    cleaned, report = clean(sources, data.clean, known, places.recipe_folder)
    train = {source.label: _apart(source, data.holdout, seed, False) for source in cleaned}
    held_out = [row[0] for source in cleaned for row in _apart(source, data.holdout, seed, True)]
    if not any(train.values()):
        raise TaskError(
            f"data {name!r}: no row is left to learn: {report.summary()}, {len(held_out)} held out",
            "loosen clean or holdout, or add rows",
        )
    digests = {source.label: source.digest for source in cleaned}
    return Corpus(name, train, _at_most(held_out, data.holdout.most, seed), digests, report)


def demonstrations_of(corpus: Corpus[Item]) -> Corpus[Demonstration]:
    """`corpus`, known to hold demonstrations.

    Raises:
        TaskError: it holds rankings.
    """
    _require(corpus, Demonstration, "messages, prompt + completion, or instruction + response")
    return cast(Corpus[Demonstration], corpus)


def rankings_of(corpus: Corpus[Item]) -> Corpus[Ranking]:
    """`corpus`, known to hold rankings.

    Raises:
        TaskError: it holds demonstrations.
    """
    _require(corpus, Ranking, "chosen + rejected, or prompt + completions + ranks")
    return cast(Corpus[Ranking], corpus)


def _require(corpus: Corpus[Item], kind: type[Item], columns: str) -> None:
    first = next(row[0] for rows in corpus.train.values() for row in rows)
    if not isinstance(first, kind):
        raise TaskError(
            f"data {corpus.name!r} holds {_plural(first)}, expected {kind.__name__.lower()}s",
            f"give the stage data with the columns {columns}",
        )


def _require_one_kind(name: str, sources: Sequence[Loaded[Item]]) -> None:
    kinds = {source.label: _plural(source.rows[0][0]) for source in sources}
    if len(set(kinds.values())) > 1:
        held = ", ".join(f"{label} holds {kind}" for label, kind in kinds.items())
        raise TaskError(
            f"data {name!r} mixes demonstrations and rankings: {held}",
            "put them under two names in data",
        )


def _plural(item: Item) -> str:
    return "demonstrations" if isinstance(item, Demonstration) else "rankings"


def _apart(
    source: Loaded[Item], holdout: Holdout, seed: int, held: bool
) -> tuple[tuple[Item, ...], ...]:
    """The rows that are held out, or the others."""
    return tuple(
        row for row in source.rows if (_share(seed, row[0].prompt.group) < holdout.share) == held
    )


def _share(seed: int, group: str) -> float:
    """A number in [0, 1) that only seed and group decide."""
    return seed_of(seed, "holdout", group) / 2**48


def _at_most(items: Sequence[Item], most: int, seed: int) -> tuple[Item, ...]:
    """`most` of `items`, chosen by hash, in the order in which they stand."""

    def rank(place: int) -> int:
        prompt: Prompt = items[place].prompt
        return seed_of(seed, "held out", prompt.source, prompt.id)

    return tuple(items[place] for place in sorted(sorted(range(len(items)), key=rank)[:most]))
