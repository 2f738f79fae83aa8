"""Results -> every_eval_ever 0.3.0: an aggregate file and a file of samples for each Result.

Called by `bench board export`. Lies where the datastore wants it, and passes its
validator (`every_eval_ever validate`); what its schema cannot hold is said:

    data/truthful_qa/openai/gpt-175b/8d0e...-....json and 8d0e...-..._samples.jsonl
    lost: ("items.failures: 2 items (a sample needs a score)",)
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from bench.counted import counted
from bench.errors import RunError, UsageError
from bench.reporting.importers.every_eval_ever_keys import MODEL_TEXTS, SCHEMA_VERSION
from bench.reporting.importers.every_eval_ever_scores import (
    Content,
    as_text,
    asked_of,
    evaluation_of,
    samples_of,
    texts,
)
from bench.reporting.results.files import LONGEST, encoded
from bench.reporting.results.schema import Result
from bench.store import write_atomic
from bench.types import Json


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who hands the numbers on. `developer` made the models whose names hold no "/", `retrieved`
    is the time of the export in seconds since 1970."""

    organization: str
    developer: str
    retrieved: int
    relationship: Literal["first_party", "third_party", "collaborative", "other"] = "third_party"


@dataclass(frozen=True, slots=True)
class Exported:
    """Both files' content, their place below `data/`, and what they cannot hold of the Result."""

    folder: Path
    name: str
    aggregate: Content
    samples: tuple[Content, ...]
    lost: tuple[str, ...]


def save_all(folder: Path, results: Sequence[Result], publisher: Publisher) -> list[Exported]:
    """Write the files of all `results` below `folder`/data, or none; what was written.

    Raises:
        UsageError: the publisher's names are no text.
        RunError: a metric has no score at all, a file there is of somebody else, or one cannot be
            written.
    """
    for name in (publisher.organization, publisher.developer):
        if not name.isprintable():
            raise UsageError(f"{name!r}: is no name to publish under", "write it in plain letters")
    for result in results:
        encoded(result)  # refuses what no file can hold
        _check_place(folder, exported(result, publisher))
    return [save_every_eval_ever(folder, result, publisher) for result in results]


