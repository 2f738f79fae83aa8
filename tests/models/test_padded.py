"""Whether padding leaves rows as they are alone, and what a probe does when memory runs out."""

import pytest
import torch

from bench.models.batching import Budget
from bench.models.draft import drafts_of
from bench.models.fixed import in_fixed_batches
from bench.models.model import Encoded
from bench.models.padded import _KNOWN, pads_left, pads_right
from bench.models.prefix import packs
from bench.models.refillable import _probe
from bench.types import Generation
from tests.models import tiny

MANY = Budget(tokens=1000, positions=1000, rows=100)


CANNOT = ("recurrent_gemma", "mamba", "minimax")  # reads padding on the left; take no such cache


@pytest.mark.parametrize("family", tiny.CAUSAL)
def test_padding_on_the_left_is_hidden_from_all_but_what_reads_it(family):
    assert pads_left(tiny.build(family), 60) == (family not in CANNOT)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_padding_on_the_right_is_hidden_from_all(family):
    assert pads_right(tiny.build(family), 60)


@pytest.fixture
def leaking():
    """A model whose first layer adds the mean of all states, padding too, and how to ask it."""
    model = tiny.build("mamba")
    handle = model.get_input_embeddings().register_forward_hook(
        lambda _, __, states: states + states.mean(1, keepdim=True)
    )
    _KNOWN.pop(model, None)
    yield model
    handle.remove()
    _KNOWN.pop(model, None)


def test_rows_that_padding_would_change_are_asked_alone(leaking, monkeypatch):
    assert not pads_right(leaking, 60)
    asked, drafts = [], drafts_of([Encoded((5, 6, 7), generation=Generation(20))])

    def note(lengths, positions, budget):
        asked.append(budget.rows)
        return []

    monkeypatch.setattr("bench.models.fixed.batches", note)
    assert list(in_fixed_batches(leaking, drafts, MANY, None)) == []
    assert asked == [1]


@pytest.fixture(params=[("llama", pads_left), ("llama", pads_right), ("t5", pads_right)])
def crowded(request):
    """A model whose output sees the mean of all states, padding too, of rows of over 100 tokens."""
    family, pads = request.param
    model = tiny.build(family)

    def mix(_, __, states):
        return states + states.mean(1, keepdim=True) if states.shape[1] > 100 else states

    reader = model.get_encoder() if family == "t5" else model
    handle = reader.get_input_embeddings().register_forward_hook(mix)
    _KNOWN.pop(model, None)
    yield lambda width: pads(model, width)
    handle.remove()
    _KNOWN.pop(model, None)


def test_a_probe_is_as_wide_as_what_is_asked(crowded):
    assert [crowded(width) for width in (60, 150, 60, 100, 140)] == [True, False, True, True, False]
    assert not crowded(200)


@pytest.mark.parametrize("probe", [packs, _probe, lambda model: pads_right(model, 60)])
def test_memory_that_runs_out_in_a_probe_is_no_answer(probe, monkeypatch):
    model = tiny.build("llama")
    _KNOWN.pop(model, None)

    def short(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "forward", short)
    with pytest.raises(torch.OutOfMemoryError):
        probe(model)
    _KNOWN.pop(model, None)
