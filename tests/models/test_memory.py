"""Batches that do not fit are halved, said, and remembered; everything is answered once."""

import gc
import logging

import pytest
import torch

from bench.errors import ModelError
from bench.models import hf
from bench.models.batching import Budget, batches
from bench.models.memory import Allowance, within_memory
from bench.models.model import Encoded
from bench.types import Generation
from tests.models import tiny

ITEMS = [Encoded((3, 4, token), ((5,), (6, 7))) for token in range(10, 20)]
SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
]


def allowance(tokens: int) -> Allowance:
    return Allowance(Budget(tokens, positions=tokens, rows=100))


def fits(most: int, error: RuntimeError, tried: list[int] | None = None):
    """A model that runs out of memory when a batch holds more than `most` tokens; notes `tried`."""

    def run(items, budget):
        lengths = [len(item.prompt) + 2 for item in items]
        for batch in batches(lengths, [1] * len(items), budget):
            held = sum(lengths[number] for number in batch)
            if tried is not None:
                tried.append(held)
            if held > most:
                raise error
            for number in batch:
                yield number, items[number]

    return run


@pytest.mark.parametrize("error", SHORTAGES)
def test_everything_is_answered_once_with_batches_that_fit(error, caplog):
    found, tried = allowance(256), []
    with caplog.at_level(logging.WARNING):
        answered = list(within_memory(fits(30, error, tried), ITEMS, found))
    assert sorted(answered) == list(enumerate(ITEMS))
    assert tried == [50, 50, 25, 25]
    assert found.budget.tokens == 30
    assert "--batch-tokens 30" in caplog.text


def test_what_is_halved_is_what_was_tried_and_not_what_was_allowed():
    found, tried = Allowance(Budget(tokens=10**7, positions=10**6, rows=100)), []
    list(within_memory(fits(30, SHORTAGES[0], tried), ITEMS, found))
    assert tried[:3] == [50, 50, 25]
    assert found.budget == Budget(tokens=30, positions=7, rows=5)


def test_the_smaller_size_is_remembered(caplog):
    found = allowance(128)
    list(within_memory(fits(30, SHORTAGES[0]), ITEMS, found))
    caplog.clear()
    assert len(list(within_memory(fits(30, SHORTAGES[0]), ITEMS, found))) == len(ITEMS)
    assert not caplog.records


def test_batches_that_cannot_be_smaller_are_an_error_with_a_remedy():
    with pytest.raises(ModelError, match="out of memory with batches of 31") as caught:
        list(within_memory(fits(1, SHORTAGES[0]), ITEMS, allowance(31)))
    assert "--dtype bfloat16" in caught.value.remedy


def test_requests_without_an_answer_are_an_error_and_not_asked_for_ever():
    with pytest.raises(LookupError, match="3 requests were not answered"):
        list(within_memory(lambda items, _: enumerate(items[3:]), ITEMS, allowance(128)))


def test_another_error_is_not_taken_for_a_shortage():
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(within_memory(fits(1, RuntimeError("shapes differ")), ITEMS, allowance(128)))


def test_a_model_that_runs_out_of_memory_scores_as_if_it_had_not(checkpoint, monkeypatch):
    model = hf.HuggingFace(str(checkpoint("llama")), hf.ModelOptions("", "", "float32", "cpu"))
    model.load()
    whole, score = dict(model.answer(ITEMS)), hf.score_packed

    def short(network, items, budget, kept):
        if budget.tokens > 60:
            raise SHORTAGES[0]
        return score(network, items, budget, kept)

    monkeypatch.setattr(hf, "score_packed", short)
    for place, reply in model.answer(ITEMS):
        assert reply.logprobs == pytest.approx(whole[place].logprobs, abs=1e-5)
    assert model._allowance.budget.tokens == 60


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_an_answer_leaves_no_tensors_behind(opened, family):
    """What lies in a circle is held until the collector looks: the caches of several tasks."""
    model = opened(family)
    items = [Encoded(tuple(range(3, 30 + at)), ((5,), (6, 7))) for at in range(3)]
    items += [Encoded(item.prompt, generation=Generation(6)) for item in items]
    list(model.answer(items))  # probes, and the prefix that is kept
    gc.collect()
    gc.disable()
    try:
        before = tensors()
        list(model.answer(items))
        assert tensors() == before
    finally:
        gc.enable()


def tensors() -> int:
    return sum(isinstance(one, torch.Tensor) for one in gc.get_objects())
