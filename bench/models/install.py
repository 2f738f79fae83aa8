"""Is the `[local]` extra (torch, transformers) installed?"""

from importlib.util import find_spec

from bench.errors import ModelError

NEEDED = ("torch", "transformers", "safetensors")


def require_local() -> None:
    """Raise ModelError with the pip command if a package for local models is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"local models need {', '.join(missing)}, not installed",
            "pip install 'instruct-bench[local]'",
        )
