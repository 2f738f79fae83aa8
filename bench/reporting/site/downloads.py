"""The tables of a board: what `data/` holds, one table a file and format.

Called by `bench.reporting.site.build`.

    data/scores.csv, .json, .parquet, .tex, .md     data/contrasts.*  data/changes.*  data/ranks.*
    data/items/topic.csv, .json, .parquet           every item of every row
"""

from collections.abc import Iterator, Sequence

from bench.reporting.comparison.values import VERDICTS, Change, Contrast
from bench.reporting.site.tables import FOR_PROGRAMS, FORMATS, Table, Value, files_of
from bench.reporting.site.view import View
from bench.statistics.estimate import Estimate

SCORES = (
    *("model", "revision", "stage", "task", "variant", "metric", "lower_is_better", "headline"),
    *(
        "estimate",
        "lo",
        "hi",
        "level",
        "method",
        "n",
        "n_clusters",
        "failed",
        "missing",
        "samples",
        "from_sampling",
        "warnings",
    ),
)
CONTRASTS = (
    *("child", "parent", "edge", "task", "variant", "kind", "language", "metric"),
    *("lower_is_better", "headline", "child_mean", "parent_mean", "estimate", "se", "lo", "hi"),
    *("level", "method", "p_better", "rope", "rope_worse", "rope_same", "rope_better"),
    *("p_value", "p_adjusted", "verdict", "margin", "tax", "p_noninferior", "mde"),
    *("n_items", "n_clusters", "n_missing", "equal_length", "equal_length_lo"),
    *("equal_length_hi", "explained", "fragile", "warnings"),
)
CHANGES = (
    *("child", "parent", "edge", *(verdict.replace(" ", "_") for verdict in VERDICTS)),
    *("pooled", "se", "lo", "hi", "method", "p_better", "tau", "i2", "macro", "macro_lo"),
    *("macro_hi", "tasks", "warnings"),
)
RANKS = (
    *("task", "variant", "model", "estimate", "se", "best", "worst", "p_best", "expected"),
    *("groups", "level", "method", "seed", "n_items", "n_clusters", "corrected", "corrected_lo"),
    "corrected_hi",
)
MATCHES = (
    *("task", "model", "reference", "wins", "draws", "losses", "win_rate", "se", "lo", "hi"),
    *("method", "equal_length", "equal_length_se", "equal_length_lo", "equal_length_hi"),
    *("equal_length_method", "level", "n_items", "n_clusters", "warnings"),
)
RATINGS = (
    *("task", "model", "anchor", "win_rate", "se", "lo", "hi", "equal_length", "equal_length_se"),
    *("equal_length_lo", "equal_length_hi", "rating", "rating_se", "rating_lo", "rating_hi"),
    *("best", "worst", "p_best", "expected", "groups", "level", "method", "n_items", "n_clusters"),
    *("alpha", "alpha_lo", "alpha_hi", "first_slot", "first_slot_lo", "first_slot_hi", "warnings"),
)


def data_files(view: View) -> Iterator[tuple[str, bytes]]:
    """Every file below `data/`: its address and content."""
    judged = [matches(view), ratings(view)] if view.board.judged else []
    for table in (scores(view), contrasts(view), changes(view), ranks(view), *judged):
        for name, content in files_of(table, FORMATS):
            yield f"data/{name}", content
    for task in view.board.tasks:
        for name, content in files_of(items(view, task.name), FOR_PROGRAMS):
            yield f"data/{name}", content


def scores(view: View) -> Table:
    """Every Score."""
    rows = []
    for score in view.board.scores:
        model, metric = view.board.rows[score.row].model, score.metric
        rows.append(
            (
                *(view.board.labels[score.row], model.revision, model.stage),
                *(score.task, score.variant, metric.name, metric.lower_is_better),
                *(score.headline, score.estimate, score.lo, score.hi, score.level, score.method),
                *(score.n, score.n_clusters, score.failed, score.missing, score.samples),
                score.from_sampling,
                "; ".join(score.warnings),
            )
        )
    return Table("scores", SCORES, rows)


def contrasts(view: View) -> Table:
    """Every Contrast, wordings behind what they are pooled to."""
    return Table(
        "contrasts",
        CONTRASTS,
        [
            _contrast(change, one, headline)
            for change in view.board.changes
            for group, headline in ((change.contrasts, True), (change.others, False))
            for whole in group
            for one in (whole, *whole.variants)
        ],
    )


def changes(view: View) -> Table:
    """Every Change: the verdicts counted, all tasks pooled."""
    return Table("changes", CHANGES, [_change(change) for change in view.board.changes])


def ranks(view: View) -> Table:
    """The rank sets of every task; groups are counted from 1. The best of them has its mean once
    more, corrected for having been chosen by it; means are turned so that more is better."""
    rows: list[tuple[Value, ...]] = []
    for (task, variant), sets in view.board.ranks.items():
        won = view.board.winners[task, variant]
        for place, rank in enumerate(sets.ranks):
            row = view.board.ranked[task, variant][place]
            groups = " ".join(str(group + 1) for group in rank.groups)
            rows.append(
                (
                    *(task, variant, view.board.labels[row], rank.estimate, rank.se, rank.best),
                    *(rank.worst, rank.p_best, rank.expected, groups, sets.level, sets.method),
                    # As text: programs that read JSON numbers as doubles would change it.
                    *(str(sets.seed), sets.n_items, sets.n_clusters),
                    *((won.estimate, won.lo, won.hi) if place == won.index else (None,) * 3),
                )
            )
    return Table("ranks", RANKS, rows)


