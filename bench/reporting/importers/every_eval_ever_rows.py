"""The lines of an every_eval_ever file of samples as Rows: one line a metric becomes one an item.

Called by `bench.reporting.importers.every_eval_ever`.
"""

import re
from collections.abc import Sequence

from bench.reporting.importers.document import Document, whole
from bench.reporting.importers.every_eval_ever_keys import MEASURE, PREFIX
from bench.reporting.importers.rows import Row, digest_of, text_measures
from bench.reporting.results.schema import MEASURES
from bench.types import Json

REPEAT = re.compile(r"(.+)#r(\d+)")  # an item's second draw and later: "q7#r1"


def merged(columns: Sequence[tuple[str, Sequence[Document]]]) -> list[Row]:
    """A Row for each item of `columns` (metric, its lines), in the order in which they appear.

    Raises:
        RunError: a line is damaged, or an item has two scores of one metric.
    """
    lines: dict[tuple[str, int], Document] = {}
    scores: dict[tuple[str, int], dict[str, float]] = {}
    for metric, samples in columns:
        for line in samples:
            key = _key(line)
            lines.setdefault(key, line)
            known = scores.setdefault(key, {})
            if metric in known:
                raise line.refuse("sample_id", f"one score of {metric} for each sample")
            known[metric] = line.inner("evaluation").number("score")
    return [_row(key, line, scores[key]) for key, line in lines.items()]


def _key(line: Document) -> tuple[str, int]:
    """Item and sample: as our own export says, or as the id does."""
    told = line.inner("metadata")
    own = told.text(f"{PREFIX}id", "")
    if own:
        sample = told.text(f"{PREFIX}sample")
        return own, whole(sample) or 0
    found = REPEAT.fullmatch(line.text("sample_id"))
    return (found[1], int(found[2])) if found else (line.text("sample_id"), 0)


def _row(key: tuple[str, int], line: Document, scores: dict[str, float]) -> Row:
    told = line.inner("metadata")
    error = line.text("error", "")
    return Row(
        id=key[0],
        digest=told.text(f"{PREFIX}digest", "") or line.text("sample_hash", "") or _digest(line),
        cluster=told.text(f"{PREFIX}cluster", "") or told.text("cluster", "") or key[0],
        sample=key[1],
        failure=f"error: {error[:80]}" if error else "",
        scores=scores,
        measures=_measures(line),
    )


def _digest(line: Document) -> str:
    asked = line.inner("input")
    references: list[Json] = [*asked.texts("reference")]
    return digest_of([asked.text("raw"), references])


def _measures(line: Document) -> dict[str, float | None]:
    """Those that our own export wrote; of other tools what the reply's text and length say."""
    told = line.inner("metadata")
    own: dict[str, float | None] = {
        name: _number(told, f"{MEASURE}{name}")
        for name in MEASURES
        if told.content.get(f"{MEASURE}{name}")
    }
    if own:
        return own
    replies = line.inner("output").texts("raw")
    found = text_measures(replies[0]) if replies else {}
    found["tokens"] = line.inner("token_usage").finite("output_tokens")
    return found


def _number(told: Document, key: str) -> float:
    """A number that is written as a text, as the map wants it."""
    try:
        return float(told.text(key))
    except ValueError:
        raise told.refuse(key, "a number") from None
