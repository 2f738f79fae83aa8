"""Every test row of the registry that can be read here, so that none of them is learned.

`clean.py` asks it about each row. Runs of 13 words are kept as 64-bit hashes, 16 bytes each. They
are runs of the columns, never of the wording of a template, which a task's train rows share.

>>> tests = read_tests(Places(Path()))
>>> tests.find("Name a red fruit.", ["Name a red fruit.", "Cherry"]) is None
True
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import TaskError
from bench.registry.data import Row, is_local, load_rows
from bench.registry.folder import Task, find_task_files, search_folders
from bench.registry.overlap import GRAM, Gram, folded, grams_of, words_of
from bench.registry.prompt import examples_of
from bench.registry.spec import read_spec
from bench.training.data.sources import Places
from bench.types import Example

Hashes = NDArray[np.int64]
LABEL = 2  # words; a column with no more says too little to be a question


@dataclass(frozen=True, slots=True)
class KnownTests:
    """What test rows say: `hashes` (sorted) of runs of words and of whole questions, and `owners`:
    the index in `places` of the row that each is from.

    `tasks` were read, `unread` were not: name -> why.
    """

    hashes: Hashes
    owners: Hashes
    places: tuple[str, ...]
    tasks: tuple[str, ...]
    unread: Mapping[str, str]

    def find(self, question: str, texts: Sequence[str]) -> str | None:
        """Place of a test row that shares 13 words in a row with one of `texts`, or whose own
        question, however short, is the whole of `question`."""
        runs = (gram for text in texts for gram in grams_of(text))
        asked = _hashes(chain([folded(question)], runs))
        if not len(self.hashes):
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
    for rows in read.values():
        for place, said in _telling(rows):
            hashes.append(said)
            owners.append(np.full(len(said), len(places)))
            places.append(place)
    joined = np.concatenate(hashes)
    order = joined.argsort(kind="stable")
    ordered = joined[order], np.concatenate(owners)[order]
    return KnownTests(*ordered, tuple(places), tuple(read), dict(unread))


def _telling(rows: Sequence[tuple[Row, Example]]) -> Iterator[tuple[str, Hashes]]:
    """Place and hashes of each cluster, without those that a tenth of the clusters share.

    What they share is phrasing of the data, as `bench check` has it, and leaks nothing.
    """
    clusters: dict[str, list[tuple[Row, Example]]] = {}
    for row, example in rows:
        clusters.setdefault(example.cluster, []).append((row, example))
    said = {
        members[0][0].where: np.unique(_hashes(part for pair in members for part in _parts(*pair)))
        for members in clusters.values()
    }
    values, counts = np.unique(np.concatenate(list(said.values())), return_counts=True)
    phrasing = values[counts > max(5, len(clusters) // 10)]
    for place, hashes in said.items():
        yield place, hashes[~np.isin(hashes, phrasing)]


def _parts(row: Row, example: Example) -> Iterator[Gram | str]:
    """Runs of words of the columns; whole, folded: the question, and columns that hold no run."""
    yield folded(example.question)
    for value in row.values.values():
        if isinstance(value, str):
            yield from grams_of(value)
            if LABEL < len(words_of(value)) < GRAM:
                yield folded(value)


def _hashes(parts: Iterator[Gram | str]) -> Hashes:
    # Two different texts share one of 2^64 hashes about never; they differ from process to process.
    return np.fromiter(map(hash, parts), np.int64)