def matches(view: View) -> Table:
    """Every model against every reference that it was judged against."""
    rows: list[tuple[Value, ...]] = []
    for judged in view.board.judged:
        for one in judged.matches:
            won = one.win_rate
            rows.append(
                (
                    *(judged.task, one.model, one.reference, one.wins, one.draws, one.losses),
                    *(*_bounds(won), won.method),
                    *(*_bounds(one.controlled), one.controlled.method if one.controlled else None),
                    *(won.level, won.n_items, won.n_clusters, "; ".join(won.warnings)),
                )
            )
    return Table("matches", MATCHES, rows)


def ratings(view: View) -> Table:
    """Every model that was rated; agreement and slot are those of its task."""
    rows: list[tuple[Value, ...]] = []
    for judged in view.board.judged:
        if judged.ranks is None:
            continue
        slot = judged.slot.first_slot if judged.slot else None
        for one, rank in zip(judged.ratings, judged.ranks.ranks, strict=True):
            rows.append(
                (
                    *(judged.task, one.name, judged.anchor, *_bounds(one.win_rate)),
                    *(*_bounds(one.controlled), *_bounds(one.rating), rank.best, rank.worst),
                    *(rank.p_best, rank.expected, " ".join(str(at + 1) for at in rank.groups)),
                    *(one.rating.level, one.win_rate.method, one.rating.n_items),
                    *(one.rating.n_clusters, *_ends(judged.alpha), *_ends(slot)),
                    "; ".join(judged.warnings),
                )
            )
    return Table("ratings", RATINGS, rows)


def items(view: View, task: str) -> Table:
    """Every item of every row on `task`."""
    found = [
        (row, variant, result)
        for row, of_row in enumerate(view.board.rows)
        for (name, variant), result in of_row.results.items()
        if name == task
    ]
    metrics = dict.fromkeys(name for *_, result in found for name in result.items.scores)
    measures = dict.fromkeys(name for *_, result in found for name in result.items.measures)
    columns = (
        *("model", "variant", "item", "sample", "digest", "cluster", "failure"),
        *(f"score.{name}" for name in metrics),
        *(f"measure.{name}" for name in measures),
    )
    rows: list[tuple[Value, ...]] = []
    for row, variant, result in found:
        known, nothing = result.items, (None,) * len(result.items.ids)
        told: list[Sequence[Value]] = [
            [view.board.labels[row]] * len(known.ids),
            [variant] * len(known.ids),
            *(known.ids, known.samples, known.digests, known.clusters, known.failures),
            *(known.scores.get(name, nothing) for name in metrics),
            *(known.measures.get(name, nothing) for name in measures),
        ]
        rows += zip(*told, strict=True)
    return Table(f"items/{view.tasks[task]}", columns, rows)


def _bounds(found: Estimate | None) -> tuple[Value, ...]:
    """Estimate, error, bounds."""
    return (None,) * 4 if found is None else (found.estimate, found.se, found.lo, found.hi)


def _ends(found: Estimate | None) -> tuple[Value, ...]:
    """Estimate and bounds."""
    return (None,) * 3 if found is None else (found.estimate, found.lo, found.hi)


def _contrast(change: Change, one: Contrast, headline: bool) -> tuple[Value, ...]:
    metric, left = one.metric, one.equal_length
    return (
        *(change.child, change.parent, change.edge.kind, one.task, one.variant, one.kind),
        *(one.language, metric.name, metric.lower_is_better, headline, one.child_mean),
        *(one.parent_mean, one.estimate, one.se, one.lo, one.hi, one.level, one.method),
        *(one.p_better, metric.rope, one.rope_worse, one.rope_same, one.rope_better),
        *(one.p_value, one.p_adjusted, one.verdict, metric.margin, one.tax),
        *(one.p_noninferior, one.mde, one.n_items, one.n_clusters, one.n_missing),
        *((left.estimate, left.lo, left.hi) if left else (None, None, None)),
        *("; ".join(one.explained), one.fragile, "; ".join(one.warnings)),
    )


def _change(change: Change) -> tuple[Value, ...]:
    counts = [change.count(verdict) for verdict in VERDICTS]
    head: tuple[Value, ...] = (change.child, change.parent, change.edge.kind, *counts)
    pooled = change.pooled
    if pooled is None:
        nothing: list[Value] = [None] * (len(CHANGES) - len(head))
        return (*head, *nothing)
    return (
        *head,
        *(pooled.estimate, pooled.se, pooled.lo, pooled.hi, pooled.method, pooled.p_better),
        *(pooled.tau, pooled.i2, pooled.macro, pooled.macro_lo, pooled.macro_hi),
        *(pooled.n_tasks, "; ".join(pooled.warnings)),
    )
