"""Networks: adapters that start at nothing, share a base without disturbing each other."""

from copy import deepcopy

import pytest
import torch

from bench.errors import ModelError
from bench.training.networks.forward import reply_logprobs, rewards
from bench.training.networks.network import (
    active,
    open_network,
    trained_parameters,
    with_adapter,
    with_copied_adapter,
    with_head,
    without_adapter,
)
from bench.training.settings import Lora
from tests.models import tiny
from tests.training.built import CPU, LORA, adapted, batch_of, documents, move

FAMILIES = ("llama", "gpt2", "qwen2", "gpt_neox", "gemma", "bloom")


def opened(weights, family="llama", lora=None):
    return open_network(weights(family), CPU, torch.float32, lora, seed=1)


def numbers(network):
    with torch.no_grad():
        return reply_logprobs(network, batch_of(network, documents()))


def gradients(network) -> dict[str, torch.Tensor]:
    found = trained_parameters(network).items()
    return {name: value.grad.clone() for name, value in found if value.grad is not None}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_adapter_changes_nothing(weights, family):
    whole, fresh = opened(weights, family), opened(weights, family, LORA)
    assert torch.equal(numbers(whole), numbers(fresh))


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_adapter_is_trained(weights, family):
    network = adapted(weights(family))
    reply_logprobs(network, batch_of(network, documents())).sum().backward()
    trained = trained_parameters(network)
    assert trained
    for name, parameter in network.model.named_parameters():
        assert (name in trained) == ("lora_" in name)
        assert (parameter.grad is not None) == (name in trained)


def test_without_an_adapter_all_parameters_are_trained(weights):
    network = opened(weights)
    reply_logprobs(network, batch_of(network, documents())).sum().backward()
    assert trained_parameters(network).keys() == dict(network.model.named_parameters()).keys()
    assert all(value.grad is not None for value in trained_parameters(network).values())


def test_a_head_is_trained_with_its_network(weights):
    network = with_head(adapted(weights("llama")), seed=2)
    rewards(network, batch_of(network, documents())).sum().backward()
    assert {"head.weight", "head.bias"} <= gradients(network).keys()
    assert any("lora_A" in name for name in gradients(network))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_below_the_last_layers_nothing_is_adapted_or_differentiated(weights, family):
    network = adapted(weights(family), Lora(rank=4, last_layers=1))
    states = []
    layers = dict(network.model.named_modules())
    first = layers["model.layers.0" if family == "llama" else "transformer.h.0"]
    first.register_forward_hook(lambda *args: states.append(args[-1]))
    reply_logprobs(network, batch_of(network, documents())).sum().backward()
    trained = trained_parameters(network)
    assert trained
    assert all(".1." in name for name in trained)
    below = states[0] if isinstance(states[0], torch.Tensor) else states[0][0]
    assert not below.requires_grad


def test_targets_choose_the_layers_that_are_adapted(weights):
    network = adapted(weights("llama"), Lora(rank=2, targets=("q_proj", "v_proj")))
    parts = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in trained_parameters(network)}
    assert parts == {"q_proj", "v_proj"}


@pytest.mark.parametrize("targets", [("query",), ("q_proj", "query"), ("lm_head",)])
def test_targets_that_the_model_does_not_have_are_an_error(weights, targets):
    with pytest.raises(ModelError, match=r"lora\.targets") as error:
        opened(weights, lora=Lora(targets=targets))
    assert "q_proj" in error.value.cause


def test_an_encoder_decoder_is_an_error(weights):
    with pytest.raises(ModelError, match="encoder-decoder"):
        opened(weights, "t5")


def test_the_reference_of_an_adapted_policy_gives_the_numbers_of_its_base(weights):
    expected = numbers(opened(weights))
    policy = adapted(weights("llama"))
    changed = numbers(policy)
    assert not torch.allclose(changed, expected, atol=0.1)
    assert torch.equal(numbers(without_adapter(policy)), expected)
    assert torch.equal(numbers(policy), changed)


def test_the_reference_of_a_whole_policy_stays_while_the_policy_learns(weights):
    policy = opened(weights)
    reference = without_adapter(policy)
    expected = numbers(policy)
    move(policy, seed=4)
    assert torch.equal(numbers(reference), expected)
    assert not torch.allclose(numbers(policy), expected, atol=0.1)
    assert not any(value.requires_grad for value in reference.model.parameters())


