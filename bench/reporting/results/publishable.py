"""What a run must be before its results are published: whole, unchanged since, traceable.

Called by `bench.reporting.results.submit`, which asks every rule of RUN_RULES of every run, so that
a user hears of all problems at once. What one result must be by itself stands in `rules_record.py`
and `rules_numbers.py`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.registry.known import KnownTask
from bench.reporting.results.rules_record import few
from bench.seal import seal_of
from bench.store import SEAL
from bench.types import Record, Run, TaskRun
from bench.unique_keys import unique_keys

AGAIN = "run the evaluation again: bench eval"


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in the way: the file and key, the rule, what was found and what is needed."""

    path: Path
    key: str
    rule: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        """One line, as an error reads."""
        where = f"{self.path}: {self.key}" if self.key else str(self.path)
        return f"{where}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Given:
    """A run, its records, and those of its tasks that the registry knows."""

    file: Path
    run: Run
    records: tuple[Record, ...]
    known: Mapping[str, KnownTask]
    allow_limit: bool

    def of(self, entry: TaskRun) -> list[Record]:
        """The records of a task."""
        return [record for record in self.records if record.task == entry.task]


Rule = Callable[[Given], Iterator[Problem]]


def is_partial(entry: TaskRun, known: KnownTask | None) -> bool:
    """Whether a row limit left rows out; where nobody knows how many there are, it did."""
    return entry.limit is not None and (known is None or known.asked < known.whole)


def tasks(given: Given) -> Iterator[Problem]:
    """There are tasks, each once, and records of no others."""
    counts = Counter(entry.task for entry in given.run.tasks)
    twice = [name for name, n in counts.items() if n > 1]
    strange = sorted({record.task for record in given.records} - counts.keys())
    if not counts or twice:
        told = f"{few(twice)} twice" if twice else "none"
        yield Problem(given.file, "tasks", "tasks", told, "one task or more, each once", AGAIN)
    if strange:
        file = given.file.parent / "records.jsonl"
        yield Problem(file, "task", "tasks", few(strange), "the tasks of run.json", AGAIN)


def counts(given: Given) -> Iterator[Problem]:
    """run.json counts the records, and the failed ones, that there are."""
    for entry in given.run.tasks:
        records = given.of(entry)
        failed = sum(record.status == "failed" for record in records)
        for key, stated, found in (
            ("rows", entry.rows, len(records)),
            ("failed", entry.failed, failed),
        ):
            if stated != found:
                where = f"tasks.{entry.task}.{key}"
                needed = f"{found}, as in records.jsonl"
                yield Problem(given.file, where, "counts", str(stated), needed, AGAIN)


def provenance(given: Given) -> Iterator[Problem]:
    """The command, the program and its environment, the time and the weights are said."""
    run = given.run
    version = run.git.get("commit") or run.environment.get("instruct-bench")
    weights = run.model_description.get("weights") or run.model_digest
    needed = (
        ("command", run.command, "the command line"),
        ("environment", run.environment, "versions of Python and packages"),
        ("git.commit", version, "a commit, or environment.instruct-bench"),
        ("model_description.weights", weights, "the digest of the weights"),
        ("started", run.started, "a time as in ISO 8601"),
    )
    for key, value, expected in needed:
        if not value:
            yield Problem(given.file, key, "provenance", "nothing", expected, AGAIN)


def real(given: Given) -> Iterator[Problem]:
    """A model answered: a fake is told the answers, or none, so its scores are no result."""
    told = given.run.model_description.get("family")
    if told == "fake" or given.run.model.startswith("fake:"):
        yield Problem(
            given.file,
            "model",
            "real",
            f"the fake {given.run.model}, made to test tasks",
            "a model with weights",
            f"bench eval MODEL -t {given.run.tasks[0].task if given.run.tasks else 'core'}, "
            "and leave this run out",
        )


def unchanged(given: Given) -> Iterator[Problem]:
    """Rows, scoring and version of a task are what they are in the registry."""
    for entry in given.run.tasks:
        if entry.task in given.known:
            yield from _changes(given, entry, given.known[entry.task])


def complete(given: Given) -> Iterator[Problem]:
    """Every row that the task has, up to the limit, was asked."""
    for entry in given.run.tasks:
        known = given.known.get(entry.task)
        found = len(given.of(entry))
        if known is not None and known.asked != found:
            key = f"tasks.{entry.task}.rows"
            yield Problem(given.file, key, "complete", str(found), f"{known.asked}", AGAIN)


def limits(given: Given) -> Iterator[Problem]:
    """No row limit left rows out, unless that is allowed."""
    for entry in given.run.tasks:
        if not given.allow_limit and is_partial(entry, given.known.get(entry.task)):
            yield Problem(
                given.file,
                f"tasks.{entry.task}.limit",
                "limits",
                str(entry.limit),
                "none: a limit makes a partial result",
                f"bench eval {given.run.model} -t {entry.task} without --limit, "
                "or publish it as partial with --allow-limit",
            )


def sealed(given: Given) -> Iterator[Problem]:
    """run.json says what it said when it was written, each key once."""
    try:
        content = json.loads(given.file.read_text("utf-8"), object_pairs_hook=unique_keys)
    except (OSError, ValueError) as error:
        yield Problem(given.file, "", "sealed", str(error), "what bench wrote", AGAIN)
        return
    found, stated = seal_of(content, SEAL), content.get(SEAL)
    if stated != found:
        needed = f"{found}, as its content gives: it was edited, or is older than seals"
        yield Problem(given.file, SEAL, "sealed", str(stated or "nothing"), needed, AGAIN)


RUN_RULES: tuple[Rule, ...] = (
    *(tasks, real, counts, provenance, unchanged, complete, limits, sealed),
)


def _changes(given: Given, entry: TaskRun, known: KnownTask) -> Iterator[Problem]:
    """The first of version, scorers, what scores mean, rows, other scoring that changed: the rest
    may follow."""
    rescore = f"bench rescore {given.file.parent}"
    facts = (
        ("version", str(entry.version), str(known.version), AGAIN),
        ("scorers", ", ".join(entry.scorers), ", ".join(known.scorers), rescore),
        ("aggregates", ", ".join(entry.aggregates), ", ".join(known.aggregates), rescore),
        ("chance", str(entry.chance), str(known.chance), rescore),
        ("rope", str(entry.rope), str(known.rope), rescore),
        ("margin", str(entry.margin), str(known.margin), rescore),
    )
    for key, found, stands, remedy in facts:
        if found != stands:
            yield _changed(given, entry, key, found or "none", stands or "none", remedy)
            return
    rows = _changed_rows(given.of(entry), known)
    if rows:
        told = f"other rows: {few(rows)}"
        yield _changed(given, entry, "digest", told, "the rows that the task has", AGAIN)
    elif entry.digest != known.digest:
        told = f"{entry.digest} (same rows, other scoring)"
        yield _changed(given, entry, "digest", told, known.digest, rescore)


def _changed(
    given: Given, entry: TaskRun, key: str, found: str, stands: str, remedy: str
) -> Problem:
    where = f"tasks.{entry.task}.{key}"
    return Problem(given.file, where, "unchanged", found, f"{stands}, as in the registry", remedy)


def _changed_rows(records: list[Record], known: KnownTask) -> list[str]:
    """Ids of rows asked that are others by now; a row that could not be rendered has no digest."""
    asked = {record.id: record.digest for record in records if record.digest}
    return sorted(name for name, digest in asked.items() if known.items.get(name) != digest)
