"""How a verdict looks: a sign, a word and a class, so that colour never says it alone.

Called by the charts that show verdicts.

>>> said("worse")
'▼ worse'
"""

from collections.abc import Mapping

from bench.reporting.comparison.values import Change, Verdict
from bench.reporting.site.charts.say import counted, say
from bench.reporting.site.charts.words import brief

SIGNS: Mapping[Verdict, str] = {
    "better": "\u25b2",
    "equivalent": "=",
    "worse": "\u25bc",
    "undetermined": "?",
    "no number": "\u2013",
}


def said(verdict: Verdict) -> str:
    """Sign and word."""
    return f"{SIGNS[verdict]} {say(verdict)}"


def verdict_class(verdict: Verdict) -> str:
    """The class that colours a verdict: `verdict-no-number`."""
    return f"verdict-{verdict.replace(' ', '-')}"


def pair(change: Change) -> str:
    """`ppo-6b against sft-6b`."""
    return say("{child} against {parent}", child=brief(change.child), parent=brief(change.parent))


def tally(change: Change) -> str:
    """`better on 4, equivalent on 6, worse on 1, undetermined on 5 of 16 tasks`."""
    counts = [
        say("{verdict} on {n}", verdict=say(verdict), n=change.count(verdict))
        for verdict in SIGNS
        if change.count(verdict)
    ]
    tasks = counted(len(change.contrasts), "task")
    return say("{counts} of {tasks}", counts=say(", ").join(counts), tasks=tasks)
