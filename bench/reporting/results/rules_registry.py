"""Rules for results against the task folders: what they were scored by is what stands there.

Asked by `bench board check --tasks DIR` alone, as rows may have to be fetched. Results of other
tools are left out: a task of theirs may have the name of one of ours.

    ("m/1f/topic.json", "task.digest: found 9f0c..., 51b2... by the task folder")
"""

from collections.abc import Callable, Iterator
from functools import cache

from bench.errors import BenchError
from bench.registry.known import KnownTask
from bench.reporting.results.rule import Board, Rule, Rules, Told
from bench.reporting.results.rules_record import few
from bench.reporting.results.schema import Result

OURS = "instruct-bench"  # the program that asked, as a run says it

Known = Callable[[str, str, int | None], KnownTask | None]  # of task, wording, row limit


def registry_rules(known: Known) -> Rules:
    """The rules that hold results against what is `known` of their tasks."""
    look = cache(_told(known))

    def outdated(board: Board) -> Told:
        for file, result, task in _ours(board, look):
            if isinstance(task, str):
                yield file, f"task.name: {task}"
            elif task.version != result.task.version:
                found = f"found {result.task.version}, {task.version} by the task folder"
                yield file, f"task.version: {found}"

    def registry(board: Board) -> Told:
        for file, result, task in _ours(board, look):
            if not isinstance(task, str) and task.version == result.task.version:
                yield from ((file, told) for told in _differing(result, task))

    return {
        "registry": Rule(registry, "a version of a task is what its folder says"),
        "outdated": Rule(outdated, "a task was asked in its latest version", "warning"),
    }


def _told(known: Known) -> Callable[[str, str, int | None], KnownTask | str]:
    """What is known of a task, or the reason why nothing is."""

    def look(task: str, variant: str, limit: int | None) -> KnownTask | str:
        try:
            return known(task, variant, limit) or f"no task folder of {task!r} here to hold it to"
        except BenchError as error:
            return f"cannot be held to its task folder: {error.cause}"

    return look


def _ours(
    board: Board, look: Callable[[str, str, int | None], KnownTask | str]
) -> Iterator[tuple[str, Result, KnownTask | str]]:
    """File, Result and task of each Result that this program gave."""
    for entry in board.entries:
        result, limit = entry.result, entry.result.settings.get("limit")
        if result.provenance.tool.split(" ")[0] == OURS:
            rows = limit if isinstance(limit, int) else None
            yield entry.file, result, look(result.task.name, result.task.variant, rows)


def _differing(result: Result, task: KnownTask) -> Iterator[str]:
    """The facts of a Result that the task folder contradicts."""
    stated, metrics = result.task, result.task.metrics
    names = tuple(metric.name for metric in metrics)
    facts = [
        ("task.digest", stated.digest, task.digest),
        ("task.metrics", ", ".join(names), ", ".join(task.scorers)),
        ("asked", result.asked, task.asked),
    ]
    for metric in metrics:
        where = f"task.metrics.{metric.name}"
        facts += [
            (f"{where}.chance", metric.chance, task.chance),
            (f"{where}.rope", metric.rope, task.rope),
            (f"{where}.margin", metric.margin, task.margin),
        ]
    for key, found, stands in facts:
        if found != stands:
            yield f"{key}: found {found}, {stands} by the task folder"
    named = zip(result.items.ids, result.items.digests, strict=True)
    other = [repr(name) for name, digest in named if digest and task.items.get(name) != digest]
    if other:
        yield f"items.digests: other items than in the task folder: {few(other)}"
