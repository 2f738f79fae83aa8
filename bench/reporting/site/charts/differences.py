"""A line of a forest plot as a value: where its mark stands and what is written beside it.

Made of Contrasts and Pooled means by `forest` and `variants`, drawn by `difference_rows`.

    Difference(name="topic", under="accuracy", dot=Dot(-20.0, -35.4, -3.1), rope=1.0,
               numbers="−20.0 [−35.4, −3.1]", counted="120", verdict="worse", p="0.031", ...)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.reporting.comparison.values import Contrast, Pooled, Verdict
from bench.reporting.site.charts.chart import Dot
from bench.reporting.site.charts.say import counted, say, say_remark
from bench.reporting.site.charts.units import POINTS, unit_of
from bench.reporting.site.charts.words import clean, finite, p_text
from bench.reporting.site.digits import shown


@dataclass(frozen=True, slots=True)
class Difference:
    """`dot` and `rope` are in points with better on the right, everything else is text. `absent`
    stands where nothing can be drawn, `why` is all that is to be said of the line."""

    name: str
    under: str
    dot: Dot
    numbers: str
    counted: str
    why: str
    rope: float = 0.0
    clusters: str = ""
    verdict: Verdict | None = None
    extra: str = ""
    p: str = ""
    badge: str = ""
    absent: str = ""
    shape: Literal["dot", "diamond", "open"] = "dot"
    href: str | None = None


def difference_of(contrast: Contrast, name: str, href: str | None = None) -> Difference:
    """The line of a Contrast."""
    unit, metric = unit_of(contrast.metric), contrast.metric
    dot = Dot(contrast.estimate, contrast.lo, contrast.hi).known()
    mde = finite(contrast.mde)
    clustered = contrast.n_clusters < contrast.n_items
    why = _why([part for part in (contrast.fragile, *contrast.warnings) if part])
    return Difference(
        name=clean(name),
        under=_under(contrast),
        dot=unit.placed(dot),
        numbers=_numbers(dot.each(lambda end: unit.sign * end), unit.scale, contrast.level),
        counted=str(contrast.n_items),
        why=why,
        rope=min(POINTS, abs(finite(unit.place(metric.rope)) or 0.0)),
        clusters=counted(contrast.n_clusters, "cluster") if clustered else "",
        verdict=contrast.verdict,
        extra=say("MDE {size}", size=say("none") if mde is None else unit.number(mde))
        if contrast.verdict == "undetermined"
        else "",
        p=p_text(finite(contrast.p_adjusted)),
        badge=say("! prompt-fragile") if contrast.fragile else "",
        absent=_absent(dot, why, drawable=unit.span > 0),
        href=href,
    )


def differences_of(pooled: Pooled, level: float) -> list[Difference]:
    """The random-effects mean as a diamond, the plain mean as an open one."""
    effects = Dot(pooled.estimate, pooled.lo, pooled.hi)
    plain = Dot(pooled.macro, pooled.macro_lo, pooled.macro_hi)
    return [
        _mean(effects, say("random-effects mean"), "diamond", pooled, level),
        _mean(plain, say("plain mean"), "open", pooled, level),
    ]


def _mean(
    mean: Dot, kind: str, shape: Literal["diamond", "open"], pooled: Pooled, level: float
) -> Difference:
    known = mean.known()
    return Difference(
        name=say("all tasks"),
        under=kind,
        dot=known.each(lambda share: POINTS * share),
        numbers=_numbers(known, POINTS, level),
        counted=counted(pooled.n_tasks, "task"),
        why=_why(pooled.warnings),
        absent=_absent(known, "", drawable=True),
        shape=shape,
    )


def _why(remarks: Sequence[str]) -> str:
    return clean(say(". ").join(map(say_remark, remarks)))


def _under(contrast: Contrast) -> str:
    """What was measured, below the name."""
    facts = [contrast.metric.name or say("no metric")]
    if contrast.metric.lower_is_better:
        facts.append(say("lower is better"))
    if contrast.variants:
        facts.append(counted(len(contrast.variants), "wording"))
    return clean(say(", ").join(facts))


def _absent(dot: Dot, why: str, drawable: bool) -> str:
    if dot.estimate is None:
        return say("no number: {why}", why=why) if why else say("no number")
    return "" if drawable else say("not drawn: no range")


def _numbers(dot: Dot, scale: float, level: float) -> str:
    """`−20.0 [−35.4, −3.1]`; nothing where `absent` says it."""
    if dot.estimate is None:
        return ""
    found = shown(dot.estimate, dot.lo, dot.hi, scale, level, signed=True)
    if found.interval:
        return f"{found.value} {found.interval}"
    return say("{value}, no interval", value=found.value)
