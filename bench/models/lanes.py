"""Batches side by side: on a CPU two lanes, each with half of the cores, take batch after batch.

Within one batch the cores wait for each other after every operation, several thousand times; lanes
wait for nobody. How work is parted follows from the device alone, so that the last bits of an
answer do not depend on how many cores there are.

    for scores in side_by_side(score, batches, model.device): ...
    for made in merged([write(part) for part in parted(groups, cost, model.device)], enough): ...
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

import torch

from bench.models.batching import Budget

LANES = {"cpu": 2}  # elsewhere one batch fills the device
Batch = TypeVar("Batch")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


def lane_count(device: torch.device) -> int:
    """Batches that `device` runs at once."""
    return LANES.get(device.type, 1)


def part_of(budget: Budget, device: torch.device) -> Budget:
    """What one lane's batch may hold, so that all lanes together hold `budget`."""
    lanes = lane_count(device)
    return Budget(
        *(max(1, most // lanes) for most in (budget.tokens, budget.positions, budget.rows))
    )


def side_by_side(
    run: Callable[[Batch], Answer], batches: Sequence[Batch], device: torch.device
) -> Iterator[Answer]:
    """`run(batch)` for each of `batches`, in their order; what one raises is raised at its turn."""
    lanes = min(lane_count(device), len(batches))
    if lanes < 2 or torch.get_num_threads() < lanes:
        yield from map(run, batches)
        return
    with _pool(lanes) as pool:
        yield from pool.map(run, batches)


def parted(
    groups: Sequence[Sequence[Item]], cost: Callable[[Item], int], device: torch.device
) -> list[list[Item]]:
    """The items of `groups`, none of which is divided, in a list for each lane, about equally
    costly: the costliest group first, each to the lane that has the least."""
    lanes: list[list[Item]] = [[] for _ in range(max(1, min(lane_count(device), len(groups))))]
    loads = [0] * len(lanes)
    costs = [sum(map(cost, group)) for group in groups]
    for number in sorted(range(len(groups)), key=lambda number: -costs[number]):
        lane = loads.index(min(loads))
        lanes[lane].extend(groups[number])
        loads[lane] += costs[number]
    return lanes


def merged(streams: Sequence[Iterator[Answer]], enough: Event) -> Iterator[Answer]:
    """What `streams` give, each in a lane of its own, as it comes; what one raises is raised.

    `enough` is set when nobody takes more (an error, ^C); the streams then end as soon as they can.
    """
    lanes = len(streams)
    if lanes < 2 or torch.get_num_threads() < lanes:
        for stream in streams:
            yield from stream
        return
    given: SimpleQueue[tuple[Answer] | Exception | None] = SimpleQueue()

    def drain(stream: Iterator[Answer]) -> None:
        try:
            for answer in stream:
                given.put((answer,))
            given.put(None)
        except Exception as error:  # raised again where the answers are taken
            given.put(error)

    with _pool(lanes) as pool:
        try:
            for stream in streams:
                pool.submit(drain, stream)
            while lanes:
                told = given.get()
                if isinstance(told, Exception):
                    raise told
                if told is None:
                    lanes -= 1
                else:
                    yield told[0]
        finally:
            enough.set()


@contextmanager
def _pool(lanes: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that share those of torch; work that waits when the block ends is not begun."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (threads // lanes,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a lane's number is that of new threads, too
