"""Rules for what one Result says of itself: all items there, columns, provenance, stage.

`bench.reporting.results.audit` asks them of a board, `submit` before anything is published. Each
yields a sentence for what is wrong:

    "asked: found 300, items.ids holds 288"
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bench.reporting.comparison.lineage import STAGES
from bench.reporting.results.rule import Rule, Rules, each
from bench.reporting.results.schema import MEASURES, Result


def counts(result: Result) -> Iterator[str]:
    """All items are there, and each has either the reason of its failure or all its scores."""
    if result.asked != len(result.items.ids):
        yield f"asked: found {result.asked}, items.ids holds {len(result.items.ids)}"
    for name, column in result.items.scores.items():
        for place, (score, reason) in enumerate(zip(column, result.items.failures, strict=True)):
            if score is None and not reason:
                yield f"items.scores.{name}: none at position {place}, which did not fail"
                break
            if score is not None and reason:
                yield f"items.scores.{name}: found {score} at position {place}, which failed"
                break


def columns(result: Result) -> Iterator[str]:
    """A column of scores for each metric and no other; measures that are known."""
    named = [metric.name for metric in result.task.metrics]
    if not named or len(set(named)) < len(named):
        yield f"task.metrics: found {named}, expected one metric or more, each once"
    if set(named) != set(result.items.scores):
        yield f"items.scores: found {sorted(result.items.scores)}, task.metrics names {named}"
    strange = sorted(set(result.items.measures) - set(MEASURES))
    if strange:
        yield f"items.measures: found {strange}, known are {', '.join(MEASURES)}"


def items(result: Result) -> Iterator[str]:
    """There are items, and none (id, sample) stands there twice."""
    pairs = Counter(zip(result.items.ids, result.items.samples, strict=True))
    twice = [f"{name!r} (sample {sample})" for (name, sample), n in pairs.items() if n > 1]
    if not pairs:
        yield "items.ids: found none, expected one or more"
    if twice:
        yield f"items.ids: found more than once: {few(twice)}"


def provenance(result: Result) -> Iterator[str]:
    """What it takes to get the numbers again: program, scorer, command, weights, rows."""
    told = result.provenance
    needed = {
        "provenance.tool": told.tool,
        "provenance.scorer": told.scorer,
        "provenance.command": told.command,
        "model.name": result.model.name,
        "model.revision": result.model.revision,
        "task.name": result.task.name,
        "task.digest": result.task.digest,
    }
    yield from (f"{key}: found nothing, expected a value" for key in needed if not needed[key])


def started(result: Result) -> Iterator[str]:
    """A time as in ISO 8601 that lies in the past; without a zone it is taken as UTC."""
    told = result.provenance.started
    when = time_of(told)
    if told and when is None:
        yield f"provenance.started: found {told!r}, expected a time as in ISO 8601"
    elif when is not None and when > datetime.now(UTC):
        yield f"provenance.started: found {told}, which lies in the future"


def undated(result: Result) -> Iterator[str]:
    """It is said when the model was asked; files of other tools do not always know."""
    if not result.provenance.started:
        yield "provenance.started: found nothing, expected a time as in ISO 8601"


def stage(result: Result) -> Iterator[str]:
    """A stage that is known, or none."""
    if result.model.stage not in ("", *STAGES):
        yield f"model.stage: found {result.model.stage!r}, known are {', '.join(STAGES)}"


def limited(result: Result) -> Iterator[str]:
    """Asked whole."""
    limit = result.settings.get("limit")
    if limit is not None:
        yield f"settings.limit: found {limit}: only the first rows were asked"


RECORD_RULES: Rules = {
    "counts": Rule(each(counts), "all items are there, failed or with all their scores"),
    "columns": Rule(each(columns), "one column of scores for each metric; known measures"),
    "items": Rule(each(items), "there are items, and none is there twice"),
    "provenance": Rule(each(provenance), "what it takes to get the numbers again is said"),
    "started": Rule(each(started), "a run started in the past"),
    "undated": Rule(each(undated), "it is said when a run started", "warning"),
    "stage": Rule(each(stage), "a stage is one that is known"),
    "limited": Rule(each(limited), "tasks are asked whole", "warning"),
}


def time_of(text: str) -> datetime | None:
    """The time that `text` says in ISO 8601 (UTC where it names no zone), None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def few(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
