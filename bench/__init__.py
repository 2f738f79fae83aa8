"""instruct-bench: did RLHF help this model, on what, by how much, and how sure are we?

Public names load on first use, so that `import bench` stays light and never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.api import EvaluatedRun, evaluate, load_run, load_tasks, open_model, train
    from bench.errors import (
        BenchError,
        ModelError,
        RunError,
        SandboxError,
        TaskError,
        UsageError,
    )
    from bench.models.options import ModelOptions
    from bench.registry.folder import Task
    from bench.types import Cell, Example, Record, Reply, Request, Run

__version__ = "0.1.0"

_HOME = {
    "BenchError": "bench.errors",
    "Cell": "bench.types",
    "EvaluatedRun": "bench.api",
    "Example": "bench.types",
    "ModelError": "bench.errors",
    "ModelOptions": "bench.models.options",
    "Record": "bench.types",
    "Reply": "bench.types",
    "Request": "bench.types",
    "Run": "bench.types",
    "RunError": "bench.errors",
    "SandboxError": "bench.errors",
    "Task": "bench.registry.folder",
    "TaskError": "bench.errors",
    "UsageError": "bench.errors",
    "evaluate": "bench.api",
    "load_run": "bench.api",
    "load_tasks": "bench.api",
    "open_model": "bench.api",
    "train": "bench.api",
}

__all__ = [
    "BenchError",
    "Cell",
    "EvaluatedRun",
    "Example",
    "ModelError",
    "ModelOptions",
    "Record",
    "Reply",
    "Request",
    "Run",
    "RunError",
    "SandboxError",
    "Task",
    "TaskError",
    "UsageError",
    "evaluate",
    "load_run",
    "load_tasks",
    "open_model",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
