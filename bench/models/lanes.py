"""Batches side by side: on a CPU two lanes, each with half of the cores, take batch after batch.

Within one batch the cores wait for each other after every operation, several thousand times; lanes
wait for nobody. How work is parted follows from the device alone, so that the last bits of an
answer do not depend on how many cores there are.

    for scores in side_by_side(score, batches, model.device): ...
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import torch

from bench.models.batching import Budget

LANES = {"cpu": 2}  # elsewhere one batch fills the device
Batch = TypeVar("Batch")
Answer = TypeVar("Answer")


def lane_count(device: torch.device) -> int:
    """Batches that `device` runs at once."""
    return LANES.get(device.type, 1)


def share(budget: Budget, device: torch.device) -> Budget:
    """What one lane's batch may hold, so that all lanes together hold `budget`."""
    lanes = lane_count(device)
    return replace(
        budget, tokens=max(1, budget.tokens // lanes), positions=max(1, budget.positions // lanes)
    )


def side_by_side(
    run: Callable[[Batch], Answer], batches: Sequence[Batch], device: torch.device
) -> Iterator[Answer]:
    """`run(batch)` for each of `batches`, in their order; what one raises is raised at its turn."""
    threads, lanes = torch.get_num_threads(), min(lane_count(device), len(batches))
    if lanes < 2 or threads < 2:
        yield from map(run, batches)
        return
    pool = ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (threads // lanes,))
    try:
        yield from pool.map(run, batches)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a lane's number is that of new threads, too
