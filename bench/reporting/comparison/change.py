"""Changes: what became of one row against another over all tasks, in Contrasts and in one number.

Called by `bench.reporting.comparison.board` and `bench compare`.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy import stats

from bench.reporting.comparison.against_reference import with_reference
from bench.reporting.comparison.contrast import contrast, judged
from bench.reporting.comparison.lineage import Edge, Row
from bench.reporting.comparison.values import Change, Contrast, Pooled
from bench.reporting.results.schema import Metric, Result
from bench.statistics.chance import Scale
from bench.statistics.multiplicity import benjamini_hochberg, holm
from bench.statistics.pooling import Pooled as PooledTasks
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
    across_shots: bool = False,
) -> Change:
    """Every task of `child` against `parent`, by kind and name; p-values are not adjusted yet."""
    contrasts: list[Contrast] = []
    others: list[Contrast] = []
    for name in _tasks(child):
        ours = _wordings(child, name)
        theirs = with_reference(ours, parent, _wordings(parent, name))
        for place, metric in enumerate(next(iter(ours.values())).task.metrics):
            found = contrast(ours, theirs, metric, level, shared_items_only, across_shots)
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
    across_shots: bool = False,
) -> Change:
    """Two rows by themselves, as a board that holds both would show them.

    `tasks` are those to compare, none: all of the child.
    """
    known = {key: one for key, one in child.results.items() if not tasks or key[0] in tasks}
    edge, row = Edge(0, 1, "parent"), replace(child, results=known)
    return adjusted(change_of(row, parent, edge, names, level, shared_items_only, across_shots))


def adjusted(change: Change) -> Change:
    """Adjusted p-values within one comparison, and the verdicts they leave.

    The headlines of its tasks are declared beforehand (Holm); its further metrics are there to be
    explored (Benjamini & Hochberg). Other models of the lineage are no part of the family: whether
    a child is better than its parent must not depend on who else is on the board.
    """
    return replace(
        change,
        contrasts=judged(change.contrasts, holm),
        others=judged(change.others, benjamini_hochberg),
    )


def pooled(contrasts: Sequence[Contrast], level: float) -> Pooled | None:
    """All tasks with a number in one: chance-normalised, more is better; None without any."""
    known = [one for one in contrasts if one.se is not None and math.isfinite(_span(one.metric))]
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
    told = f"left out: {left_out} of {len(contrasts)} tasks, which have no number or no bounds"
    return Pooled(
        estimate=random.estimate,
        se=random.se,
        lo=random.lo,
        hi=random.hi,
        method=random.method,
        p_better=_above_zero(random, level),
        tau=None if random.tau2 is None else math.sqrt(random.tau2),
        i2=random.i2,
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


def _span(metric: Metric) -> float:
    return metric.high - metric.low


def _above_zero(found: PooledTasks, level: float) -> float:
    """P(mean > 0), as sure as the bounds: above (1 + level) / 2 just when they lie above 0."""
    assert found.estimate is not None
    assert found.lo is not None
    assert found.hi is not None
    towards = found.estimate - found.lo if found.estimate > 0 else found.hi - found.estimate
    if towards == 0:
        return 0.5
    if found.method == "dersimonian_laird":
        degrees = found.n_tasks - 1
        quantile = float(stats.t.ppf((1 + level) / 2, degrees))
        return float(stats.t.cdf(quantile * found.estimate / towards, degrees))
    quantile = float(stats.norm.ppf((1 + level) / 2))
    return float(stats.norm.cdf(quantile * found.estimate / towards))


def _tasks(row: Row) -> list[str]:
    kinds = {name: result.task.kind for (name, _), result in row.results.items()}
    return sorted(kinds, key=lambda name: (kinds[name], name))


def _wordings(row: Row, task: str) -> dict[str, Result]:
    return {variant: result for (name, variant), result in row.results.items() if name == task}
