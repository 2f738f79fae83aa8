"""Boards and comparisons in the terminal."""

from collections.abc import Sequence
from pathlib import Path

from bench.counted import counted
from bench.reporting.comparison.board import Board
from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.sentences import contrast_sentence, explanations, probability
from bench.reporting.comparison.values import Change, Contrast
from bench.reporting.results.rule import Finding
from bench.reporting.site.digits import p_value
from bench.reporting.site.sentences import plain_sentence
from bench.terminal import print_note, print_table

HEADINGS = (
    *("task", "metric", "A - B", "95% interval", "P(better)"),
    *("verdict", "tax", "n", "MDE", "p (adjusted)"),
)


def print_change(change: Change) -> None:
    """A table with a verdict for each task, then one sentence for each and one for all."""
    rows = [_row(one) for one in (*change.contrasts, *change.others)]
    rows += [_row(variant) for one in change.contrasts for variant in one.variants]
    print_table(HEADINGS, rows, f"{change.child} against {change.parent}")
    for contrast in change.contrasts:
        print_note(contrast_sentence(contrast))
        for share in contrast.shares:
            if share.n:
                print_note(
                    f"    {share.estimate:+.3f} of it on {counted(share.n, 'item')} {share.name}"
                )
        for one in (contrast, *contrast.variants):
            for told in explanations(one):
                print_note(f"    {told}{f' ({one.variant})' if one.variant else ''}")
        for warning in contrast.warnings:
            if contrast.estimate is not None:
                print_note(f"    {warning}")
    print_note(plain_sentence(change))


def print_board(board: Board) -> None:
    """Headline scores of all rows, then one sentence for each change."""
    headline = [score for score in board.scores if score.headline]
    keys = dict.fromkeys((score.task, score.variant) for score in headline)
    known = {(score.task, score.variant, score.row): score for score in headline}
    print_table(
        ("task", *board.labels),
        [
            (
                f"{task} ({variant})" if variant else task,
                *(_score(known.get((task, variant, row))) for row in range(len(board.rows))),
            )
            for task, variant in keys
        ],
    )
    for change in board.changes:
        print_note(plain_sentence(change))


def _score(score: Score | None) -> str:
    if score is None:
        return "not run"
    if score.estimate is None:
        return "no number"
    bounds = "" if score.lo is None else f" [{score.lo:.3f}, {score.hi:.3f}]"
    return f"{score.estimate:.3f}{bounds}"


def _row(contrast: Contrast) -> tuple[str, ...]:
    name = f"{contrast.task} ({contrast.variant})" if contrast.variant else contrast.task
    arrow = " (lower is better)" if contrast.metric.lower_is_better else ""
    if contrast.estimate is None:
        return name, contrast.metric.name, "–", "–", "–", contrast.verdict, "–", "0", "–", "–"
    return (
        name,
        f"{contrast.metric.name}{arrow}",
        f"{contrast.estimate:+.3f}",
        "–" if contrast.lo is None else f"[{contrast.lo:.3f}, {contrast.hi:.3f}]",
        probability(contrast.p_better),
        contrast.verdict,
        contrast.tax or "–",
        str(contrast.n_items),
        "–" if contrast.mde is None else f"{contrast.mde:.3f}",
        p_value(contrast.p_adjusted),
    )


def print_refused(findings: Sequence[Finding]) -> None:
    """A line on stderr where `bench board check` refuses results that a board was made of."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        first, folder = errors[0], Path(errors[0].file).parents[2]
        print_note(
            f"this board may mislead, bench board check finds {counted(len(errors), 'error')}: "
            f"{first.file}: {first.rule}: {first.told}; list all: bench board check {folder}"
        )


def print_findings(findings: Sequence[Finding]) -> None:
    """A line on stdout for each broken rule."""
    for finding in findings:
        print(f"{finding.severity}: {finding.file}: {finding.rule}: {finding.told}")
