"""Before torch is loaded: is the `[local]` extra there, and will its threads share the cores?"""

import os
from importlib.util import find_spec

from bench.errors import ModelError

NEEDED = ("torch", "transformers", "safetensors")


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
