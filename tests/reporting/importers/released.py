"""Where the released samples of InstructGPT and lm-eval's recorded run lie, if they do."""

import os
from pathlib import Path

import pytest


def shared(name: str) -> Path:
    """The folder `name` beside the mirror of the Hub; the test is skipped where it is missing."""
    mirror = os.environ.get("BENCH_DATA_ROOT")
    root = Path(mirror).parent if mirror else Path(__file__).parents[4] / "shared"
    if not (root / name).is_dir():
        pytest.skip(f"{root / name} is not there")
    return root / name
