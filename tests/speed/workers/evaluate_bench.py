"""`bench` answers the requests of a workload, each time with a fresh ledger.

    python -m tests.speed.workers.evaluate_bench WORKLOAD FOLDER MIRROR ROWS MODEL DTYPE DEVICE

It is asked `{"rows": [0, 4, 8]}` and answers with a list of log-likelihoods or a text for each, and
how many tokens were written for all of them.
"""

from tests.speed.workers.answer import Line, forget_device_peak, peak_of

line = Line()

import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.api import open_model  # noqa: E402
from bench.evaluation.ask import Silent, ask_all  # noqa: E402
from bench.evaluation.plan import Plan  # noqa: E402
from bench.models.install import load_for_good  # noqa: E402
from bench.models.model import Model  # noqa: E402
from bench.models.options import ModelOptions  # noqa: E402
from bench.store import LEDGER, Ledger  # noqa: E402
from bench.types import Reply  # noqa: E402
from tests.speed.common.workloads import part_of, place_in, plans_of, workload_of  # noqa: E402


def main(
    name: str, folder: str, mirror: str, rows: str, checkpoint: str, dtype: str, device: str
) -> None:
    load_for_good()  # as `bench eval` does
    model = open_model(checkpoint, ModelOptions(dtype=dtype, device=device))
    plans = plans_of(workload_of(name), place_in(Path(folder), mirror), int(rows), model)
    model.load()
    line.ready()
    for asked in line.asks(forget_peak=True):
        forget_device_peak(device)
        replies = answer(model, part_of(plans, asked["rows"]))
        line.answer(
            results=[list(reply.logprobs) or reply.text for reply in replies],
            written=sum(reply.tokens_out for reply in replies),
            **peak_of(device),
        )


def answer(model: Model, plans: Sequence[Plan]) -> list[Reply]:
    """What `bench eval` does with plans before it scores the replies."""
    with tempfile.TemporaryDirectory() as made:
        ledger = Ledger(Path(made) / LEDGER)
        try:
            asked = [ask_all(model, plan, ledger, Silent())[0] for plan in plans]
        finally:
            ledger.close()
    replies = [reply for plan in asked for answers in plan for reply in answers]
    wrong = [reply.error for reply in replies if reply.error]
    if wrong:
        raise RuntimeError(f"{len(wrong)} requests failed: {wrong[0]}")
    return replies


main(*sys.argv[1:])
