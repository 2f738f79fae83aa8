"""Results that the tests of comparisons start from."""

from collections.abc import Sequence
from dataclasses import replace

from bench.reporting.results.schema import (
    SCHEMA_VERSION,
    Items,
    Link,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)

METRIC = Metric("accuracy", chance=0.25, rope=0.02, margin=0.03)


def items(scores: Sequence[float | None], metric: str = "accuracy", **changes) -> Items:
    """Items with these scores, each its own cluster; None is one that failed."""
    names = tuple(str(place) for place in range(len(scores)))
    whole = Items(
        ids=names,
        digests=tuple(f"d{name}" for name in names),
        clusters=names,
        samples=(0,) * len(scores),
        failures=tuple("" if score is not None else "no reply" for score in scores),
        scores={metric: tuple(scores)},
    )
    return replace(whole, **changes)


def model(name: str = "base", parent: str = "", stage: str = "base", **changes) -> ModelEntry:
    """A model whose revision is `r-NAME`; `parent` names the model it was trained from."""
    parents = (Link("policy", parent, f"r-{parent}"),) if parent else ()
    return replace(ModelEntry(name, f"r-{name}", stage, parents=parents), **changes)


def result(
    who: ModelEntry,
    scores: Sequence[float | None],
    task: str = "topic",
    variant: str = "",
    metric: Metric = METRIC,
    settings: dict | None = None,
    **changes,
) -> Result:
    """`who` on `task` with these scores."""
    whole = Result(
        schema_version=SCHEMA_VERSION,
        model=who,
        task=TaskEntry(task, 1, "digest", "prompts", "qa", "en", (metric,), variant),
        settings={"shots": 0, "limit": None, "chat": False, "chat_mode": "auto"} | (settings or {}),
        provenance=Provenance("instruct-bench 0", "instruct-bench 0", "bench eval", "2026-01-01"),
        asked=len(scores),
        items=items(scores, metric.name),
    )
    return replace(whole, **changes)
