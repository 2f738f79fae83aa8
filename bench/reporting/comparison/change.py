"""Changes: what became of one row against another over all tasks, in Contrasts and in one number.

Called by `bench.reporting.comparison.board` and `bench compare`.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

from scipy import stats

from bench.reporting.comparison.contrast import contrast, judged
from bench.reporting.comparison.lineage import Edge, Row
from bench.reporting.comparison.values import Change, Contrast, Pooled
from bench.reporting.results.schema import Metric, Result
from bench.statistics.chance import Scale
from bench.statistics.multiplicity import holm
from bench.statistics.pooling import macro
from bench.statistics.random_effects import random_effects

LEVEL = 0.95


def change_of(
    child: Row,
    parent: Row,
    edge: Edge,
    labels: Sequence[str],
    level: float = LEVEL,
    shared_items_only: bool = False,
) -> Change:
    """Every task of `child` against `parent`, by kind and name; p-values are not adjusted yet."""
    contrasts: list[Contrast] = []
    others: list[Contrast] = []
    for name in _tasks(child):
        ours, theirs = _wordings(child, name), _wordings(parent, name)
        for place, metric in enumerate(next(iter(ours.values())).task.metrics):
            found = contrast(ours, theirs, metric, level, shared_items_only)
            (others if place else contrasts).append(found)
    return Change(
        edge=edge,
        child=labels[edge.child],
        parent=labels[edge.parent],
        contrasts=tuple(contrasts),
        others=tuple(others),
        pooled=pooled(contrasts, level),
    )


def comparison(
    child: Row,
    parent: Row,
    names: tuple[str, str],
    tasks: Sequence[str] = (),
    level: float = LEVEL,
    shared_items_only: bool = False,
) -> Change:
    """Two rows by themselves: the contrasts shown are the family of Holm's adjustment.

    `tasks` are those to compare, none: all of the child.
    """
    known = {key: one for key, one in child.results.items() if not tasks or key[0] in tasks}
    edge, row = Edge(0, 1, "parent"), replace(child, results=known)
    change = change_of(row, parent, edge, names, level, shared_items_only)
    return with_holm([change], [0])[0]


def with_holm(changes: Sequence[Change], families: Sequence[Hashable]) -> list[Change]:
    """Holm's adjustment within each family (what one page shows), and the verdicts it leaves.

    A page shows the lineage of one root: its headline contrasts are one family.
    """
    found = list(changes)
    for family in dict.fromkeys(families):
        members = [place for place, other in enumerate(families) if other == family]
        p_values = [one.p_value for place in members for one in changes[place].contrasts]
        adjusted = iter(holm(p_values))
        for place in members:
            contrasts = [judged(one, next(adjusted)) for one in changes[place].contrasts]
            found[place] = replace(changes[place], contrasts=tuple(contrasts))
    return found


def pooled(contrasts: Sequence[Contrast], level: float) -> Pooled | None:
    """All tasks with a number in one: chance-normalised, more is better; None without any."""
    known = [one for one in contrasts if one.estimate is not None and one.se is not None]
    if not known:
        return None
    scales = [scale_of(one.metric) for one in known]
    effects = [s.change(one.estimate or 0.0) for s, one in zip(scales, known, strict=True)]
    errors = [s.error(one.se or 0.0) for s, one in zip(scales, known, strict=True)]
    random, plain = random_effects(effects, errors, level), macro(effects, errors, "fixed", level)
    if random.estimate is None or random.se is None or random.lo is None or random.hi is None:
        return None
    if plain.estimate is None or plain.lo is None or plain.hi is None:
        return None
    left_out = len(contrasts) - len(known)
    told = f"left out: {left_out} of {len(contrasts)} tasks, which have no number"
    return Pooled(
        estimate=random.estimate,
        se=random.se,
        lo=random.lo,
        hi=random.hi,
        method=random.method,
        p_better=float(stats.norm.cdf(random.estimate / random.se)) if random.se else 0.5,
        tau=math.sqrt(random.tau2 or 0.0),
        i2=random.i2 or 0.0,
        macro=plain.estimate,
        macro_lo=plain.lo,
        macro_hi=plain.hi,
        n_tasks=len(known),
        shrunken={
            one.task: value
            for one, value in zip(known, random.shrunken, strict=False)
            if value is not None
        },
        warnings=(*random.warnings, *((told,) if left_out else ())),
    )


def scale_of(metric: Metric) -> Scale:
    """The scale on which guessing is 0 and the best score 1.

    Nobody guesses where lower is better (toxicity): there the worst score stands at 0.
    """
    chance = metric.high if metric.lower_is_better else metric.chance
    return Scale(chance, metric.lower_is_better, (metric.low, metric.high))


def _tasks(row: Row) -> list[str]:
    kinds = {name: result.task.kind for (name, _), result in row.results.items()}
    return sorted(kinds, key=lambda name: (kinds[name], name))


def _wordings(row: Row, task: str) -> dict[str, Result]:
    return {variant: result for (name, variant), result in row.results.items() if name == task}
