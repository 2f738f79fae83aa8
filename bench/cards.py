"""`bench.json`: the card that training leaves in every checkpoint folder it writes.

Training writes it; opening a checkpoint, `bench lineage` and the board read it. No torch here.

    checkpoints/ppo/bench.json    {"schema_version": 1, "name": "ppo", "stage": "ppo", ...}
"""

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.store import write_atomic
from bench.types import Card, Json

CARD = "bench.json"
SCHEMA_VERSION = 1
REMEDY = "train the checkpoint again, or move the card away to use the weights without it"


def write_card(folder: Path, card: Card) -> None:
    """Write `card` into the checkpoint's folder; the old card or the new one is there, whole.

    Metrics that are not finite are left out: JSON has no word for them, and they measured nothing.

    Raises:
        RunError: the folder cannot be written.
    """
    measured = {name: value for name, value in card.metrics.items() if isfinite(value)}
    content = asdict(card) | {"metrics": measured}
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    write_atomic(folder / CARD, text.encode())


def read_card(folder: Path) -> Card | None:
    """The card of the checkpoint in `folder`, None where there is none.

    Raises:
        RunError: the card is damaged (file and key are named) or of another schema version.
    """
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        content = _JSON.validate_json(path.read_bytes())
        _check_version(path, content)
        return _CARD.validate_python(content)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}", REMEDY) from None
    except ValidationError as error:
        raise RunError(f"{path}: {_first_problem(error)}", REMEDY) from None


_JSON: TypeAdapter[Json] = TypeAdapter(Json)
_CARD = TypeAdapter(Card)


def _check_version(path: Path, content: Json) -> None:
    """Before the other keys: those of another version may be others."""
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found is not None and found != SCHEMA_VERSION:
        raise RunError(
            f"{path}: schema_version: found {found!r}, this bench reads {SCHEMA_VERSION}",
            "use the version of bench that wrote it, or train the checkpoint again",
        )


def _first_problem(error: ValidationError) -> str:
    """Key path, what is wrong there, and the value found."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(map(str, problem["loc"])) or "file"
    found = (
        "" if problem["type"] in ("missing", "json_invalid") else f", found {problem['input']!r}"
    )
    return f"{key}: {problem['msg']}{found:.120}"
