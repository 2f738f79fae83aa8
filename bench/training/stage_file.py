"""`stage.json` beside rankings.jsonl: what a card is to a checkpoint, for a rank stage.

Called by `bench.training.stages`, and by `bench rank`, which overwrites no rankings but its own.

    StageFile(inputs_digest="5f0c...", rankings_digest="9a41...", metrics={"prompts": 64.0})
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.store import write_atomic

STAGE_FILE, RANKINGS = "stage.json", "rankings.jsonl"


@dataclass(frozen=True, slots=True)
class StageFile:
    """What a rank stage depended on, and what came of it."""

    inputs_digest: str
    rankings_digest: str
    metrics: dict[str, float]


def write_stage_file(folder: Path, inputs: str, metrics: dict[str, float]) -> None:
    """Beside the rankings in `folder`."""
    told = StageFile(inputs, rankings_digest(folder), metrics)
    write_atomic(folder / STAGE_FILE, _STAGE_FILE.dump_json(told, indent=2) + b"\n")


def read_stage_file(folder: Path) -> StageFile | None:
    """None where there is none that can be read: the stage is run again."""
    try:
        return _STAGE_FILE.validate_json((folder / STAGE_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def rankings_digest(folder: Path) -> str:
    """Of the rankings in `folder`, "" where there are none."""
    path = folder / RANKINGS
    return sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def check_own_rankings(folder: Path) -> None:
    """Raise RunError where `folder` holds rankings that no rank stage wrote as they are."""
    found, told = rankings_digest(folder), read_stage_file(folder)
    if found and (told is None or told.rankings_digest != found):
        stated = f"states rankings_digest {told.rankings_digest}, found {found}" if told else ""
        raise RunError(
            f"{folder / RANKINGS}: not as bench rank wrote it, so it is not overwritten: "
            f"{STAGE_FILE} beside it {stated or 'is missing or cannot be read'}",
            f"write elsewhere, as with -o {folder}-2, or move the file away",
        )


_STAGE_FILE = TypeAdapter(StageFile)
