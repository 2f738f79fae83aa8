"""The optional `task.py` of a task folder: at most `load`, `render` and `score`.

    def load(split: str) -> list[dict]          rows, instead of files or the Hub
    def render(row: dict) -> dict               fields added to a row before the templates
    def score(example, reply) -> float          a scorer, named `score` in task.yaml

It is imported only when the task is used, never to list it. A recipe names functions of its own as
FILE.py:FUNCTION (`load_function`), imported with the same care.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bench.errors import TaskError, did_you_mean
from bench.regular import check_regular
from bench.types import Example, Json, Reply

HOOKS = ("load", "render", "score")
Row = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions a `task.py` defines; None where it does not."""

    load: Callable[[str], list[Row]] | None = None
    render: Callable[[Row], Row] | None = None
    score: Callable[[Example, Reply], float] | None = None


def load_hooks(folder: Path) -> Hooks:
    """The hooks of the task in `folder`; all None without a `task.py`.

    Raises:
        TaskError: `task.py` cannot be imported or defines another public function.
    """
    path = folder / "task.py"
    check_regular(path, TaskError)
    if not path.is_file():
        return Hooks()
    module = _import(path, f"bench_task_{folder.name}")
    public = [
        name
        for name, value in vars(module).items()
        if callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
    ]
    strange = sorted(set(public) - set(HOOKS))
    if strange:
        raise TaskError(
            f"{path}: defines {', '.join(strange)}; only {', '.join(HOOKS)} are called",
            "start the names of helpers with an underscore",
        )
    found = {name: vars(module)[name] for name in HOOKS if name in vars(module)}
    for name, value in found.items():
        if not callable(value):
            raise TaskError(
                f"{path}: {name} is {value!r}, expected a function", f"write def {name}"
            )
    return Hooks(**found)


def load_function(reference: str, folder: Path) -> Callable[..., object]:
    """The function that `reference` (FILE.py:FUNCTION, the file relative to `folder`) names.

    Raises:
        TaskError: it is written otherwise, or the file or the function in it cannot be had.
    """
    file, _, name = reference.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise TaskError(f"{reference!r} names no function", "write FILE.py:FUNCTION")
    path = folder / file
    if not path.is_file():
        raise TaskError(f"{path}: no such file", f"put it there, or mend {reference!r}")
    module = _import(path, f"bench_recipe_{path.stem}")
    found = vars(module).get(name)
    if not callable(found):
        known = [known for known, value in vars(module).items() if callable(value)]
        raise TaskError(f"{path}: has no function {name!r}", did_you_mean(name, known))
    function: Callable[..., object] = found
    return function


def _import(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script that ends would end us without a word
        raise TaskError(
            f"{path}: cannot be imported: {type(error).__name__}: {error}", f"mend {path.name}"
        ) from error
    return module
