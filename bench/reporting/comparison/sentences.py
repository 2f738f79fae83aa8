"""What a Change says in one plain sentence, and each Contrast in another: generated, not written.

Called by `bench compare`, `bench board build` and the exports.

    ppo against sft: better on 1 task, worse on 2, undetermined on 3; pooled -0.033 [-0.080, 0.015]
"""

from collections.abc import Sequence

from bench.reporting.comparison.values import Change, Contrast, Verdict

COUNTED: tuple[tuple[Verdict, str], ...] = (
    ("better", "better on {}"),
    ("equivalent", "equivalent on {}"),
    ("worse", "worse on {}"),
    ("undetermined", "undetermined on {}"),
    ("no number", "no number on {}"),
)


def change_sentence(change: Change) -> str:
    """What became of the child, on one line."""
    names = f"{change.child} against {change.parent}"
    if change.pooled is None:
        reasons = {warning for one in change.contrasts for warning in one.warnings}
        why = reasons.pop() if len(reasons) == 1 else "each for its own reason"
        return f"{names}: no number on any task: {why}"
    counts = [(text, change.count(verdict)) for verdict, text in COUNTED]
    told = ", ".join(text.format(count) for text, count in counts if count)
    tasks = "task" if len(change.contrasts) == 1 else "tasks"
    pooled = change.pooled
    return (
        f"{names}: {told} of {len(change.contrasts)} {tasks}; pooled {pooled.estimate:+.3f} "
        f"[{pooled.lo:.3f}, {pooled.hi:.3f}], P(better) {probability(pooled.p_better)}"
        f"{_taxes(change.contrasts)}"
    )


def contrast_sentence(contrast: Contrast) -> str:
    """What became of one task, on one line."""
    name = f"{contrast.task} ({contrast.variant})" if contrast.variant else contrast.task
    if contrast.estimate is None:
        return f"{name}: no number: {'; '.join(contrast.warnings) or 'no shared items'}"
    bounds = "" if contrast.lo is None else f" [{contrast.lo:.3f}, {contrast.hi:.3f}]"
    said = f"{name}: {contrast.verdict}: {contrast.metric.name} {contrast.estimate:+.3f}{bounds}"
    if contrast.verdict == "undetermined" and contrast.mde is not None:
        said += (
            f"; {contrast.n_items} items find {contrast.mde:.3f} in four of five cases, unadjusted"
        )
    return said + (f"; hangs on the wording: {contrast.fragile}" if contrast.fragile else "")


def probability(value: float | None) -> str:
    """A probability without false certainty."""
    if value is None:
        return "–"
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"


def _taxes(contrasts: Sequence[Contrast]) -> str:
    """The capabilities that were lost, kept, or that nobody can tell about."""
    known = [contrast.tax for contrast in contrasts if contrast.tax is not None]
    if not known:
        return ""
    parts = [
        f"{word} on {known.count(tax)}"
        for tax, word in (("tax", "paid"), ("no tax", "none"), ("undetermined", "undetermined"))
        if tax in known
    ]
    return f"; alignment tax {', '.join(parts)}"
