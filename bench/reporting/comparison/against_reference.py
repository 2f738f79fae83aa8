"""Judgments against a model itself: what that model would have scored where it is the reference.

A judge that prefers one of two replies has compared the two already. Where the reference is the
very model that a row is compared with, that model wins half of the time against itself, so the
paired difference is the win rate less a half. Called by `bench.reporting.comparison.change`.

    with_reference({"against sft": result_of_ppo}, sft, {})
    {"against sft": Result(model=sft, items.scores={"win_rate": (0.5, 0.5, ...)}, ...)}
"""

from collections.abc import Mapping
from dataclasses import replace

from bench.reporting.comparison.lineage import Row, is_short_for
from bench.reporting.results.schema import LENGTH, REFERENCE, REFERENCE_LENGTH, WIN_RATE, Result

HALF = 0.5


def with_reference(
    judged: Mapping[str, Result], other: Row, theirs: Mapping[str, Result]
) -> dict[str, Result]:
    """`theirs` (the wordings of a task that `other` was run in), and with them every wording in
    which `judged` stands against the replies of `other`."""
    found = {
        variant: _itself(result, other)
        for variant, result in judged.items()
        if is_against(result, other.model.name)
    }
    return {**found, **theirs}


def is_against(result: Result, model: str) -> bool:
    """Whether `result` holds judgments of its replies against those of `model`."""
    reference = result.settings.get(REFERENCE)
    if not isinstance(reference, str) or not reference or WIN_RATE not in result.items.scores:
        return False
    return is_short_for(reference, model)


def _itself(result: Result, other: Row) -> Result:
    """`other` against itself, judged by the same judges on the same items."""
    items = result.items
    lengths = items.measures.get(REFERENCE_LENGTH)
    won = tuple(None if score is None else HALF for score in items.scores[WIN_RATE])
    return replace(
        result,
        model=other.model,
        items=replace(
            items,
            scores={WIN_RATE: won},
            measures={} if lengths is None else {LENGTH: lengths},
        ),
        aggregates={},
    )
