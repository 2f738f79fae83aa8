"""The task behind an entry of run.json, as the registry has it: is it what was asked then?

Called by `bench submit` and `bench board check --tasks`, for `bench.reporting.results`. No model is
needed: the digests of rows and scoring do not depend on one.
"""

from collections.abc import Sequence
from pathlib import Path

from bench.evaluation.plan import digest_of
from bench.registry.folder import Task, find_task_files, search_folders
from bench.registry.known import KnownTask
from bench.registry.prompt import load_examples
from bench.registry.spec import read_spec
from bench.types import Example, TaskRun


def known_task(
    entry: TaskRun, folders: Sequence[Path] = (), root: Path | None = None
) -> KnownTask | None:
    """The task that `entry` names, as `task_as_asked` gives it."""
    return task_as_asked(entry.task, entry.variant, entry.limit, folders, root)


def task_as_asked(
    name: str,
    variant: str,
    limit: int | None,
    folders: Sequence[Path] = (),
    root: Path | None = None,
) -> KnownTask | None:
    """The task `name` in a wording and with a row limit; None where there is none.

    Raises:
        TaskError: the task.yaml or the data cannot be read. UsageError: it lacks the wording.
    """
    file = find_task_files(search_folders(folders)).get(name)
    if file is None:
        return None
    task = Task(name, file.parent, read_spec(file))
    examples, asked = _asked(task, variant, limit, root)
    whole = asked if limit is None else _asked(task, variant, None, root)[1]
    return KnownTask(
        version=task.spec.version,
        digest=digest_of(task, examples),
        scorers=task.spec.scorers,
        aggregates=task.spec.aggregates,
        items={example.id: example.digest for example in examples},
        asked=asked,
        whole=whole,
        chance=task.spec.chance,
        rope=task.spec.rope,
        margin=task.spec.margin,
    )


def _asked(
    task: Task, variant: str, limit: int | None, root: Path | None
) -> tuple[list[Example], int]:
    """The Examples, and how many records a complete run has: one a sample, one a row that fails."""
    examples, failures = load_examples(task, variant=variant, limit=limit, root=root)
    return examples, sum(example.samples for example in examples) + len(failures)
