"""Boards and comparisons as JSON documents: what `--json` prints.

{"contrasts": [{"task": "topic", "estimate": -0.2, "verdict": "worse", ...}], "pooled": {...}}
"""

from collections.abc import Sequence
from dataclasses import asdict

from bench.reporting.comparison.board import Board
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.results.sources import Damaged
from bench.reporting.site.sentences import plain_sentence
from bench.types import Json


def board_json(board: Board, damaged: Sequence[Damaged] = ()) -> dict[str, Json]:
    """The document of `bench board build --json`; `left_out` names what was `damaged`."""
    return {
        "rows": [
            {
                "row": label,
                "model": row.model.name,
                "revision": row.model.revision,
                "stage": row.model.stage,
                "parent": None if parent is None else board.labels[parent],
                "scores": [_score(score) for score in board.scores if score.row == place],
            }
            for place, (row, label, parent) in enumerate(
                zip(board.rows, board.labels, board.parents, strict=True)
            )
        ],
        "changes": [change_json(change) for change in board.changes],
        "left_out": [
            {"path": str(one.path), "cause": one.cause, "remedy": one.remedy} for one in damaged
        ],
    }


def change_json(change: Change) -> dict[str, Json]:
    """The document of `bench compare --json`."""
    pooled: dict[str, Json] | None = None
    if change.pooled is not None:
        pooled = {**asdict(change.pooled), "warnings": list(change.pooled.warnings)}
    return {
        "child": change.child,
        "parent": change.parent,
        "kind": change.edge.kind,
        "sentence": plain_sentence(change),
        "contrasts": [contrast_json(one) for one in (*change.contrasts, *change.others)],
        "pooled": pooled,
    }


def contrast_json(contrast: Contrast) -> dict[str, Json]:
    """Everything a Contrast says; `n` counts the shared items."""
    return {
        "task": contrast.task,
        "variant": contrast.variant,
        "kind": contrast.kind,
        "metric": contrast.metric.name,
        "lower_is_better": contrast.metric.lower_is_better,
        "child": contrast.child_mean,
        "parent": contrast.parent_mean,
        "estimate": contrast.estimate,
        "se": contrast.se,
        "lo": contrast.lo,
        "hi": contrast.hi,
        "level": contrast.level,
        "method": contrast.method,
        "p_better": contrast.p_better,
        "rope": {
            "width": contrast.metric.rope,
            "worse": contrast.rope_worse,
            "same": contrast.rope_same,
            "better": contrast.rope_better,
        },
        "p_value": contrast.p_value,
        "p_adjusted": contrast.p_adjusted,
        "verdict": contrast.verdict,
        "tax": contrast.tax,
        "p_noninferior": contrast.p_noninferior,
        "margin": contrast.metric.margin,
        "mde": contrast.mde,
        "n": contrast.n_items,
        "n_clusters": contrast.n_clusters,
        "n_missing": contrast.n_missing,
        "fragile": contrast.fragile,
        "variants": [contrast_json(one) for one in contrast.variants],
        "shifts": [{**asdict(shift)} for shift in contrast.shifts],
        "shares": [{**asdict(share)} for share in contrast.shares],
        "equal_length": None if contrast.equal_length is None else asdict(contrast.equal_length),
        "explained": list(contrast.explained),
        "aggregates": {
            name: {"child": child, "parent": parent}
            for name, (child, parent) in (contrast.aggregates or {}).items()
        },
        "warnings": list(contrast.warnings),
    }


def _score(score: Score) -> Json:
    return {
        "task": score.task,
        "variant": score.variant,
        "metric": score.metric.name,
        "headline": score.headline,
        "estimate": score.estimate,
        "lo": score.lo,
        "hi": score.hi,
        "method": score.method,
        "n": score.n,
        "n_clusters": score.n_clusters,
        "failed": score.failed,
        "missing": score.missing,
        "warnings": list(score.warnings),
    }
