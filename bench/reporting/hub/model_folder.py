"""What is pushed to the repository of a model: its card with the scores in it, and .eval_results.

Called by `bench board publish --to hf://ORG/MODEL`, between `fetch_card` and `plan_upload`.

    out/README.md                            the card, as its owner wrote it but for our scores
       /.eval_results/instruct-bench.yaml    where the tasks stand in a benchmark on the Hub
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.reporting.hub.card_score import CardScore
from bench.reporting.hub.eval_results import Benchmark, entries_of, write_eval_results
from bench.reporting.hub.model_index import into_card, model_index
from bench.reporting.hub.space import README
from bench.reporting.results.schema import Result
from bench.store import write_atomic


def write_model_folder(
    out: Path,
    card: str,
    results: Sequence[Result],
    scores: Sequence[CardScore],
    benchmarks: Mapping[str, Benchmark],
    base_model: str = "",
    source: str = "",
) -> Path:
    """Write the files for one model into `out`; `out`.

    `card` is the README.md that its repository has, "" for none. Tasks that `benchmarks` does not
    know are in the card only. `source` is the address of the board.

    Raises:
        UsageError: results of several models or of none, or `base_model` is no id on the Hub.
        RunError: the card cannot be read, or a file cannot be written.
        ValueError: a score belongs to none of the results.
    """
    merged = into_card(card, model_index(results, scores, base_model))
    entries = entries_of(results, scores, benchmarks, source)
    if entries:
        write_eval_results(out, entries)
    write_atomic(out / README, merged.encode())
    return out
