"""Prompts that are read in one pass: each is predicted, and lies, as if it had been read alone."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache

from bench.models.attention import use_fast_decode
from bench.models.prefix import run_prefix
from bench.models.ragged import states_of
from bench.models.reading import Prefix, read_packed, read_padded
from tests.models import tiny

IDS = st.lists(st.integers(3, 6), min_size=1, max_size=9).map(tuple)  # few, so that much is shared


@pytest.fixture(scope="module")
def model():
    made = deepcopy(tiny.build("llama"))
    use_fast_decode(made)
    return made


def alone(model, prompt):
    """Logits after `prompt`, and keys and values of all its tokens."""
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        reply = model(input_ids=torch.tensor([prompt]), past_key_values=cache, use_cache=True)
    return reply.logits[0, -1], states_of(cache)


@settings(max_examples=40, deadline=None)
@given(
    prompts=st.lists(IDS, min_size=1, max_size=5, unique=True),
    begin=st.one_of(st.just(()), IDS),
    front=st.booleans(),
    packed=st.booleans(),
)
def test_prompts_are_read_as_if_alone(model, prompts, begin, front, packed):
    prefix = Prefix(len(begin), run_prefix(model, begin), front) if begin else Prefix()
    read = read_packed if packed else read_padded
    whole = [begin + prompt for prompt in prompts]
    logits, lying = read(model, whole, prefix)
    for prompt, found, place in zip(whole, logits, lying, strict=True):
        expected, states = alone(model, prompt)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        for own, kept in zip(states, states_of(place.cache), strict=True):
            for part, all_tokens in zip(own, kept, strict=True):
                lies = all_tokens[place.row][:, place.columns]
                torch.testing.assert_close(lies, part[0, :, prefix.apart :], atol=1e-4, rtol=1e-4)


def test_what_prompts_share_is_read_once_and_nothing_is_padded(model):
    read = []
    handle = model.get_input_embeddings().register_forward_hook(
        lambda _, args, out: read.append(args[0].numel())
    )
    try:
        read_packed(model, [(3, 4, 5), (3, 4, 6, 7), (8,)], Prefix())
        read_padded(model, [(3, 4, 5), (3, 4, 6, 7), (8,)], Prefix())
    finally:
        handle.remove()
    assert read == [6, 12]
