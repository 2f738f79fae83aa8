"""Forward: packed, padded and plain give the same numbers, whatever else is in the batch."""

from dataclasses import replace

import pytest
import torch

from bench.models.attention import use_fast_decode
from bench.training.networks.forward import predict, reply_logprobs, rewards, values
from bench.training.networks.layout import Document, lay_out
from bench.training.networks.probe import packing_reach
from tests.models import tiny
from tests.training.built import (
    SHAPES,
    all_numbers,
    assert_close,
    batch_of,
    documents,
    network_of,
    plain_numbers,
)

FAMILIES = ("llama", "gpt2", "qwen2", "gpt_neox", "gemma")
LONG = ((70, (20, 11)), (3, (90,)))


def probed(family: str):
    network = network_of(family)
    return replace(network, reach=packing_reach(network.model))


@pytest.mark.parametrize("family", tiny.PACKED + tiny.WINDOWED)
def test_packed_rows_give_what_one_forward_a_reply_gives(family):
    network, chosen = probed(family), documents()
    batch = batch_of(network, chosen)
    assert batch.places_RW is not None
    assert_close(all_numbers(network, batch), plain_numbers(network, chosen), 1e-4)


@pytest.mark.parametrize("family", tiny.CAUSAL)
def test_padded_rows_give_what_one_forward_a_reply_gives(family):
    network, chosen = network_of(family), documents()
    batch = batch_of(network, chosen)
    assert batch.places_RW is None
    assert_close(all_numbers(network, batch), plain_numbers(network, chosen), 1e-4)


@pytest.mark.parametrize("family", ["llama", "mistral_wide", "gemma2", "gpt_neo"])
def test_documents_longer_than_a_window_give_the_plain_numbers(family):
    network, chosen = probed(family), documents(SHAPES + LONG)
    assert_close(
        all_numbers(network, batch_of(network, chosen)), plain_numbers(network, chosen), 1e-4
    )


@pytest.mark.parametrize("reach", [0, 10**9])
@pytest.mark.parametrize("family", FAMILIES)
def test_other_documents_do_not_change_a_documents_numbers(family, reach):
    network = replace(network_of(family), reach=reach)
    one, others = documents(), documents(LONG + SHAPES, seed=9)
    alone = all_numbers(network, batch_of(network, one[:1]))
    beside = all_numbers(network, batch_of(network, [*others, *one]))
    count = sum(len(document.replies) for document in others)
    assert_close(beside[count : count + len(alone)], alone, 1e-5)


@pytest.mark.parametrize("reach", [0, 10**9])
def test_a_reward_model_sees_the_end_token_even_where_it_is_padding_too(reach):
    network = replace(network_of("llama"), reach=reach)
    network.model.config.pad_token_id = network.model.config.eos_token_id = 1
    (document, *_, long) = documents()
    ended = Document("", document.prompt, (document.replies[0], (*document.replies[0], 1)))
    without, with_end = rewards(network, batch_of(network, [ended, long]))[:2].tolist()
    plain = [float(reward) for *_, reward in plain_numbers(network, [ended])]
    assert [without, with_end] == pytest.approx(plain, abs=1e-4)
    assert abs(without - with_end) > 0.01


def test_log_probabilities_are_those_of_logits_divided_by_the_temperature():
    network, chosen = network_of("llama"), documents()[:1]
    batch = batch_of(network, chosen)
    with torch.no_grad():
        found = reply_logprobs(network, batch, temperature=0.5)
        network.model.get_output_embeddings().weight.mul_(2.0)
        expected = reply_logprobs(network, batch)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_entropy_is_that_of_the_whole_distribution(temperature):
    network, (document, *_) = network_of("llama"), documents()
    with torch.no_grad():
        made = predict(network, batch_of(network, [document]), temperature)
        ids = torch.tensor([[*document.prompt, *document.replies[0]]])
        logits = network.model(input_ids=ids).logits[0, len(document.prompt) - 1 : -1]
    expected = torch.distributions.Categorical(logits=logits / temperature).entropy()
    torch.testing.assert_close(made.entropy_BT[0], expected, rtol=0.0, atol=1e-4)


def test_predictions_are_the_log_probabilities():
    network = network_of("llama")
    batch = batch_of(network, documents())
    with torch.no_grad():
        assert torch.equal(predict(network, batch).logprobs_BT, reply_logprobs(network, batch))


def test_grids_are_0_where_there_is_no_token():
    network = network_of("llama")
    batch = batch_of(network, documents())
    with torch.no_grad():
        made = predict(network, batch)
        grids = (made.logprobs_BT, made.entropy_BT, values(network, batch))
    for grid in grids:
        assert not grid[~batch.mask_BT].any()
        assert grid.shape == batch.mask_BT.shape


@pytest.mark.parametrize("reach", [0, 10**9])
@pytest.mark.parametrize("family", FAMILIES)
def test_bf16_arithmetic_is_near_fp32(family, reach):
    network = replace(network_of(family), reach=reach)
    batch = batch_of(network, documents())
    with torch.no_grad():
        exact = reply_logprobs(network, batch), rewards(network, batch)
        network = replace(network, autocast=torch.bfloat16)
        rounded = reply_logprobs(network, batch), rewards(network, batch)
    for one, other in zip(exact, rounded, strict=True):
        assert other.dtype == torch.float32
        assert 0 < (one - other).abs().max() < 0.04 * one.abs().max()


BEGUN = tuple(range(40, 52))  # what several prompts begin with


def begun() -> list[Document]:
    """Documents of which some begin alike, are alike, or continue one another."""
    chosen = documents(SHAPES + LONG)
    shared = [
        Document("", BEGUN[:cut] + one.prompt, one.replies)
        for cut, one in zip((12, 12, 7, 12, 4, 0, 9), chosen, strict=True)
    ]
    return [*shared, Document("", BEGUN, ((5, 6),)), shared[1], *chosen[:1]]


@pytest.mark.parametrize("family", [*tiny.PACKED, "mistral_wide", "gemma2", "gpt_neo"])
def test_prompts_that_begin_alike_give_the_plain_numbers(family):
    network, chosen = probed(family), begun()
    assert_close(
        all_numbers(network, batch_of(network, chosen)), plain_numbers(network, chosen), 1e-4
    )


@pytest.mark.parametrize("family", tiny.PACKED)
def test_rows_in_pieces_give_the_plain_numbers_whatever_the_mask_says(family):
    network, chosen = network_of(family), begun()
    use_fast_decode(network.model)
    network = replace(network, reach=packing_reach(network.model))
    batch = lay_out(chosen, network.reach, network.width)
    assert batch.ids_RW.shape[0] == 1
    assert batch.ids_RW.shape[1] < sum(document.length for document in chosen)
    blind = replace(batch, mask=torch.zeros_like(batch.mask))
    assert_close(all_numbers(network, blind), plain_numbers(network, chosen), 1e-4)
