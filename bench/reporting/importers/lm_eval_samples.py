"""The lines of lm-eval's samples_*.jsonl as Rows.

Called by `bench.reporting.importers.lm_eval`. A metric that lm-eval works out over all documents
has no number in a line (`"mcc": [1, 0]`): it is no score of an item.
"""

import math
from collections.abc import Sequence

from bench.reporting.importers.document import Document
from bench.reporting.importers.rows import Row, named_once, text_measures

INVALID = "[invalid]"  # what lm-eval's filters leave where they find no answer
READ_SAMPLES = frozenset(
    {"filter", "metrics", "doc_hash", "target_hash", "prompt_hash", "filtered_resps"}
)


def metrics_of(samples: Sequence[Document]) -> tuple[list[str], list[str]]:
    """The metrics that the lines have numbers of, and those over all documents, as they name them.

    Raises:
        RunError: a line has no finite number of a metric that is no list in all of them.
    """
    names = list(dict.fromkeys(name for sample in samples for name in sample.texts("metrics")))
    over_all = [
        name for name in names if all(isinstance(one.content.get(name), list) for one in samples)
    ]
    single = [name for name in names if name not in over_all]
    for sample in samples:
        for name in single:
            sample.number(name)
    return single, over_all


def rows_of(samples: Sequence[Document], metrics: Sequence[str], generated: bool) -> list[Row]:
    """A Row for each line; `generated` says that the replies are texts."""
    hashes = [sample.text("doc_hash") for sample in samples]
    return [
        Row(
            id=name,
            digest=f"{document[:16]}{sample.text('target_hash', '')[:16]}",
            cluster=document[:16],
            scores={metric: sample.number(metric) for metric in metrics},
            measures=_written(sample) if generated else _chosen(sample, metrics),
        )
        for sample, document, name in zip(
            samples, hashes, named_once([found[:16] for found in hashes]), strict=True
        )
    ]


def choices_of(samples: Sequence[Document]) -> list[int]:
    """How many choices each line scored; [] where one of them did not choose."""
    counts = [len(_log_likelihoods(sample)) for sample in samples]
    return counts if all(count > 1 for count in counts) else []


def _written(sample: Document) -> dict[str, float | None]:
    """Measures of a text: whether a filter found the answer, and of the reply as it was written."""
    filtered, replies = sample.content.get("filtered_resps"), sample.content.get("resps")
    found: dict[str, float | None] = {}
    if isinstance(filtered, list) and filtered:
        found["parsed"] = float(filtered[0] not in (INVALID, "", None))
    first = replies[0] if isinstance(replies, list) and replies else None
    text = first[0] if isinstance(first, list) and first else first
    return found | text_measures(text) if isinstance(text, str) else found


def _chosen(sample: Document, metrics: Sequence[str]) -> dict[str, float | None]:
    """How sure the model was of the choice it made, and whether that was right."""
    values = _log_likelihoods(sample)
    best = max(values, default=-math.inf)
    if len(values) < 2 or "acc" not in metrics or not math.isfinite(best):
        return {}
    return {
        "probability": 1 / sum(math.exp(value - best) for value in values),
        "correct": sample.number("acc"),
    }


def _log_likelihoods(sample: Document) -> list[float]:
    """Of each choice: lm-eval writes ["-23.5", "False"], numbers as texts; [] where one is none."""
    found = sample.content.get("filtered_resps")
    pairs = found if isinstance(found, list) else []
    try:
        values = [
            float(str(pair[0])) for pair in pairs if isinstance(pair, list) and len(pair) == 2
        ]
    except ValueError:
        return []
    return [] if any(map(math.isnan, values)) else values
