"""The board as a value: rows, tasks, cells, changes, ranks; pages and exports only show it.

make_board(load_results([Path("leaderboard/results")]))
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.reporting.comparison.change import LEVEL, adjusted, change_of
from bench.reporting.comparison.comparable import shown
from bench.reporting.comparison.judged import Judged, judged_of
from bench.reporting.comparison.judges import judges_of, sampled
from bench.reporting.comparison.lineage import (
    Row,
    depths_of,
    edges_of,
    parents_of,
    roots_of,
    rows_of,
    way_of,
)
from bench.reporting.comparison.pairing import shared_matrix
from bench.reporting.comparison.scores import Score, scores_of
from bench.reporting.comparison.values import Change
from bench.reporting.results.schema import JUDGED_BY, Metric, Result
from bench.statistics.ranks import RankSets, rank_sets_of_scores
from bench.statistics.selection import Winner, corrected_winner_of_scores

FEWEST_RANKED = 3  # with two rows the paired difference says it all
FEWEST_CLUSTERS = 20  # below it joint intervals by t are worth nothing
Wording = tuple[str, str]  # a task's name, and a variant of it


@dataclass(frozen=True, slots=True)
class Asked:
    """A task as the board knows it: of all its Results the wordings and metrics, headline first."""

    name: str
    title: str
    kind: str
    language: str
    version: int
    source: str
    variants: tuple[str, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the pages show. `labels` name the rows, no two alike; `parents`, `depths` and
    `roots` are those of `bench.reporting.comparison.lineage`. `ranks` holds simultaneous rank sets
    for each (task, variant) that at least three rows were scored on, on twenty independent items or
    more; `ranked` says which rows; `winners` the highest mean of each, corrected for having been
    chosen by it, in scores turned so that more is better. `judged` holds the tasks on which replies
    were preferred to others."""

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    parents: tuple[int | None, ...]
    depths: tuple[int, ...]
    roots: tuple[int, ...]
    tasks: tuple[Asked, ...]
    scores: tuple[Score, ...]
    changes: tuple[Change, ...]
    ranks: Mapping[Wording, RankSets]
    ranked: Mapping[Wording, tuple[int, ...]]
    winners: Mapping[Wording, Winner]
    judged: tuple[Judged, ...]
    level: float


def make_board(results: Sequence[Result], level: float = LEVEL) -> Board:
    """The board of `results`; every pair of child and parent among them is compared."""
    rows = rows_of(results)
    labels = labels_of(rows)
    roots = roots_of(rows)
    changes = [
        change_of(rows[edge.child], rows[edge.parent], edge, labels, level)
        for edge in edges_of(rows)
    ]
    ranks, ranked, winners = _ranks(rows, level)
    tasks = _tasks(results)
    judged = [judged_of(task.name, rows, labels, level) for task in tasks]
    return Board(
        rows=tuple(rows),
        labels=tuple(labels),
        parents=tuple(parents_of(rows)),
        depths=tuple(depths_of(rows)),
        roots=tuple(roots),
        tasks=tuple(tasks),
        scores=tuple(
            score
            for place, row in enumerate(rows)
            for result in row.results.values()
            for score in scores_of(place, result, level)
        ),
        changes=tuple(map(adjusted, changes)),
        ranks=ranks,
        ranked=ranked,
        winners=winners,
        judged=tuple(one for one in judged if one is not None),
        level=level,
    )


def labels_of(rows: Sequence[Row]) -> list[str]:
    """Names of the rows, no two alike: the model's, then its revision, settings, a number."""
    names = [row.model.name for row in rows]
    told = [
        name if names.count(name) == 1 else f"{name} {row.model.revision[:8]}"
        for name, row in zip(names, rows, strict=True)
    ]
    told = [
        label if told.count(label) == 1 else ", ".join([label, *_differing(row, rows)])
        for label, row in zip(told, rows, strict=True)
    ]
    return [
        label if told.count(label) == 1 else f"{label} #{told[: place + 1].count(label)}"
        for place, label in enumerate(told)
    ]


def _differing(row: Row, rows: Sequence[Row]) -> list[str]:
    """The settings in which a row differs from another of the same model."""
    ours = next(iter(row.results.values())).settings
    twins = [
        next(iter(other.results.values())).settings
        for other in rows
        if (other.model.name, other.model.revision) == (row.model.name, row.model.revision)
    ]
    keys = dict.fromkeys(key for twin in twins for key in twin)
    return [
        f"{key} {shown(ours.get(key))}"
        for key in keys
        if any(twin.get(key) != ours.get(key) for twin in twins)
    ]


def _tasks(results: Sequence[Result]) -> list[Asked]:
    """By kind, then as the results come."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.task.name, []).append(result)
    found = []
    for name, group in groups.items():
        task = group[0].task
        found.append(
            Asked(
                name=name,
                title=task.title or name,
                kind=task.kind,
                language=task.language,
                version=max(one.task.version for one in group),
                source=task.source,
                variants=tuple(dict.fromkeys(one.task.variant for one in group)),
                metrics=task.metrics,
            )
        )
    return sorted(found, key=lambda task: (task.kind, task.name))


def _ranks(
    rows: Sequence[Row], level: float
) -> tuple[dict[Wording, RankSets], dict[Wording, tuple[int, ...]], dict[Wording, Winner]]:
    """Rank sets of each task and wording over the rows that answered the same items; which rows;
    the best of them."""
    ranks, ranked, winners = {}, {}, {}
    for key in dict.fromkeys(key for row in rows for key in row.results):
        group = _largest([place for place, row in enumerate(rows) if key in row.results], rows, key)
        if len(group) < FEWEST_RANKED:
            continue
        results = [rows[place].results[key] for place in group]
        if any(JUDGED_BY in one.items.measures and sampled(judges_of(one)) for one in results):
            continue  # those means have an error by judge too: `judged` ranks these models
        scores, clusters, left_out = shared_matrix(results)
        if len(set(clusters)) >= FEWEST_CLUSTERS:
            sets = rank_sets_of_scores(scores, clusters, level)
            told = f"items left out, not scored for all of these models: {left_out}"
            warnings = (*sets.warnings, told) if left_out else sets.warnings
            ranks[key] = replace(sets, warnings=warnings)
            ranked[key] = tuple(group)
            winners[key] = corrected_winner_of_scores(scores, clusters, level)
    return ranks, ranked, winners


def _largest(places: list[int], rows: Sequence[Row], key: tuple[str, str]) -> list[int]:
    """Of `places`, the largest group that was asked the same rows in the same way."""
    groups: dict[Hashable, list[int]] = {}
    for place in places:
        result = rows[place].results[key]
        asked = (result.task.digest, result.asked, result.task.metrics, *way_of(result))
        groups.setdefault(asked, []).append(place)
    return max(groups.values(), key=len, default=[])
