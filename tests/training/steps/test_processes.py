"""Processes: one alone does everything; two share work, add tensors and gather in order."""

import multiprocessing
import os
import socket
from queue import Queue

import pytest
import torch
from accelerate import PartialState

from bench.training.steps.processes import Processes

CPU = torch.device("cpu")
WORK = list(range(7))


def test_a_process_alone_has_all_the_work_and_writes():
    alone = Processes(CPU)
    assert alone.main
    assert alone.share(WORK) == WORK
    assert alone.gather(WORK) == WORK
    assert alone.device == CPU


def test_a_process_alone_adds_nothing():
    tensors = [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])]
    Processes(CPU).add(tensors)
    assert [tensor.tolist() for tensor in tensors] == [[1.0, 2.0], [[3.0]]]


def run(rank: int, port: int, found: "Queue") -> None:
    """What one of two processes sees."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ["ACCELERATE_USE_CPU"] = "true"
    PartialState._reset_state()
    pair = Processes(CPU)
    share = pair.share(WORK)
    tensors = [torch.full((2,), float(rank + 1)), torch.full((1, 1), 10.0 * rank)]
    pair.add(tensors)
    sums = [tensor.tolist() for tensor in tensors]
    gathered = pair.gather([f"{item}" for item in share]), pair.gather(WORK[:rank])
    pair.wait()
    found.put((rank, pair.main, share, sums, gathered))


@pytest.fixture(scope="module")
def seen():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # a fresh interpreter would import torch again
    found = context.Queue()
    pair = [context.Process(target=run, args=(rank, port, found)) for rank in range(2)]
    for process in pair:
        process.start()
    results = sorted(found.get(timeout=60) for _ in pair)
    for process in pair:
        process.join()
    return results


def test_two_processes_share_the_work(seen):
    assert [share for _, _, share, _, _ in seen] == [[0, 2, 4, 6], [1, 3, 5]]


def test_only_the_first_of_two_processes_writes(seen):
    assert [main for _, main, *_ in seen] == [True, False]


def test_both_processes_hold_the_sums(seen):
    assert [sums for _, _, _, sums, _ in seen] == [[[3.0, 3.0], [[10.0]]]] * 2


def test_both_processes_gather_in_the_order_of_the_work_uneven_or_not(seen):
    expected = ([str(item) for item in WORK], [0])
    assert [gathered for *_, gathered in seen] == [expected] * 2
