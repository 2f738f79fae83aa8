"""What a comparison says, as values: a Contrast for each task, a Change for each pair of rows.

Filled by `contrast` and `change`, read by everything that shows a comparison.

    Contrast(task="topic", estimate=-0.2, lo=-0.354, hi=-0.031, verdict="worse", tax="tax", ...)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.reporting.comparison.lineage import Edge
from bench.reporting.results.schema import Metric

Verdict = Literal["better", "equivalent", "worse", "undetermined", "no number"]
Tax = Literal["tax", "no tax", "undetermined"]
VERDICTS: tuple[Verdict, ...] = ("better", "equivalent", "worse", "undetermined", "no number")


@dataclass(frozen=True, slots=True)
class Shift:
    """How one measure of the replies (length, refusals, parse failures ...) changed."""

    measure: str
    child: float
    parent: float
    estimate: float
    lo: float | None
    hi: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a difference that some of the items carry; parts add up to the whole."""

    name: str
    estimate: float
    lo: float | None
    hi: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """child - parent of one metric of one task on the items that both were scored on.

    Numbers are in the metric's own unit, not turned round where lower is better; `p_better`,
    `verdict` and `tax` know which side is good. `rope_*` are the probabilities that the true
    difference is worse than -rope, within, better than rope. `p_adjusted` is Holm's over the
    tasks of the comparison. `mde` is the smallest difference that so many items would find with a
    power of 0.8; within a comparison, at Holm's first step, the level / the number of its tasks.
    `p_noninferior` is one-sided, of "worse by the margin or more", None where no tax is asked for.
    `equal_length` is the part of the difference that is left where both replies are equally long;
    `explained` names what carries the difference: "length", "parsed", "refused", "cut_off".
    `variant` is "" where several wordings are pooled; they are in `variants` then, and `fragile`
    says why the answer hangs on the wording ("" where it does not). Everything is None where there
    is no number, and `warnings` says why.
    """

    task: str
    variant: str
    kind: str
    language: str
    metric: Metric
    child_mean: float | None
    parent_mean: float | None
    estimate: float | None
    se: float | None
    lo: float | None
    hi: float | None
    level: float
    method: str
    p_better: float | None
    rope_worse: float | None
    rope_same: float | None
    rope_better: float | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict
    tax: Tax | None
    p_noninferior: float | None
    mde: float | None
    n_items: int
    n_clusters: int
    n_missing: int
    variants: tuple["Contrast", ...] = ()
    fragile: str = ""
    shifts: tuple[Shift, ...] = ()
    shares: tuple[Share, ...] = ()
    equal_length: Share | None = None
    explained: tuple[str, ...] = ()
    aggregates: Mapping[str, tuple[float, float]] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pooled:
    """All tasks of a Change in one number, chance-normalised, more is better.

    `estimate`, `lo`, `hi` are the random-effects mean; `macro_*` the plain mean over these very
    tasks. `tau` is how much tasks differ and `i2` the share of that in what is seen, None where the
    method does not give it. `shrunken` holds each task's difference as the model sees it.
    """

    estimate: float
    se: float
    lo: float
    hi: float
    method: str
    p_better: float
    tau: float | None
    i2: float | None
    macro: float
    macro_lo: float
    macro_hi: float
    n_tasks: int
    shrunken: Mapping[str, float]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one row against another: a Contrast of the headline of each task of the child,
    `others` those of its further metrics; `pooled` is None where no task has a number."""

    edge: Edge
    child: str
    parent: str
    contrasts: tuple[Contrast, ...]
    others: tuple[Contrast, ...]
    pooled: Pooled | None

    def count(self, verdict: Verdict) -> int:
        """How many tasks ended in `verdict`."""
        return sum(contrast.verdict == verdict for contrast in self.contrasts)
