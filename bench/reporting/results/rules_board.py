"""Rules between Results: one task means one thing for all models, no answers are there twice.

Called by `bench.reporting.results.audit`. Each yields the file and a sentence for what is wrong:

    ("a/1f/topic.json", "task.version: found 1, b/2c/topic.json has 2")
"""

from collections.abc import Callable, Hashable, Iterable, Iterator

from bench.reporting.results.files import DIGEST, path_of
from bench.reporting.results.rule import Board, Entry, Rule, Rules, Told
from bench.reporting.results.rules_record import few
from bench.reporting.results.schema import Metric, Result

ENOUGH = 10  # scored items: so many equal answers are no accident


def runs(board: Board) -> Told:
    """A model was asked a task in one wording, with as many solved examples before it, once."""
    for first, entry in _later(
        board.entries, lambda entry: (_model(entry), path_of(entry.result).name)
    ):
        ours, theirs = entry.result.settings, first.result.settings
        keys = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
        how = f"with other settings ({', '.join(keys)})" if keys else "with the same settings"
        yield entry.file, f"the model answers this task in {first.file} too, {how}"


def copies(board: Board) -> Told:
    """No two models gave the same answers: one would be a copy of the other."""
    for first, entry in _later(_telling(board.entries), _answers):
        if _model(first) != _model(entry) and _proves(first.result, entry.result):
            yield entry.file, f"items: all columns are those of {first.file}"


def alike(board: Board) -> Told:
    """The same for columns that cannot tell two models from a copy: zeros and ones, lengths."""
    for first, entry in _later(_telling(board.entries), _answers):
        if _model(first) != _model(entry) and not _proves(first.result, entry.result):
            yield entry.file, f"items: all columns are those of {first.file}; are they one model?"


def models(board: Board) -> Told:
    """All files of a model say the same of it."""
    for first, entry in _later(board.entries, _model):
        if first.result.model != entry.result.model:
            yield entry.file, f"model: says something else than {first.file} of the same model"


def versions(board: Board) -> Told:
    """A task is there in one version."""
    for first, entry in _later(board.entries, lambda entry: entry.result.task.name):
        ours, theirs = entry.result.task.version, first.result.task.version
        if ours != theirs:
            yield entry.file, f"task.version: found {ours}, {first.file} has {theirs}"


def digests(board: Board) -> Told:
    """One version of a task, in one wording and up to one limit, has one digest."""
    for first, entry in _later(board.entries, lambda entry: _rows(entry.result)):
        ours, theirs = entry.result.task.digest, first.result.task.digest
        if ours != theirs:
            yield entry.file, f"task.digest: found {ours}, {first.file} has {theirs}"


def item_digests(board: Board) -> Told:
    """An item of one version of a task, in one wording, is one item."""
    seen: dict[Hashable, tuple[str, str]] = {}
    for entry in board.entries:
        other: list[str] = []
        for name, digest in _named(entry.result):
            key = (entry.result.task.version, _asked(entry.result), name)
            stated, file = seen.setdefault(key, (digest, entry.file))
            if digest != stated:
                other.append(f"{name!r} is {stated} in {file}")
        if other:
            yield entry.file, f"items.digests: other items under the same ids: {few(other)}"


def denominators(board: Board) -> Told:
    """All models were asked the same items of a task with one digest."""
    for first, entry in _later(
        board.entries, lambda entry: (_asked(entry.result), entry.result.task.digest)
    ):
        ours, theirs = _items(entry.result), _items(first.result)
        if ours != theirs:
            yield (
                entry.file,
                f"items: {len(theirs - ours)} items of {first.file} are missing here, "
                f"{len(ours - theirs)} are not there",
            )


def metrics(board: Board) -> Told:
    """A metric of a task means the same for all models, and the same one is the headline."""
    for first, entry in _later(board.entries, lambda entry: entry.result.task.name):
        ours, theirs = entry.result.task.metrics, first.result.task.metrics
        if ours[:1] and theirs[:1] and ours[0].name != theirs[0].name:
            told = f"the headline is {ours[0].name}, in {first.file} {theirs[0].name}"
            yield entry.file, f"task.metrics: {told}"
        for metric, other in _both(ours, theirs):
            if metric != other:
                yield entry.file, f"task.metrics.{metric.name}: is another in {first.file}"


BOARD_RULES: Rules = {
    "runs": Rule(runs, "a model answers a task in one wording once"),
    "copies": Rule(copies, "no model's answers are those of another"),
    "alike": Rule(alike, "no model's scores are those of another", "warning"),
    "models": Rule(models, "all files of a model say the same of it"),
    "versions": Rule(versions, "a task is there in one version"),
    "digests": Rule(digests, "one version of a task has one digest of rows and scoring"),
    "item-digests": Rule(item_digests, "one id of a task is one item"),
    "denominators": Rule(denominators, "all models were asked the same items of a task"),
    "metric-meanings": Rule(metrics, "a metric of a task means the same for all models"),
}


def _later(
    entries: Iterable[Entry], key: Callable[[Entry], Hashable]
) -> Iterator[tuple[Entry, Entry]]:
    """The first Entry with a key, and each later one that has it too."""
    first: dict[Hashable, Entry] = {}
    for entry in entries:
        known = first.setdefault(key(entry), entry)
        if known is not entry:
            yield known, entry


def _model(entry: Entry) -> tuple[str, str]:
    return entry.result.model.name, entry.result.model.revision


def _asked(result: Result) -> tuple[str, str]:
    return result.task.name, result.task.variant


def _rows(result: Result) -> Hashable:
    return _asked(result), result.task.version, str(result.settings.get("limit"))


def _items(result: Result) -> set[tuple[str, str, int]]:
    return set(zip(result.items.ids, result.items.digests, result.items.samples, strict=True))


def _named(result: Result) -> Iterator[tuple[str, str]]:
    """Ids with digests; a row that could not be rendered has none."""
    pairs = zip(result.items.ids, result.items.digests, strict=True)
    return ((name, digest) for name, digest in pairs if digest)


def _telling(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries with so many scores that the same ones again are no accident."""
    for entry in entries:
        held = [*entry.result.items.scores.values(), *entry.result.items.measures.values()]
        if any(len(column) >= ENOUGH and len(set(column) - {None}) > 1 for column in held):
            yield entry


def _answers(entry: Entry) -> Hashable:
    """All that was measured of a model's replies to a task."""
    items = entry.result.items
    measures = tuple(sorted(items.measures.items()))
    return _asked(entry.result), items.ids, tuple(sorted(items.scores.items())), measures


def _proves(first: Result, other: Result) -> bool:
    """Whether equal columns make a copy: equal weights, or probabilities equal to the last digit.

    Lightly trained models often give the same greedy reply, so scores and lengths prove nothing.
    """
    odds = other.items.measures.get("probability", ())
    same = first.model.revision == other.model.revision
    return (same and bool(DIGEST.fullmatch(other.model.revision))) or len(set(odds) - {None}) > 1


def _both(ours: Iterable[Metric], theirs: Iterable[Metric]) -> Iterator[tuple[Metric, Metric]]:
    """The metrics that both have, by name."""
    known = {metric.name: metric for metric in theirs}
    return ((metric, known[metric.name]) for metric in ours if metric.name in known)
