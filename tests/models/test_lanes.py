"""Batches side by side: in order, each lane by itself, and the same answers as one by one."""

import threading
from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.models.batching import Budget
from bench.models.lanes import lane_count, merged, part_of, parted, side_by_side
from bench.models.model import Encoded
from bench.models.prefix import score_packed
from bench.models.projection import project_only
from bench.models.rows import score_rows
from tests.models import tiny

CPU = torch.device("cpu")
NARROW = Budget(tokens=64, positions=64, rows=8)
ITEMS = [
    Encoded(tuple(range(3 + number, 20 + 2 * number)), ((number + 1, number + 2), (number + 5,)))
    for number in range(12)
]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_answers_come_in_order_from_batches_that_run_at_once(two_threads):
    together = threading.Barrier(2, timeout=20)  # breaks unless two batches are under way

    def run(batch: int) -> int:
        together.wait()
        return batch * batch

    assert list(side_by_side(run, range(4), CPU)) == [0, 1, 4, 9]


def test_a_lane_has_its_share_of_the_threads_and_gives_it_back(two_threads):
    assert list(side_by_side(lambda _: torch.get_num_threads(), [0, 1], CPU)) == [1, 1]
    assert torch.get_num_threads() == 2
    assert _threads_of_a_new_thread() == 2


def test_an_error_is_raised_at_its_turn_and_what_waits_is_not_begun(two_threads):
    begun = []

    def run(batch: int) -> int:
        begun.append(batch)
        if batch == 1:
            raise RuntimeError("out of memory")
        return batch

    found = side_by_side(run, range(100), CPU)
    assert next(found) == 0
    with pytest.raises(RuntimeError, match="out of memory"):
        next(found)
    found.close()
    settled = len(begun)
    assert _threads_of_a_new_thread() == 2
    assert len(begun) == settled


def test_streams_run_at_once_and_all_they_give_comes(two_threads):
    together = threading.Barrier(2, timeout=20)

    def stream(numbers):
        for number in numbers:
            together.wait()
            yield number

    assert sorted(merged([stream(range(3)), stream(range(10, 13))], threading.Event())) == [
        0,
        1,
        2,
        10,
        11,
        12,
    ]


def test_an_error_of_one_stream_ends_the_others(two_threads):
    enough = threading.Event()

    def endless():
        yield 1
        enough.wait(20)

    def broken():
        yield 1
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        list(merged([endless(), broken()], enough))
    assert enough.is_set()


@given(
    groups=st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=4), min_size=1, max_size=20)
)
def test_lanes_get_whole_groups_of_about_the_same_cost(groups):
    lanes = parted(groups, int, CPU)
    assert sorted(item for lane in lanes for item in lane) == sorted(chain(*groups))
    loads = [sum(lane) for lane in lanes]
    assert max(loads) - min(loads) <= max(map(sum, groups))
    assert len(lanes) == min(2, len(groups))


def test_one_thread_runs_one_batch_after_the_other():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ran_in = list(side_by_side(lambda _: threading.current_thread(), [0, 1], CPU))
    finally:
        torch.set_num_threads(before)
    assert set(ran_in) == {threading.current_thread()}


def test_lanes_together_hold_what_a_batch_may():
    assert lane_count(CPU) == 2
    assert part_of(Budget(100, 10, 4), CPU) == Budget(50, 5, 2)
    assert part_of(Budget(100, 10, 3), torch.device("cuda")) == Budget(100, 10, 3)


@pytest.mark.parametrize("score", [score_packed, score_rows])
def test_scores_are_the_same_bit_for_bit_however_many_lanes_run(score, two_threads, monkeypatch):
    model = tiny.build("llama")
    beside = sorted(score(model, ITEMS, NARROW))
    monkeypatch.setattr("bench.models.lanes.ThreadPoolExecutor", None)  # one thread needs none
    torch.set_num_threads(1)
    assert sorted(score(model, ITEMS, NARROW)) == beside


def test_each_thread_projects_what_it_wants():
    model = tiny.build("llama")
    ids = torch.arange(3, 13).unsqueeze(0)
    whole = model(input_ids=ids).logits[0]
    inside, done = threading.Barrier(2, timeout=20), {}

    def run(position: int) -> None:
        with torch.inference_mode(), project_only(model, torch.tensor([position])):
            inside.wait()
            done[position] = model(input_ids=ids).logits[0, 0]

    threads = [threading.Thread(target=run, args=(position,)) for position in (2, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for position in (2, 7):
        torch.testing.assert_close(done[position], whole[position])
    torch.testing.assert_close(model(input_ids=ids).logits[0], whole)


def _threads_of_a_new_thread() -> int:
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]
