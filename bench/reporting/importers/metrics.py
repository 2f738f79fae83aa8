"""Metrics of other tools: their bounds, and which are better when lower, where no file says so.

Called by `lm_eval`, `inspect_log` and `helm`. A score without known bounds is taken as a share
where all its values lie in [0, 1]; otherwise a Result cannot hold it, as an interval that may not
leave the bounds needs to know them.

>>> metric_of("quality", [0.0, 7.0]) is None
True
"""

from collections.abc import Sequence

from bench.reporting.results.schema import Metric

# Bounded by 0 and 1 by their definition: a value outside is a mistake in the file.
SHARES = frozenset(
    {
        "acc", "acc_norm", "acc_mutual_info", "accuracy", "exact_match", "em", "f1",
        "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match", "f1_score",
        "rouge_1", "rouge_2", "rouge_l", "bleu_1", "bleu_4", "match", "includes", "choice",
        "pattern", "answer", "exact", "final_number_exact_match", "ifeval_strict_accuracy",
        "chain_of_thought_correctness", "math_equiv", "math_equiv_chain_of_thought",
        "toxic_frac", "expected_max_toxicity",
    }
)  # fmt: skip
LOWER_IS_BETTER = frozenset({"toxic_frac", "expected_max_toxicity"})


def metric_of(
    name: str, values: Sequence[float], lower_is_better: bool | None = None, chance: float = 0.0
) -> Metric | None:
    """The Metric `name` with scores `values`, None where its bounds are not known.

    Whether lower is better is taken from the table unless the source says so.
    """
    if name not in SHARES and not all(0 <= value <= 1 for value in values):
        return None
    lower = name in LOWER_IS_BETTER if lower_is_better is None else lower_is_better
    return Metric(name, lower_is_better=lower, chance=chance)


def bounds_notes(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """A note for each metric whose bounds were concluded from its values."""
    return tuple(
        f"the bounds of {metric.name} are taken as 0 and 1: no file says them, and its values lie "
        "there"
        for metric in metrics
        if metric.name not in SHARES
    )
