"""Errors that a user can act on: one line of cause, one line of remedy.

    BenchError                expected failure; the command line prints it and exits 1
    ├── TaskError             a task folder, its task.yaml, its data or its scorer is wrong
    ├── ModelError            weights, tokenizer or adapter cannot be found, read or used
    ├── RunError              a run folder, ledger or result file is missing, damaged or full
    │   └── ProblemsError     several such things at once, numbered one a line
    ├── SandboxError          model-written code cannot be executed safely on this machine
    └── UsageError            an argument has no meaning here

Everything else that is raised is a bug and exits 3.

>>> print(TaskError("tasks/a/task.yaml: kind: 'qq' is not a kind", "write one of: qa, code"))
tasks/a/task.yaml: kind: 'qq' is not a kind
  try: write one of: qa, code
"""

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

# What is wrong with a place, whatever space there is.
NO_PLACE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
        *(errno.EEXIST, errno.ENAMETOOLONG),
    }
)


class BenchError(Exception):
    """An expected failure: `cause` says what was found where, `remedy` what to do next."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        self.cause = cause
        self.remedy = remedy
        super().__init__(f"{cause}\n  try: {remedy}" if remedy else cause)

    def __reduce__(self) -> tuple[type["BenchError"], tuple[object, ...]]:
        # The default would rebuild from the joined message when a worker process raises.
        return type(self), (self.cause, self.remedy)


class TaskError(BenchError):
    """A task folder, its task.yaml, its data or its scorer is wrong."""


class ModelError(BenchError):
    """Weights, tokenizer or adapter cannot be found, read or used."""


class RunError(BenchError):
    """A run folder, ledger or result file is missing, damaged or cannot be written."""


class ProblemsError(RunError):
    """Several things are wrong at once: `heading` says how many, `lines` what, one a line."""

    def __init__(self, heading: str, lines: Sequence[str]) -> None:
        self.heading, self.lines = heading, tuple(lines)
        super().__init__("\n".join([heading, *lines]))

    def __reduce__(self) -> tuple[type["BenchError"], tuple[object, ...]]:
        return type(self), (self.heading, self.lines)


class SandboxError(BenchError):
    """Model-written code cannot be executed safely on this machine."""


class UsageError(BenchError):
    """An argument has no meaning here."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known names, or lists what is known when none is near."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known: {shown}" if names else "none is known"


def write_remedy(error: OSError) -> str:
    """What to do where a file of the output cannot be written."""
    space = "" if error.errno in NO_PLACE else "free some space or "
    return f"{space}choose another folder with -o, then run the same command again"
