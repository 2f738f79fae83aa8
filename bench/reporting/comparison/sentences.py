"""What a Contrast says, in one plain sentence: generated, not written.

Called by `bench compare`. What a Change says is in `bench.reporting.site.sentences`.

    topic: better: accuracy +0.242 [0.128, 0.356]
"""

from bench.reporting.comparison.values import Contrast


def contrast_sentence(contrast: Contrast) -> str:
    """What became of one task, on one line."""
    name = f"{contrast.task} ({contrast.variant})" if contrast.variant else contrast.task
    if contrast.estimate is None:
        return f"{name}: no number: {'; '.join(contrast.warnings) or 'no shared items'}"
    bounds = "" if contrast.lo is None else f" [{contrast.lo:.3f}, {contrast.hi:.3f}]"
    said = f"{name}: {contrast.verdict}: {contrast.metric.name} {contrast.estimate:+.3f}{bounds}"
    if contrast.verdict == "undetermined" and contrast.mde is not None:
        said += f"; {contrast.n_items} items find {contrast.mde:.3f} in four of five cases"
    return said + (f"; hangs on the wording: {contrast.fragile}" if contrast.fragile else "")


def explanations(contrast: Contrast) -> list[str]:
    """What carries a difference, where something else than better answers does."""
    left = contrast.equal_length
    told = {
        "length": ""
        if left is None
        else "length may explain the difference: where both replies are "
        f"equally long it is {left.estimate:+.3f} [{left.lo:.3f}, {left.hi:.3f}]",
        "parsed": "replies that can be read in one model alone carry the difference",
        "refused": "replies that one model refuses and the other gives carry the difference",
        "cut_off": "replies that are cut off in one model alone carry the difference",
    }
    return [told[name] for name in contrast.explained]


def probability(value: float | None) -> str:
    """A probability without false certainty."""
    if value is None:
        return "–"
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"
