"""Every test row of the registry that can be read here, so that none of them is learned.

`clean.py` asks it about each row. Runs of 13 words are kept as 64-bit hashes, 16 bytes each: the
columns of the rows are hashed, never the wording of the templates, which train rows share.

>>> tests = read_tests(Places(Path()))
>>> tests.find("Name a red fruit.", ["Name a red fruit.", "Cherry"]) is None
True
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import TaskError
from bench.registry.data import Row, is_local, load_rows
from bench.registry.folder import Task, find_task_files, search_folders
from bench.registry.overlap import Gram, folded, grams_of, grams_of_row, words_of
from bench.registry.prompt import examples_of
from bench.registry.spec import read_spec
from bench.training.sources import Places
from bench.types import Example

Hashes = NDArray[np.int64]
LABEL = 2  # words; a column with no more says too little to be a question


@dataclass(frozen=True, slots=True)
class KnownTests:
    """What test rows say: `hashes` (sorted) of their word runs, `owners` the index in `places` of
    the row that each is from; `questions`, folded, with their place.

    `tasks` were read, `unread` were not: name -> why.
    """

    hashes: Hashes
    owners: Hashes
    places: tuple[str, ...]
    questions: Mapping[str, str]
    tasks: tuple[str, ...]
    unread: Mapping[str, str]

    def find(self, question: str, texts: Sequence[str]) -> str | None:
        """Place of a test row that shares 13 words in a row with one of `texts`, or whose own
        question is the whole of `question`, which may be shorter."""
        twin = self.questions.get(folded(question))
        if twin is not None:
            return twin
        asked = _hashes(gram for text in texts for gram in grams_of(text))
        if not len(asked) or not len(self.hashes):
            return None
        at = np.searchsorted(self.hashes, asked).clip(max=len(self.hashes) - 1)
        found = at[self.hashes[at] == asked]
        return self.places[self.owners[found[0]]] if len(found) else None


def read_tests(places: Places) -> KnownTests:
    """The test rows of every task, embedded or in `places`, whose rows are on this machine.

    A task that is invalid or has unreadable rows is noted in `unread`.
    """
    files = find_task_files(search_folders(places.task_folders))
    read: dict[str, list[tuple[Row, Example]]] = {}
    unread: dict[str, str] = {}
    for name, file in files.items():
        try:
            task = Task(name, file.parent, read_spec(file))
            if is_local(task, places.data_root):
                read[name] = _test_rows(task, places.data_root)
            else:
                unread[name] = f"{task.spec.data.hub} is not mirrored"
        except TaskError as error:
            unread[name] = error.cause
    return _indexed(read, unread)


def _test_rows(task: Task, root: Path | None) -> list[tuple[Row, Example]]:
    rows = load_rows(task, "test", root)
    examples, failures = examples_of(task, rows, [])
    failed = {failure.where for failure in failures}
    return list(zip((row for row in rows if row.where not in failed), examples, strict=True))


def _indexed(
    read: Mapping[str, Sequence[tuple[Row, Example]]], unread: Mapping[str, str]
) -> KnownTests:
    places: list[str] = []
    hashes, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    questions: dict[str, str] = {}
    for rows in read.values():
        for row, example in rows:
            questions |= {folded(text): row.where for text in _questions(row, example)}
        for place, said in _telling(rows):
            hashes.append(said)
            owners.append(np.full(len(said), len(places)))
            places.append(place)
    joined = np.concatenate(hashes)
    order = joined.argsort(kind="stable")
    ordered = joined[order], np.concatenate(owners)[order]
    return KnownTests(*ordered, tuple(places), questions, tuple(read), dict(unread))


def _questions(row: Row, example: Example) -> Iterator[str]:
    """The question in the task's wording, and without it: columns that are more than a label."""
    yield example.question
    for value in row.values.values():
        if isinstance(value, str) and len(words_of(value)) > LABEL:
            yield value


def _telling(rows: Sequence[tuple[Row, Example]]) -> Iterator[tuple[str, Hashes]]:
    """Place and word runs of each cluster, without those that a tenth of the clusters share.

    Such runs are phrasing of the data, as `bench check` has it, and leak nothing.
    """
    clusters: dict[str, list[Row]] = {}
    for row, example in rows:
        clusters.setdefault(example.cluster, []).append(row)
    said = {
        members[0].where: np.unique(_hashes(gram for row in members for gram in grams_of_row(row)))
        for members in clusters.values()
    }
    values, counts = np.unique(np.concatenate(list(said.values())), return_counts=True)
    phrasing = values[counts > max(5, len(clusters) // 10)]
    for place, hashes in said.items():
        yield place, hashes[~np.isin(hashes, phrasing)]


def _hashes(grams: Iterator[Gram]) -> Hashes:
    # Two different runs share one of 2^64 hashes about never; they differ from process to process.
    return np.fromiter(map(hash, grams), np.int64)
