"""Gradients: micro-batches and processes change how they are gathered, not what they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch

from bench.training.networks.forward import reply_logprobs
from bench.training.networks.layout import Document
from bench.training.networks.network import open_network, trained_parameters
from bench.training.steps.gradients import add_nll_gradient, measure_nll, shared_batches
from bench.training.steps.meter import Meter
from bench.training.steps.processes import Processes
from tests.training.built import CPU, LORA, adapted, batch_of, documents

ALONE = Processes(CPU)
MANY = ((9, (5,)), (4, (6,)), (1, (1,)), (12, (7,)), (5, (8,)), (3, (3,)), (20, (2,)))
MIXED = [
    Document("ab"[place % 2], document.prompt, document.replies)
    for place, document in enumerate(documents(MANY))
]


@dataclass(frozen=True)
class Part:
    """One of `count` processes, whose gradients are added by the test."""

    number: int
    count: int

    def share(self, work: Sequence) -> list:
        return list(work[self.number :: self.count])


def gradient(network, tokens, processes=ALONE, **settings) -> dict[str, torch.Tensor]:
    network.model.zero_grad()
    add_nll_gradient(network, MIXED, tokens, processes, Meter(), **settings)
    found = trained_parameters(network).items()
    return {name: value.grad.clone() for name, value in found if value.grad is not None}


def assert_equal(one, other):
    """Up to the rounding of sums in fp32."""
    assert one.keys() == other.keys()
    scale = max(value.abs().max() for value in one.values())
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=0.0, atol=1e-6 * float(scale))


@pytest.fixture(params=["whole", "adapter"])
def network(request, weights):
    """Weights halved: where predictions are less sharp, rounding weighs less."""
    if request.param == "adapter":
        made = adapted(weights("llama"), LORA)
    else:
        made = open_network(weights("llama"), CPU, torch.float32, None, seed=1)
    for parameter in made.model.parameters():
        parameter.data.mul_(0.5)
    return made


@pytest.mark.parametrize("tokens", [1, 20, 45])
def test_micro_batches_do_not_change_the_gradient(network, tokens):
    assert_equal(gradient(network, 10**6), gradient(network, tokens))


def test_the_gradient_is_that_of_the_mean_over_all_tokens(network):
    found = gradient(network, 20)
    network.model.zero_grad()
    batch = batch_of(network, MIXED)
    (-reply_logprobs(network, batch)[batch.mask_BT].mean()).backward()
    named = trained_parameters(network)
    assert_equal({name: value.grad for name, value in named.items()}, found)


@pytest.mark.parametrize("count", [2, 3])
def test_the_shares_of_several_processes_add_up_to_the_gradient_of_one(network, count):
    parts = [gradient(network, 20, Part(number, count)) for number in range(count)]
    added = {name: sum(part[name] for part in parts) for name in parts[0]}
    assert_equal(gradient(network, 20), added)


def test_a_factor_multiplies_the_gradient(network):
    once, twice = gradient(network, 20), gradient(network, 20, factor=2.0)
    assert_equal({name: 2 * value for name, value in once.items()}, twice)


def test_gradients_add_to_what_is_there(network):
    once = gradient(network, 20)
    add_nll_gradient(network, MIXED, 20, ALONE, Meter())
    twice = {name: value.grad for name, value in trained_parameters(network).items()}
    assert_equal({name: 2 * value for name, value in once.items()}, twice)


def test_the_meter_gets_the_loss_of_all_and_of_each_source(network):
    meter = Meter()
    add_nll_gradient(network, MIXED, 20, ALONE, meter, factor=3.0, name="nll")
    batch = batch_of(network, MIXED)
    with torch.no_grad():
        nll = -reply_logprobs(network, batch)
    rows = {"nll": slice(None), "nll/a": slice(0, None, 2), "nll/b": slice(1, None, 2)}
    expected = {name: float(nll[row][batch.mask_BT[row]].mean()) for name, row in rows.items()}
    assert meter.means() == pytest.approx(expected, rel=1e-5)


def test_measuring_gives_the_same_losses_and_no_gradient(network):
    meter = Meter()
    add_nll_gradient(network, MIXED, 20, ALONE, meter)
    network.model.zero_grad()
    found = measure_nll(network, MIXED, 45, ALONE, "loss")
    assert found == pytest.approx(meter.means(), rel=1e-5)
    assert all(value.grad is None for value in network.model.parameters())


def test_micro_batches_name_the_documents_they_hold(network):
    for places, batch in shared_batches(MIXED, network, 20, ALONE):
        own = batch_of(network, [MIXED[place] for place in places])
        assert torch.equal(batch.tokens_n, own.tokens_n)
