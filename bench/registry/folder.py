"""Find and list task folders: the embedded ones, `--tasks DIR`, and those in `BENCH_TASKS`.

A task folder is a folder with a `task.yaml`. A search folder is a task folder itself or holds task
folders one level down. A name that occurs twice is an error that names both files.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import TaskError, UsageError, did_you_mean
from bench.registry.spec import KINDS, TaskSpec, read_spec


@dataclass(frozen=True, slots=True)
class Task:
    """A named, validated task folder."""

    name: str
    folder: Path
    spec: TaskSpec


@dataclass(frozen=True, slots=True)
class Suite:
    """A named set of tasks; `limit` bounds the test rows of each (None: all)."""

    of: str
    limit: int | None


# No task may be called like one of these: `-t core` would mean the task.
SUITES = (
    "core",
    "qa",
    "classification",
    "summarization",
    "code",
    "safety",
    "zh",
    "smoke",
    "public",
)
# Suites that are not simply "every task that names me in its `suites`".
DERIVED_SUITES = {"smoke": Suite(of="core", limit=20)}


def embedded_folder() -> Path:
    """`tasks/` of a checkout, or `bench/_tasks` of an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_tasks"
    return installed if installed.is_dir() else package.parent / "tasks"


def search_folders(extra: Sequence[Path] = ()) -> list[Path]:
    """Embedded folder, then `extra`, then `BENCH_TASKS` (separated like PATH).

    Raises:
        TaskError: a folder given by the user does not exist.
    """
    from_environment = [
        Path(part) for part in os.environ.get("BENCH_TASKS", "").split(os.pathsep) if part
    ]
    given = [*extra, *from_environment]
    for folder in given:
        if not folder.is_dir():
            raise TaskError(f"{folder}: no such task folder", "give --tasks a folder that exists")
    return [embedded_folder(), *given]


def find_task_files(folders: Iterable[Path]) -> dict[str, Path]:
    """Task name -> its `task.yaml`, in order of the folders, names sorted within each.

    Raises:
        TaskError: two different folders give the same name, or a given folder holds no task.
    """
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(path.resolve() for path in folders):
        own = folder / "task.yaml"
        files = [own] if own.is_file() else sorted(folder.glob("*/task.yaml"))
        if not files and folder != embedded_folder().resolve():
            raise TaskError(f"{folder}: holds no task.yaml", f"bench new NAME -o {folder}")
        for file in files:
            name = file.parent.name
            if name in SUITES:
                raise TaskError(f"{file}: {name!r} is the name of a suite", "rename the folder")
            if name in found and found[name] != file:
                raise TaskError(
                    f"two tasks are named {name!r}: {found[name]} and {file}",
                    "rename one of the folders",
                )
            found[name] = file
    return found


def all_tasks(extra: Sequence[Path] = ()) -> list[Task]:
    """Every task that can be found, sorted by name.

    Raises:
        TaskError: a folder is missing, a name is taken twice, or a task.yaml is invalid.
    """
    files = find_task_files(search_folders(extra))
    return [Task(name, files[name].parent, read_spec(files[name])) for name in sorted(files)]


def suite_names(tasks: Iterable[Task]) -> list[str]:
    """Every suite that some task belongs to, and the derived ones."""
    return sorted({suite for task in tasks for suite in task.spec.suites} | set(DERIVED_SUITES))


def in_suite(tasks: Sequence[Task], name: str) -> list[Task]:
    """The tasks of suite `name`; all of them for an empty name.

    Raises:
        UsageError: no task belongs to it.
    """
    if not name:
        return list(tasks)
    member_of = DERIVED_SUITES[name].of if name in DERIVED_SUITES else name
    members = [task for task in tasks if member_of in task.spec.suites]
    if not members:
        raise UsageError(f"no suite is named {name!r}", did_you_mean(name, suite_names(tasks)))
    return members


def of_kind(tasks: Sequence[Task], kind: str, language: str) -> list[Task]:
    """The tasks of `kind` in `language`; an empty name matches all.

    Raises:
        UsageError: `kind` is no kind, or no task is in `language`.
    """
    if kind and kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind", did_you_mean(kind, KINDS))
    languages = {task.spec.language for task in tasks}
    if language and language not in languages:
        raise UsageError(f"no task is in {language!r}", did_you_mean(language, languages))
    return [
        task
        for task in tasks
        if kind in ("", task.spec.kind) and language in ("", task.spec.language)
    ]


def named_files(names: Sequence[str], extra: Sequence[Path] = ()) -> dict[Path, str]:
    """task.yaml -> task name, for tasks by name, suite or path of a folder; all for no names.

    A task.yaml that is asked for by name or path is not read, so it may be invalid.

    Raises:
        TaskError: a folder holds no task. UsageError: no such task or suite.
    """
    known = find_task_files(search_folders(extra))
    if not names:
        return {file: name for name, file in known.items()}
    chosen: dict[Path, str] = {}
    for name in names:
        looks_like_path = os.sep in name or name in (".", "..")
        holds_tasks = any(any(Path(name).glob(file)) for file in ("task.yaml", "*/task.yaml"))
        if looks_like_path or holds_tasks:
            files = find_task_files([Path(name)])
            if not files:
                raise TaskError(f"{name}: holds no task.yaml", "give a task or a task folder")
        elif name in known:
            files = {name: known[name]}
        else:
            files = {task.name: task.folder / "task.yaml" for task, _ in select([name], extra)}
        chosen.update({file: key for key, file in files.items()})
    return chosen


def select(names: Sequence[str], extra: Sequence[Path] = ()) -> list[tuple[Task, int | None]]:
    """The tasks that `names` (of tasks and suites) stand for, each once, with a row limit.

    Only the tasks asked for by name are validated, so one broken folder does not stop the others.

    Raises:
        UsageError: a name is neither a task nor a suite.
    """
    files = find_task_files(search_folders(extra))
    chosen: dict[str, tuple[Task, int | None]] = {}
    everything: list[Task] | None = None
    for name in names:
        if name in files:
            chosen[name] = (Task(name, files[name].parent, read_spec(files[name])), None)
            continue
        everything = everything if everything is not None else all_tasks(extra)
        if name not in suite_names(everything):
            known = [*files, *suite_names(everything)]
            several = " ".join(f"-t {one.strip()}" for one in name.split(","))
            remedy = f"one option each: {several}" if "," in name else did_you_mean(name, known)
            raise UsageError(f"no task or suite is named {name!r}", remedy)
        limit = DERIVED_SUITES[name].limit if name in DERIVED_SUITES else None
        for task in in_suite(everything, name):
            if task.name not in chosen or limit is None:
                chosen[task.name] = (task, limit)
    return list(chosen.values())
