"""Tasks by name or folder, validated: what many tests start from."""

from collections.abc import Sequence

from bench.registry.folder import Task, named_files
from bench.registry.spec import read_spec


def tasks_at(names: Sequence[str]) -> list[Task]:
    """Each task that `bench check` would take for `names`."""
    return [Task(name, file.parent, read_spec(file)) for file, name in named_files(names).items()]
