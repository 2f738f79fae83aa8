"""The saved state of a stage: one safetensors file, replaced whole; a killed run goes on from it.

Weights, Adam's moments and the moving average are tensors; step and counters are JSON in the
header. Nothing random is saved: every draw comes from names (`bench.training.steps.seeds`).
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import RunError
from bench.training.disk import STATE_KEPT, not_written
from bench.types import Json

WORK = "training"  # below a stage's folder: state, report of the data; nothing a checkpoint needs
STATE = "state.safetensors"
BEFORE = "before.safetensors"  # the state that was saved before that
BEST = "best.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """Tensors by name, and everything else."""

    tensors: dict[str, Tensor]
    facts: dict[str, Json]


def save_state(path: Path, state: State, before: Path | None = None) -> None:
    """Write `state` so that `path` holds the old or the new whole; the old one goes to `before` if
    that is given, and for a moment `path` may then be missing.

    Raises:
        RunError: the disk is full or the folder cannot be written; the old state stays.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if before is not None:
            before.unlink(missing_ok=True)  # so there are never three on the disk
        tensors = {name: tensor.contiguous() for name, tensor in state.tensors.items()}
        save_file(tensors, scratch, metadata={"facts": json.dumps(state.facts)})
        with scratch.open("rb+") as file:
            os.fsync(file.fileno())
        if before is not None and path.exists():
            os.replace(path, before)
        os.replace(scratch, path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            scratch.unlink()
        raise not_written(path, error, STATE_KEPT) from None


def load_state(path: Path) -> State | None:
    """The state at `path`; None when there is none.

    Raises:
        RunError: the file is damaged.
    """
    if not path.is_file():
        return None
    with _damage_told(path), safe_open(path, framework="pt") as file:
        facts = json.loads(file.metadata()["facts"])
        return State({name: file.get_tensor(name) for name in file.keys()}, facts)  # noqa: SIM118


def load_facts(path: Path) -> dict[str, Json]:
    """The facts of the state at `path`, whose tensors are not read; none when there is no state.

    Raises:
        RunError: the file is damaged.
    """
    if not path.is_file():
        return {}
    with _damage_told(path), safe_open(path, framework="pt") as file:
        facts: dict[str, Json] = json.loads(file.metadata()["facts"])
        return facts


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: damaged: {error}",
            f"remove the folder {path.parent} to train the stage from its start",
        ) from None


def copied(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """`tensors` under names that begin with `prefix`, detached, on the CPU."""
    return {f"{prefix}{name}": tensor.detach().cpu() for name, tensor in tensors.items()}


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    start = len(prefix)
    return {name[start:]: value for name, value in tensors.items() if name.startswith(prefix)}
