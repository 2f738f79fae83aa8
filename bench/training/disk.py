"""The error of a training that cannot write: what is left of what was written, and the way on.

Checkpoints, saved states, logs and rankings raise it.

    sft/log.jsonl: cannot be written: No space left on device; the state saved before is unchanged
      try: free some space, then give the same command again: it goes on from that state
"""

from pathlib import Path

from bench.errors import RunError

STATE_KEPT = "the state saved before is unchanged", ": it goes on from that state"


def not_written(path: Path, error: Exception, kept: tuple[str, str], what: str = "") -> RunError:
    """Of `what` at `path`; `kept` says what is still there, and how the same command goes on."""
    left, on = kept
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RunError(
        f"{path}: {what or 'cannot be written'}: {reason}; {left}",
        f"free some space, then give the same command again{on}",
    )