def test_two_adapters_on_one_base_give_what_each_gives_alone(weights):
    policy, other = adapted(weights("llama"), seed=1), adapted(weights("llama"), seed=2)
    expected = numbers(policy), numbers(other)
    second = move(with_adapter(policy, LORA, "value", seed=2), seed=2)
    for _ in range(2):
        assert torch.equal(numbers(policy), expected[0])
        assert torch.equal(numbers(second), expected[1])


def test_a_forward_of_another_adapter_takes_no_gradient_away(weights):
    """The loss of the policy is differentiated after value function and reference were run."""
    policy = adapted(weights("llama"))
    value = move(with_head(with_adapter(policy, LORA, "value", seed=2), seed=3), seed=2)
    batch = batch_of(policy, documents())
    reply_logprobs(policy, batch).sum().backward()
    expected = gradients(policy)
    policy.model.zero_grad()
    losses = reply_logprobs(policy, batch).sum(), rewards(value, batch).sum()
    numbers(without_adapter(policy))
    losses[1].backward()
    assert not gradients(policy)
    losses[0].backward()
    assert gradients(policy).keys() == expected.keys()
    for name, gradient in gradients(policy).items():
        torch.testing.assert_close(gradient, expected[name])
    assert gradients(value).keys() == trained_parameters(value).keys()


def test_a_copied_adapter_starts_as_the_original_and_learns_apart(weights):
    reward = with_head(adapted(weights("llama")), seed=3)
    value = with_copied_adapter(reward, "value")
    batch = batch_of(reward, documents())
    assert torch.equal(rewards(value, batch), rewards(reward, batch))
    before = rewards(reward, batch).detach()
    rewards(value, batch).sum().backward()
    assert gradients(value).keys() == trained_parameters(value).keys()
    assert not gradients(reward)
    move(value, seed=8)
    assert torch.equal(rewards(reward, batch), before)
    assert not torch.allclose(rewards(value, batch), before, atol=0.1)


@pytest.mark.parametrize("name", ["layers", "q_proj", "0", "model", "policy2", "lora"])
def test_an_adapters_name_may_be_that_of_a_module(weights, name):
    policy = adapted(weights("llama"))
    own = trained_parameters(policy)
    other = with_adapter(policy, LORA, name, seed=2)
    assert trained_parameters(policy).keys() == own.keys()
    found = trained_parameters(other)
    assert len(found) == len(own)
    assert all(f".lora_A.{name}." in key or f".lora_B.{name}." in key for key in found)


def test_what_is_active_ends_with_no_trace_in_what_is_trained(weights):
    policy = adapted(weights("llama"))
    frozen = with_adapter(policy, LORA, "reward0", seed=2)
    for parameter in trained_parameters(frozen).values():
        parameter.requires_grad_(False)
    for network in (frozen, without_adapter(policy), policy):
        with active(network):
            pass
    assert all(value.requires_grad for value in trained_parameters(policy).values())
    assert not any(value.requires_grad for value in trained_parameters(frozen).values())


def test_a_fresh_head_is_drawn_from_its_seed_and_scores_about_as_wide_as_its_input(weights):
    network = opened(weights)
    one, same, other = (with_head(network, seed).head for seed in (1, 1, 2))
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert not one.bias.any()
    wide = torch.cat([with_head(network, seed).head.weight for seed in range(300)])
    assert float(wide.detach().std()) == pytest.approx((32 + 1) ** -0.5, rel=0.02)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_autocast_trains_fp32_weights(weights, family):
    network = open_network(weights(family), CPU, torch.bfloat16, LORA, seed=1)
    assert network.autocast == torch.bfloat16
    assert {value.dtype for value in network.model.parameters()} == {torch.float32}
    exact = deepcopy(network.model)
    reply_logprobs(network, batch_of(network, documents())).sum().backward()
    assert {value.dtype for value in gradients(network).values()} == {torch.float32}
    assert all(map(torch.equal, exact.parameters(), network.model.parameters()))


def test_a_model_that_cannot_be_packed_is_opened_to_be_padded(weights):
    assert opened(weights, "bloom").reach == 0
    assert opened(weights, "llama").reach > tiny.READS
