"""A sample of an Inspect log: identity, scores as numbers, measures, and why it was not scored.

Called by `bench.reporting.importers.inspect_log`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.reporting.importers.document import Document
from bench.reporting.importers.rows import digest_of, text_measures
from bench.types import Json

# inspect_ai.scorer.value_to_float: correct, partial, incorrect, no answer; yes and no.
GRADES: Mapping[str, float] = {
    "C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0,
}  # fmt: skip
CUT = ("max_tokens", "model_length")  # stop reasons of a reply that ran out of tokens
FILTERED = "content_filter"
SHOWN = 80  # characters of an error


@dataclass(frozen=True, slots=True)
class Scored:
    """One sample; a score is None where it is no number."""

    id: str
    digest: str
    cluster: str
    sample: int
    failure: str
    scores: Mapping[str, float | None]
    measures: Mapping[str, float | None]


def scored(sample: Document, cluster: str) -> Scored:
    """`sample`, clustered by its metadata `cluster` where that is not ""."""
    name = str(sample.content.get("id"))
    group = sample.inner("metadata").content.get(cluster) if cluster else None
    choices: list[Json] = [*sample.texts("choices")]
    targets: list[Json] = [*sample.texts("target")]
    return Scored(
        id=name,
        digest=digest_of([_input(sample), choices, targets]),
        cluster=name if group is None else f"{cluster}:{group}",
        sample=max(0, sample.count("epoch", 1) - 1),
        failure=_failure(sample),
        scores=dict(_scores(sample)),
        measures=_measures(sample),
    )


def cluster_key(header: Document) -> str:
    """The metadata key by which the log's standard errors are clustered, "" where by none."""
    return next(_cluster_keys(header.inner("eval").content.get("scorers")), "")


def wording(sample: Document) -> Json:
    """What the model was told before its first reply; ids of messages are random, so without."""
    messages = sample.content.get("messages")
    told: list[Json] = []
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict) or message.get("role") == "assistant":
            break
        told.append([message.get("role"), message.get("content")])
    return told or _input(sample)


def _input(sample: Document) -> Json:
    found = sample.content.get("input")
    if not isinstance(found, list):
        return found
    return [
        [one.get("role"), one.get("content")] if isinstance(one, dict) else one for one in found
    ]


def _scores(sample: Document) -> Iterator[tuple[str, float | None]]:
    """Scores by scorer, those of a scorer that gives several as "scorer.name"."""
    for scorer in sample.inner("scores").content:
        value = sample.inner("scores").inner(scorer).content.get("value")
        if isinstance(value, dict):
            yield from ((f"{scorer}.{name}", _number(one)) for name, one in value.items())
        else:
            yield scorer, _number(value)


def _number(value: Json) -> float | None:
    if isinstance(value, str):
        grade = GRADES.get(value, GRADES.get(value.lower()))
        return _parsed(value) if grade is None else grade
    known = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]


def _parsed(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _failure(sample: Document) -> str:
    """Why nobody should read the scores: the sample broke, or a person took it out."""
    error = sample.inner("error").text("message", "")
    if error:
        return f"error: {error[:SHOWN]}"
    invalidation = sample.content.get("invalidation")
    if isinstance(invalidation, dict):
        return f"invalidated: {str(invalidation.get('reason') or 'no reason given')[:SHOWN]}"
    return ""


def _measures(sample: Document) -> dict[str, float | None]:
    output = sample.inner("output")
    text = output.content.get("completion")
    found = text_measures(text) if isinstance(text, str) else {}
    reasons = [choice.text("stop_reason", "") for choice in _choices(output)]
    if reasons:
        found["cut_off"] = float(reasons[0] in CUT)
        if reasons[0] == FILTERED:
            found["refused"] = 1.0
    found["tokens"] = output.inner("usage").finite("output_tokens")
    answers = [one["answer"] for one in _values(sample.inner("scores")) if "answer" in one]
    if answers:
        found["parsed"] = float(answers[0] not in (None, ""))
    return found


def _values(scores: Document) -> Iterator[Mapping[str, Json]]:
    return (scores.inner(scorer).content for scorer in scores.content)


def _choices(output: Document) -> list[Document]:
    return output.inners("choices") if output.content.get("choices") else []


def _cluster_keys(value: Json) -> Iterator[str]:
    """Every text under a key "cluster", however deep the metrics of a scorer are nested."""
    if isinstance(value, dict):
        key = value.get("cluster")
        if isinstance(key, str) and key:
            yield key
        for inner in value.values():
            yield from _cluster_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _cluster_keys(inner)
