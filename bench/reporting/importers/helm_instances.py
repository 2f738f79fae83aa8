"""HELM's per_instance_stats.json and scenario_state.json as Instances: one item, one trial.

Called by `bench.reporting.importers.helm`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.reporting.importers.document import Document
from bench.reporting.importers.reading import read_object
from bench.reporting.importers.rows import digest_of, text_measures
from bench.types import Json

GENERATED = "generation"  # the adapter method whose completions are texts, not letters
Key = tuple[str, str, int]  # instance, perturbation, trial


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance in one trial. `stats` are its numbers by name; `prompt` is the digest of what
    the model saw and `asked_at` a time, both "" where no state says them."""

    id: str
    digest: str
    split: str
    perturbation: str
    trial: int
    stats: Mapping[str, float]
    measures: Mapping[str, float | None] = field(default_factory=dict)
    prompt: str = ""
    asked_at: str = ""


def instances_of(
    entries: Sequence[Document], state: Mapping[Key, Document], scenario: str
) -> list[Instance]:
    """An Instance for each entry of per_instance_stats.json; `scenario` is the digest that tells
    apart instances of one number where there is no state."""
    return [_instance(entry, state, scenario) for entry in entries]


def state_of(path: Path, remedy: str) -> dict[Key, Document]:
    """The request states in the file at `path` by instance, {} where there is no file.

    Raises:
        RunError: the file is damaged.
    """
    if not path.is_file():
        return {}
    document = read_object(path, remedy)
    method = document.inner("adapter_spec").text("method", "")
    found: dict[Key, Document] = {}
    for state in document.inners("request_states"):
        instance = state.inner("instance")
        name = instance.inner("perturbation").text("name", "")
        key = (instance.text("id"), name, state.count("train_trial_index", 0))
        content = {**state.content, "method": method}
        # Choices that are scored one by one are several requests of one instance.
        found.setdefault(key, Document(content, state.where, remedy, state.path))
    return found


def _instance(entry: Document, state: Mapping[Key, Document], scenario: str) -> Instance:
    stats = entry.inners("stats")
    names = [stat.inner("name") for stat in stats]
    name = entry.text("instance_id")
    perturbation = entry.inner("perturbation").text("name", "")
    trial = entry.count("train_trial_index", 0)
    known = state.get((name, perturbation, trial))
    return Instance(
        id=name,
        digest=_digest(known) if known else digest_of([scenario, name]),
        split=next((found for one in names if (found := one.text("split", ""))), ""),
        perturbation=perturbation,
        trial=trial,
        stats={
            one.text("name"): _mean(stat)
            for one, stat in zip(names, stats, strict=True)
            if stat.count("count")
        },
        measures=_measures(known) if known else {},
        prompt=digest_of(known.inner("request").content.get("prompt")) if known else "",
        asked_at=_asked_at(known) if known else "",
    )


def _mean(stat: Document) -> float:
    """A stat without its mean still has sum and count."""
    if stat.content.get("mean") is None:
        return stat.number("sum") / stat.count("count")
    return stat.number("mean")


def _digest(state: Document) -> str:
    """Of the question and its references, right and wrong."""
    instance = state.inner("instance")
    references: list[Json] = [
        [one.inner("output").content.get("text"), one.content.get("tags")]
        for one in instance.inners("references")
    ]
    return digest_of([instance.inner("input").content.get("text"), references])


def _measures(state: Document) -> dict[str, float | None]:
    if state.content.get("method") != GENERATED:
        return {}
    result = state.inner("result")
    completions = result.inners("completions") if result.content.get("completions") else []
    return text_measures(completions[0].text("text")) if completions else {}


def _asked_at(state: Document) -> str:
    result = state.inner("result")
    return result.moment("request_datetime") if result.content.get("request_datetime") else ""
