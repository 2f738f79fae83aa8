"""Sampling: a reply depends on network, prompt and seed, never on its neighbours."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from bench.training.data.writer import Writer
from bench.training.networks.network import without_adapter
from bench.training.objectives.sampling import Sampled
from bench.training.objectives.sampling import sample as sample_within
from bench.types import Generation
from tests.models import tiny
from tests.training.built import adapted, documents, network_of

PROMPTS = [document.prompt for document in documents()]
SEEDS = list(range(len(PROMPTS)))
FREE = Generation(12, temperature=1.0)
GREEDY = Generation(8)


def sample(network, writer, prompts, seeds, how) -> list[Sampled]:
    """Replies drawn with room for all of them."""
    return sample_within(network, writer, prompts, seeds, how, micro_tokens=4096)


def endings(asked, network) -> tuple[Writer, list[Sampled]]:
    """A writer whose end token the network likes to write, and 40 replies to one prompt."""
    writer = Writer(asked("llama"), "auto", "")
    wild, asked_for = Generation(12, temperature=5.0), (PROMPTS[:1] * 40, list(range(40)))
    counts = Counter(
        token for reply in sample(network, writer, *asked_for, wild) for token in reply.ids
    )
    writer.end = counts.most_common(1)[0][0]
    return writer, sample(network, writer, *asked_for, wild)


@pytest.fixture
def writer(asked):
    return Writer(asked("llama"), "auto", "")


@pytest.fixture(params=["llama", "mistral", "bloom"])
def network(request):
    made = network_of(request.param)
    return replace(made, reach=10**9) if request.param == "llama" else made


def test_a_reply_does_not_depend_on_its_neighbours(network, writer):
    together = sample(network, writer, PROMPTS, SEEDS, FREE)
    for prompt, seed, reply in zip(PROMPTS, SEEDS, together, strict=True):
        assert sample(network, writer, [prompt], [seed], FREE) == [reply]


def test_the_same_seed_gives_the_same_reply_and_another_seed_another(network, writer):
    one, same, other = sample(network, writer, PROMPTS[:1] * 3, [1, 1, 2], FREE)
    assert one == same
    assert one.ids != other.ids


def test_identical_prompts_in_one_call_give_what_each_gives_alone(network, writer):
    (one, same_length) = (each.prompt for each in documents([(6, (1,)), (6, (1,))]))
    prompts = [one, same_length, one, PROMPTS[3], same_length, one]
    seeds = [4, 5, 6, 7, 8, 4]
    together = sample(network, writer, prompts, seeds, FREE)
    assert together[0] == together[5]
    for prompt, seed, reply in zip(prompts, seeds, together, strict=True):
        assert sample(network, writer, [prompt], [seed], FREE) == [reply]


@pytest.mark.parametrize("family", ["llama", "bloom", "lfm2"])
def test_greedy_is_transformers_own_greedy(writer, family):
    network = network_of(family)
    for reach in (0, 10**9) if family in tiny.PACKED else (0,):
        found = sample(replace(network, reach=reach), writer, PROMPTS * 2, SEEDS * 2, GREEDY)
        for prompt, reply in zip(PROMPTS * 2, found, strict=True):
            expected = tiny.naive_greedy(network.model, prompt, 8, end_ids=(writer.end,))
            assert list(reply.ids[: len(reply.ids) - reply.ended]) == expected


def test_a_shared_beginning_changes_no_reply(writer):
    network = network_of("llama")
    prompts = [(*range(40, 70), *prompt) for prompt in PROMPTS]
    apart = sample(network, writer, prompts, SEEDS, FREE)
    assert sample(replace(network, reach=10**9), writer, prompts, SEEDS, FREE) == apart


def test_rows_past_a_longrope_switch_are_run_alone(writer):
    network = replace(network_of("phi3_longrope"), reach=40)
    prompts = [tuple(range(10, 10 + length)) for length in (5, 33, 60)]
    together = sample(network, writer, prompts, [0, 1, 2], FREE)
    for prompt, seed, reply in zip(prompts, [0, 1, 2], together, strict=True):
        assert sample(network, writer, [prompt], [seed], FREE) == [reply]


def test_a_reply_has_ended_where_its_end_came(asked):
    writer, found = endings(asked, network_of("llama"))
    assert {reply.ended for reply in found} == {True, False}
    for reply in found:
        assert reply.ended == (writer.end in reply.ids) == (reply.ids[-1] == writer.end)
        assert reply.ended or len(reply.ids) == 12
        assert writer.end not in reply.ids[:-1]


def test_the_text_is_that_of_the_tokens_without_the_end(asked):
    writer, found = endings(asked, network_of("llama"))
    for reply in found:
        made = reply.ids[:-1] if reply.ended else reply.ids
        assert reply.text == writer.read(made)


def test_replies_are_drawn_from_the_networks_own_adapter(weights, writer):
    policy = adapted(weights("llama"))
    own = sample(policy, writer, PROMPTS, SEEDS, GREEDY)
    base = sample(without_adapter(policy), writer, PROMPTS, SEEDS, GREEDY)
    assert own != base
    assert base == sample(network_of("llama"), writer, PROMPTS, SEEDS, GREEDY)


def rows_run(network) -> list[int]:
    """Grows by the number of rows each time that the network is run."""
    found: list[int] = []
    network.model.register_forward_pre_hook(
        lambda module, inputs, named: found.append(len(named["input_ids"])), with_kwargs=True
    )
    return found


@pytest.mark.parametrize(
    ("micro_tokens", "prompts", "most"), [(1, 4, 1), (20, 30, 8), (10**6, 80, 64)]
)
def test_as_many_are_drawn_side_by_side_as_the_memory_of_the_stage_holds(
    writer, micro_tokens, prompts, most
):
    network, prompt = network_of("llama"), tuple(range(10, 18))
    sample_within(network, writer, [prompt], [0], FREE, micro_tokens)  # how the model may be asked
    found = rows_run(network)  # of up to 8 + 12 tokens, eight for each of those trained on at once
    sample_within(network, writer, [prompt] * prompts, list(range(prompts)), FREE, micro_tokens)
    assert max(found) == most


def test_draws_follow_the_temperature(writer):
    """The share of a token among many draws is its probability."""
    network, prompt = network_of("llama"), PROMPTS[0]
    with torch.no_grad():
        logits = network.model(torch.tensor([prompt])).logits[0, -1]
    expected = (logits / 3.0).softmax(-1)
    hot = Generation(1, temperature=3.0)
    drawn = sample(network, writer, [prompt] * 2000, list(range(2000)), hot)
    counts = torch.bincount(torch.tensor([reply.ids[0] for reply in drawn]), minlength=tiny.WORDS)
    assert (counts / 2000 - expected).abs().max() < 0.04


def test_bf16_arithmetic_draws_replies(writer):
    network = replace(network_of("llama"), autocast=torch.bfloat16, reach=10**9)
    found = sample(network, writer, PROMPTS, SEEDS, FREE)
    assert found == sample(network, writer, PROMPTS, SEEDS, FREE)
    assert all(reply.ended or len(reply.ids) == 12 for reply in found)


def test_no_prompts_give_no_replies(writer):
    assert sample(network_of("llama"), writer, [], [], FREE) == []
