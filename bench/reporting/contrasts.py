"""Contrasts: the paired difference of two runs on each task, on the items both were scored on.

Called by `bench.reporting.changes`. Records are joined by task, id, sample and digest of the item;
where the two runs were not asked the same, there is a reason and no number:

    Contrast(task="topic", estimate=None, ..., warnings=("limit differs (8 against none)",))
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.reporting.lineage import described, differing_settings
from bench.statistics.paired import paired_difference
from bench.types import Contrast, Record, Run, TaskRun

LEVEL = 0.95


def contrast_runs(
    child: tuple[Run, Sequence[Record]],
    parent: tuple[Run, Sequence[Record]],
    level: float = LEVEL,
) -> list[Contrast]:
    """The headline of each task of the child against the parent's, in the order of the tasks."""
    (run, records), (other, others) = child, parent
    found = []
    for entry in run.tasks:
        ours, theirs = _scored(records, entry.task), _scored(others, entry.task)
        empty = _empty(run, other, entry, level)
        reason = _refusal(run, other, entry) or _changed_items(ours, theirs)
        if reason:
            found.append(replace(empty, warnings=(reason,)))
        else:
            found.append(_compared(empty, ours, theirs, _notes(run, other, entry)))
    return found


def _scored(records: Iterable[Record], task: str) -> list[Record]:
    return [record for record in records if record.task == task and record.status == "scored"]


def _refusal(child: Run, parent: Run, entry: TaskRun) -> str:
    """Why the two cannot be compared on a task; "" when they can."""
    differing = differing_settings(child, parent)
    other = next((task for task in parent.tasks if task.task == entry.task), None)
    if differing:
        return "; ".join(differing)
    if other is None:
        return "the parent was not run on this task"
    if other.digest != entry.digest:
        return f"rows or scoring differ (digests {entry.digest} against {other.digest})"
    if other.prompts_digest != entry.prompts_digest and not _chats(child, parent):
        return "prompts differ, though neither was asked through a chat template"
    return ""


def _changed_items(ours: Sequence[Record], theirs: Sequence[Record]) -> str:
    digests = {(record.id, record.sample): record.digest for record in theirs}
    changed = [
        record.id
        for record in ours
        if digests.get((record.id, record.sample), record.digest) != record.digest
    ]
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"row {changed[0]}{more} is not the same item in both runs" if changed else ""


def _chats(child: Run, parent: Run) -> bool:
    return bool(child.settings.get("chat") or parent.settings.get("chat"))


def _notes(child: Run, parent: Run, entry: TaskRun) -> tuple[str, ...]:
    """What differs without being a reason to refuse."""
    other = next(task for task in parent.tasks if task.task == entry.task)
    ours, theirs = described(child, "dtype"), described(parent, "dtype")
    notes = []
    if other.prompts_digest != entry.prompts_digest:
        notes.append("prompts differ by their chat templates")
    if ours != theirs:
        notes.append(f"dtype differs ({ours} against {theirs})")
    return tuple(notes)


def _empty(child: Run, parent: Run, entry: TaskRun, level: float) -> Contrast:
    """A Contrast without numbers."""
    return Contrast(
        child=child.name,
        parent=parent.name,
        task=entry.task,
        kind=entry.kind,
        metric=entry.scorers[0],
        estimate=None,
        se=None,
        lo=None,
        hi=None,
        level=level,
        method="none",
        p_better=None,
        n=0,
        n_clusters=0,
        missing=0,
    )


def _compared(
    empty: Contrast, ours: Sequence[Record], theirs: Sequence[Record], notes: tuple[str, ...]
) -> Contrast:
    """`empty` with what the scored records of both say."""
    mine, other = _keyed(ours), _keyed(theirs)
    shared = [key for key in mine if key in other]
    missing = len(mine.keys() ^ other.keys())
    if missing:
        notes = (*notes, f"left out: {missing} items that only one of the two was scored on")
    if len(shared) < 2:
        told = (*notes, "fewer than two items that both were scored on")
        return replace(empty, n=len(shared), missing=missing, warnings=told)
    found = paired_difference(
        [mine[key].scores[empty.metric] for key in shared],
        [other[key].scores[empty.metric] for key in shared],
        [mine[key].cluster or mine[key].id for key in shared],
        empty.level,
    )
    return replace(
        empty,
        estimate=found.estimate,
        se=found.se,
        lo=found.lo,
        hi=found.hi,
        method=found.method,
        p_better=found.p_better,
        n=found.n_items,
        n_clusters=found.n_clusters,
        missing=missing,
        warnings=(*notes, *found.warnings),
    )


def _keyed(records: Sequence[Record]) -> dict[tuple[str, int, str], Record]:
    return {(record.id, record.sample, record.digest): record for record in records}
