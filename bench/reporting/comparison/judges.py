"""Who judged a Result, and whether they stand for other judges.

Called by `bench.reporting.comparison` where judged replies are scored, matched or compared.

    judges_of(result)                       ["ann", "ann", "bob", ...], one an item
    sampled(["ann", "bob", "ann"])          None: two judges are no sample of judges
"""

from collections.abc import Sequence

from bench.reporting.results.schema import JUDGE, JUDGED_BY, JUDGES, Result

# Fewer judges are no sample of judges: they are taken as they are, errors come from the prompts.
FEWEST_SAMPLED = 5


def judges_of(result: Result) -> list[str]:
    """Who judged each item; "" where nobody says."""
    known, items = result.settings.get(JUDGES), result.items
    if isinstance(known, list) and JUDGED_BY in items.measures:
        names = dict(enumerate(map(str, known)))
        return [names.get(int(place or 0), "") for place in items.measures[JUDGED_BY]]
    return [str(result.settings.get(JUDGE) or "")] * len(items.ids)


def sampled(judges: Sequence[str]) -> list[str] | None:
    """`judges`, where there are enough of them to stand for others."""
    return list(judges) if len(set(judges)) >= FEWEST_SAMPLED else None
