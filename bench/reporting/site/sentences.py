"""What a Change says in one sentence, in English and in Chinese; generated from the statistics.

Called by the overview, the pages of lineages, the feed, `bench compare` and `bench board build`.

    ppo-ptx against sft: better on 4, equivalent on 6, worse on 1, undetermined on 5 of 16 tasks;
    pooled +2.1 points [0.3, 3.9] (95%), P(better) 0.98; alignment tax: undetermined on 3, none on 2
"""

from collections.abc import Sequence

from markupsafe import Markup

from bench.reporting.comparison.values import Change, Contrast, Pooled, Tax, Verdict
from bench.reporting.site import digits
from bench.reporting.site.names import name
from bench.reporting.site.remarks import remarks
from bench.reporting.site.strings import Language, strings_of

COUNTED: tuple[Verdict, ...] = ("better", "equivalent", "worse", "undetermined", "no number")
TAXES: tuple[Tax, ...] = ("tax", "undetermined", "no tax")


def change_sentence(change: Change, level: float, language: Language) -> Markup:
    """What became of the child, with the names marked as such; no full stop at the end."""
    t = strings_of(language)
    names = {"child": name(change.child), "parent": name(change.parent)}
    if not any(contrast.estimate is not None for contrast in change.contrasts):
        why = remarks(_reasons(change.contrasts), language)
        return t["sentence_nothing"].format(**names, why=why or t["nothing_shared"])
    parts = [
        t["sentence_counts"].format(
            **names,
            counts=_counts(change, t),
            tasks=len(change.contrasts),
            s="" if len(change.contrasts) == 1 else "s",
        ),
        *([_pooled(change.pooled, level, t)] if change.pooled else []),
        *_taxes(change.contrasts, t),
    ]
    return t["sentence_join"].join(parts)


def plain_sentence(change: Change) -> str:
    """The same in English without markup: for a terminal, and for JSON."""
    level = next((one.level for one in change.contrasts), 0.95)
    return str(change_sentence(change, level, "en").striptags())


def _counts(change: Change, t: dict[str, Markup]) -> Markup:
    """The verdicts that occur, each with the number of tasks."""
    found = [(verdict, change.count(verdict)) for verdict in COUNTED]
    return t["list_join"].join(
        t["count_" + verdict.replace(" ", "_")].format(n=n) for verdict, n in found if n
    )


def _pooled(pooled: Pooled, level: float, t: dict[str, Markup]) -> Markup:
    shown = digits.shown_pooled(pooled, level)
    return t["sentence_pooled"].format(
        value=shown.value,
        interval=shown.interval,
        level=digits.percent(level),
        p=digits.probability(pooled.p_better),
    )


def _taxes(contrasts: Sequence[Contrast], t: dict[str, Markup]) -> list[Markup]:
    """What became of the capabilities; nothing where none of the tasks is one."""
    found = [contrast.tax for contrast in contrasts]
    told = [
        t["tax_" + tax.replace(" ", "_") + "_on"].format(n=found.count(tax))
        for tax in TAXES
        if tax in found
    ]
    return [t["sentence_tax"].format(taxes=t["list_join"].join(told))] if told else []


def _reasons(contrasts: Sequence[Contrast]) -> list[str]:
    """Why there is no number, each reason once."""
    return list(dict.fromkeys(warning for one in contrasts for warning in one.warnings))
