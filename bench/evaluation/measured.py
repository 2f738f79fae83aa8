"""What a run cost stays what it was measured as, when the same command asks nothing more.

Called by `bench.evaluation.run`, before a run is written.

    30.1 s and 900 MiB of the run that asked 200 requests, not 0.4 s of the one that asked none
"""

from dataclasses import replace
from pathlib import Path

from bench.errors import RunError
from bench.store import load_run
from bench.types import Run


def as_first_measured(folder: Path, run: Run) -> Run:
    """`run`, with the date and cost of the run in `folder` where it asked nothing itself."""
    if run.asked or not (folder / "run.json").is_file():
        return run
    try:
        first, _ = load_run(folder)
    except RunError:  # a damaged run is mended by the same command again
        return run
    return replace(
        run,
        started=first.started,
        seconds=first.seconds,
        peak_memory_bytes=first.peak_memory_bytes,
        energy_joules=first.energy_joules,
    )
