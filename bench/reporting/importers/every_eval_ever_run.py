"""What an every_eval_ever aggregate file says beside its scores: model, task, metric, provenance.

Called by `bench.reporting.importers.every_eval_ever`. Keys that our own export wrote are read
back; of other tools' files, what the schema has a field for.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from bench.reporting.importers.document import Document, whole
from bench.reporting.importers.every_eval_ever_keys import METRIC_NUMBERS, MODEL_TEXTS, PREFIX
from bench.reporting.importers.reading import parse_json
from bench.reporting.importers.rows import digest_of
from bench.reporting.results.schema import Link, Metric, ModelEntry, Provenance, TaskEntry
from bench.types import Json

EARLIEST = 1e8  # a number of seconds since 1970; smaller ones may be dates without dashes
BOUNDS = {"Infinity": math.inf, "-Infinity": -math.inf}


def model_of(log: Document) -> ModelEntry:
    """Who answered; a revision that nobody told is "unstated"."""
    told = log.inner("model_info")
    ours = told.inner("additional_details")
    own = {name: ours.text(f"{PREFIX}{name}", "") for name in MODEL_TEXTS}
    parameters = ours.text(f"{PREFIX}parameters", "")
    return ModelEntry(
        name=told.text("name") if own["revision"] else told.text("id"),
        revision=own["revision"] or "unstated",
        stage=own["stage"],
        family=own["family"],
        size=own["size"],
        parameters=whole(parameters),
        recipe=own["recipe"],
        licence=own["licence"],
        parents=_parents(ours),
    )


def metric_of(told: Document) -> Metric | None:
    """The metric of an evaluation result, None where its bounds are unknown or infinite."""
    config = told.inner("metric_config")
    name = config.text("metric_id", "") or config.text("metric_name", "") or "score"
    binary = config.text("score_type", "") == "binary"
    low, high = _bound(config, "min_score"), _bound(config, "max_score")
    if binary and low is None and high is None:
        low, high = 0.0, 1.0
    if low is None or high is None or not math.isfinite(high - low):
        return None
    lower = config.content.get("lower_is_better")
    if not isinstance(lower, bool):
        raise config.refuse("lower_is_better", "true or false")
    usual, told_of = Metric(name), config.inner("metric_parameters")
    chance, rope, margin = (told_of.finite(key) for key in METRIC_NUMBERS)
    return Metric(
        name,
        lower_is_better=lower,
        low=low,
        high=high,
        chance=low if chance is None else chance,
        rope=usual.rope * (high - low) if rope is None else rope,
        margin=usual.margin * (high - low) if margin is None else margin,
    )


def task_of(told: Document, metrics: Sequence[Metric], digests: Sequence[str]) -> TaskEntry:
    """The task of an evaluation result; digests of other tools' tasks are those of their items."""
    data = told.inner("source_data")
    ours = data.inner("additional_details")
    links = data.texts("url")
    listed: list[Json] = [*digests]
    items = digest_of([listed, [metric.name for metric in metrics]])
    version = ours.text(f"{PREFIX}version", "1")
    return TaskEntry(
        name=ours.text(f"{PREFIX}name", "") or told.text("evaluation_name"),
        version=whole(version, 1) or 0,
        digest=ours.text(f"{PREFIX}digest", "") or items,
        prompts_digest=ours.text(f"{PREFIX}prompts_digest", "") or items,
        kind=ours.text(f"{PREFIX}kind", ""),
        language=ours.text(f"{PREFIX}language", ""),
        metrics=tuple(metrics),
        variant=ours.text(f"{PREFIX}variant", ""),
        title=ours.text(f"{PREFIX}title", ""),
        source=ours.text(f"{PREFIX}source", "")
        or data.text("hf_repo", "")
        or (links[0] if links else data.text("dataset_name", "")),
    )


def settings_of(told: Document) -> dict[str, Json]:
    """Settings under the names that our own runs use."""
    generation = told.inner("generation_config")
    own = _read(generation.inner("additional_details"), "settings", {})
    if isinstance(own, dict) and own:
        return own
    given = generation.inner("generation_args").content
    return {
        name: given[name]
        for name in ("temperature", "top_p", "max_tokens")
        if given.get(name) is not None
    }


def provenance_of(log: Document, told: Document, file: str) -> Provenance:
    """How the numbers came about."""
    ours = log.inner("source_metadata").inner("additional_details")
    library = log.inner("eval_library")
    tool = ours.text(f"{PREFIX}tool", "") or _named(library)
    command = told.inner("generation_config").inner("generation_args")
    seconds = _read(ours, "seconds", None)
    notes = _read(ours, "notes", [])
    return Provenance(
        tool=tool,
        scorer=ours.text(f"{PREFIX}scorer", "") or tool,
        command=command.text("execution_command", "") or f"bench import every_eval_ever {file}",
        started=_time(log.text("evaluation_timestamp", "")),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        environment=_map(ours, "environment"),
        git=_map(ours, "git"),
        notes=tuple(str(note) for note in notes) if isinstance(notes, list) else (),
    )


def asked_of(log: Document, there: int) -> int:
    """How many items were meant to be asked: as many as there are, unless our own export says."""
    found = _read(log.inner("source_metadata").inner("additional_details"), "asked", there)
    return found if isinstance(found, int) else there


def aggregates_of(log: Document) -> dict[str, float | None]:
    """Metrics over all items, where our own export wrote them."""
    found = _read(log.inner("source_metadata").inner("additional_details"), "aggregates", {})
    held = found.items() if isinstance(found, dict) else ()
    return {name: float(value) if isinstance(value, (int, float)) else None for name, value in held}


def _parents(ours: Document) -> tuple[Link, ...]:
    key = f"{PREFIX}parents"
    try:
        return _LINKS.validate_json(ours.text(key, "") or "[]")
    except ValidationError:
        raise ours.refuse(key, "a JSON list of role, name and revision") from None


def _read(ours: Document, name: str, default: Json) -> Json:
    """The JSON that our own export wrote as a text, `default` where it is missing."""
    key = f"{PREFIX}{name}"
    text = ours.text(key, "")
    if not text:
        return default
    try:
        found = parse_json(text)
    except (ValueError, RecursionError):
        raise ours.refuse(key, "JSON") from None
    return found


def _map(ours: Document, name: str) -> dict[str, str]:
    found = _read(ours, name, {})
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _bound(config: Document, key: str) -> float | None:
    """A bound; infinite ones are written as texts."""
    value = config.content.get(key)
    return BOUNDS[value] if isinstance(value, str) and value in BOUNDS else config.finite(key)


def _named(library: Document) -> str:
    version = library.text("version", "")
    return library.text("name") + (f" {version}" if version not in ("", "unknown") else "")


def _time(text: str) -> str:
    """Seconds since 1970 as ISO 8601, everything else as it is."""
    try:
        seconds = float(text)
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return text
    return moment.isoformat(timespec="seconds") if seconds >= EARLIEST else text


_LINKS = TypeAdapter(tuple[Link, ...])
