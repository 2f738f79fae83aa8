"""A run in which no row has a score is no result: the command line fails, the files stay.

Called by `bench eval` and `bench rescore` once all runs are written and shown.

    runs/m-1f0c: all 200 rows failed, 188 of them with: scoring: KeyError('answer')
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.errors import RunError
from bench.types import Record


def raise_if_all_failed(folder: Path, records: Sequence[Record]) -> None:
    """Fail where each of the `records` of the run in `folder` has failed.

    Raises:
        RunError: the most frequent reason, how often it was given, and where all of them stand.
    """
    if not records or any(record.status == "scored" for record in records):
        return
    ((reason, times),) = Counter(record.reason for record in records).most_common(1)
    share = "each" if times == len(records) else f"{times} of them"
    told = (
        f"all {len(records)} rows failed, {share}" if len(records) > 1 else "the only row failed,"
    )
    raise RunError(
        f"{folder}: {told} with: {reason}",
        f"see the reason of every row in {folder / 'records.jsonl'}, mend the task or the model, "
        "then run the same command again",
    )
