"""Batches that do not fit are halved, said, and remembered; everything is answered once."""

import logging

import pytest
import torch

from bench.errors import ModelError
from bench.models import hf
from bench.models.batching import Budget
from bench.models.memory import Allowance, within_memory
from bench.models.model import Encoded

ITEMS = [Encoded((3, 4, token), ((5,), (6, 7))) for token in range(10, 20)]
SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
]


def allowance(tokens: int) -> Allowance:
    return Allowance(Budget(tokens, positions=tokens, rows=100))


def fits(most: int, error: RuntimeError):
    """A model whose batches may have `most` tokens: the second of each call runs out of memory."""

    def run(items, budget):
        for number, item in enumerate(items):
            if number and budget.tokens > most:
                raise error
            yield number, item

    return run


@pytest.mark.parametrize("error", SHORTAGES)
def test_everything_is_answered_once_with_batches_that_fit(error, caplog):
    found = allowance(256)
    with caplog.at_level(logging.WARNING):
        answered = list(within_memory(fits(70, error), ITEMS, found))
    assert sorted(answered) == list(enumerate(ITEMS))
    assert found.budget == Budget(tokens=64, positions=64, rows=100)
    assert [record.args[1] for record in caplog.records] == [128, 64]
    assert "--batch-tokens 64" in caplog.text


def test_the_smaller_size_is_remembered(caplog):
    found = allowance(128)
    list(within_memory(fits(70, SHORTAGES[0]), ITEMS, found))
    caplog.clear()
    assert len(list(within_memory(fits(70, SHORTAGES[0]), ITEMS, found))) == len(ITEMS)
    assert not caplog.records


def test_batches_that_cannot_be_smaller_are_an_error_with_a_remedy():
    with pytest.raises(ModelError, match="out of memory with batches of 31") as caught:
        list(within_memory(fits(1, SHORTAGES[0]), ITEMS, allowance(31)))
    assert "--dtype bfloat16" in caught.value.remedy


def test_another_error_is_not_taken_for_a_shortage():
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(within_memory(fits(1, RuntimeError("shapes differ")), ITEMS, allowance(128)))


def test_a_model_that_runs_out_of_memory_scores_as_if_it_had_not(checkpoint, monkeypatch):
    model = hf.HuggingFace(str(checkpoint("llama")), hf.ModelOptions("", "", "float32", "cpu"))
    model.load()
    whole, score = dict(model.answer(ITEMS)), hf.score_packed

    def short(network, items, budget, kept):
        if budget.tokens > 600:
            raise SHORTAGES[0]
        return score(network, items, budget, kept)

    monkeypatch.setattr(hf, "score_packed", short)
    for place, reply in model.answer(ITEMS):
        assert reply.logprobs == pytest.approx(whole[place].logprobs, abs=1e-5)
    assert model._allowance.budget.tokens == 512
