"""Before torch is loaded: is the `[local]` extra there, and will its threads share the cores?"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from bench.errors import ModelError

NEEDED = ("torch", "transformers", "safetensors")


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Around the import of torch and transformers: what they make stays, and to look through it for
    garbage again and again takes a tenth of the time."""
    resting = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not resting:
            gc.enable()


def prepare_local() -> None:
    """Call before the first import of torch.

    OpenMP's threads spin while they wait for each other. Beside another busy process that made a
    generation step several times slower (leaderboard/LOG.md), so they are told to sleep instead,
    unless the user has said otherwise.

    Raises:
        ModelError: a package for local models is missing; the remedy is the pip command.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"local models need {', '.join(missing)}, not installed",
            "pip install 'instruct-bench[local]'",
        )


def load_for_good() -> None:
    """`prepare_local`, and load what local models need into a process that is bench's own.

    Four hundred thousand objects come with torch and transformers and stay to the end. They are
    not looked through for garbage again, which takes a second of a short command, exit included.

    Raises:
        ModelError: as `prepare_local`.
    """
    prepare_local()
    with collector_at_rest():
        import bench.models.hf  # noqa: F401
    gc.freeze()