def save_every_eval_ever(folder: Path, result: Result, publisher: Publisher) -> Exported:
    """Write both files below `folder`/data, over whatever lies there; what was written.

    Raises:
        RunError: a metric has no score at all, or a file cannot be written.
    """
    found = exported(result, publisher)
    place = folder / found.folder
    write_atomic(place / f"{found.name}_samples.jsonl", _lines(found.samples))
    text = json.dumps(found.aggregate, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(place / f"{found.name}.json", f"{text}\n".encode())
    return found


def exported(result: Result, publisher: Publisher) -> Exported:
    """`result` as every_eval_ever holds it; the same Result gives the same files.

    Raises:
        RunError: a metric has no score at all: the schema has no way to say so.
    """
    model = result.model.name
    identity = model if "/" in model else f"{publisher.developer}/{model}"
    developer, _, rest = identity.partition("/")
    folder = Path("data", _portable(result.task.name), _portable(developer), _portable(rest))
    name = _uuid(result)
    evaluation = f"{_evaluated(result)}/{identity}/{result.model.revision}"
    samples = tuple(samples_of(result, evaluation, identity))
    checksum = hashlib.sha256(_lines(samples)).hexdigest()
    return Exported(
        folder=folder,
        name=name,
        aggregate={
            "schema_version": SCHEMA_VERSION,
            "evaluation_id": evaluation,
            "evaluation_timestamp": result.provenance.started,
            "retrieved_timestamp": str(publisher.retrieved),
            "source_metadata": _source(result, publisher),
            "eval_library": _library(result.provenance.tool),
            "model_info": _model(result, identity, developer),
            "evaluation_results": [evaluation_of(result, metric) for metric in result.task.metrics],
            "detailed_evaluation_results": {
                "format": "jsonl",
                "file_path": (folder / f"{name}_samples.jsonl").as_posix(),
                "hash_algorithm": "sha256",
                "checksum": checksum,
                "total_rows": len(samples),
            },
        },
        samples=samples,
        lost=_lost(result),
    )


def _check_place(folder: Path, found: Exported) -> None:
    """Raise RunError where a file lies that no export of this evaluation wrote as it is.

    Samples alone, as an export that was killed leaves them, are ours where they are the same ones.
    """
    aggregate = folder / found.folder / f"{found.name}.json"
    samples = folder / found.folder / f"{found.name}_samples.jsonl"
    told = _content(aggregate) if aggregate.exists() else {}
    stated = told.get("evaluation_id")
    if aggregate.exists() and stated != found.aggregate["evaluation_id"]:
        raise _foreign(aggregate, f"evaluation_id: found {stated!r}")
    if not samples.exists():
        return
    try:
        digest = hashlib.sha256(samples.read_bytes()).hexdigest()
    except OSError as error:
        raise _foreign(samples, error.strerror or str(error)) from None
    details = told.get("detailed_evaluation_results")
    named = details.get("checksum") if isinstance(details, dict) else None
    if digest not in (named, hashlib.sha256(_lines(found.samples)).hexdigest()):
        raise _foreign(samples, f"{aggregate.name} beside it does not state its digest")


def _content(path: Path) -> Mapping[str, Json]:
    """The object in the file at `path`; {} where there is none that can be read."""
    try:
        content: Json = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _foreign(path: Path, told: str) -> RunError:
    return RunError(
        f"{path}: not as bench board export wrote it, so it is not overwritten: {told}",
        "choose a new folder with -o, or move the file away",
    )


def _source(result: Result, publisher: Publisher) -> Content:
    told = result.provenance
    return {
        "source_type": "evaluation_run",
        "source_organization_name": publisher.organization,
        "evaluator_relationship": publisher.relationship,
        "additional_details": texts(
            {
                "tool": told.tool,
                "scorer": told.scorer,
                "seconds": as_text(told.seconds),
                "environment": as_text(dict(told.environment)),
                "git": as_text(dict(told.git)),
                "notes": as_text(list(told.notes)),
                "asked": str(result.asked),
                "aggregates": as_text(dict(result.aggregates)),
            }
        ),
    }


def _library(tool: str) -> Content:
    """Name and version where the tool ends in one: "lm-evaluation-harness 0.4.13"."""
    name, _, version = tool.rpartition(" ")
    known = bool(name) and version[:1].isdigit()
    return {"name": name if known else tool, "version": version if known else "unknown"}


def _model(result: Result, identity: str, developer: str) -> Content:
    model = result.model
    whole = asdict(model)
    told = {name: str(whole[name]) for name in MODEL_TEXTS}
    if model.parameters is not None:
        told["parameters"] = str(model.parameters)
    parents: list[Json] = [asdict(link) for link in model.parents]
    return {
        "name": model.name,
        "id": identity,
        "developer": developer,
        "additional_details": {
            "deployment_type": "unknown",
            "model_availability": "unknown",
            **texts({**told, "parents": as_text(parents)}),
        },
    }


def _lost(result: Result) -> tuple[str, ...]:
    failed = sum(1 for reason in result.items.failures if reason)
    return (
        (f"items.failures: {counted(failed, 'item')} (a sample needs a score)",) if failed else ()
    )


def _lines(samples: Sequence[Content]) -> bytes:
    return "".join(
        json.dumps(sample, ensure_ascii=False, allow_nan=False) + "\n" for sample in samples
    ).encode("utf-8", "surrogatepass")


def _evaluated(result: Result) -> str:
    """What was asked, and with how many solved examples where there were some."""
    shots = result.settings.get("shots")
    return f"{asked_of(result)}~{shots}-shot" if shots else asked_of(result)


def _uuid(result: Result) -> str:
    """A version-4 UUID, as the datastore wants one, that the same Result always gets."""
    text = as_text(
        [_evaluated(result), result.model.name, result.model.revision, result.task.digest]
    )
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def _portable(name: str) -> str:
    """One part of a path that no system trips over."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name)[:LONGEST].rstrip(". ") or "_"
