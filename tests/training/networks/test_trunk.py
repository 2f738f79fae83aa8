"""The trunk: networks that enter above it give the numbers of whole passes."""

from dataclasses import replace

import pytest
import torch

from bench.models.weights import find_weights
from bench.training.networks.forward import reply_logprobs, values
from bench.training.networks.layout import Document, lay_out
from bench.training.networks.network import (
    Network,
    open_network,
    prepare,
    trained_parameters,
    with_adapter,
    with_head,
    without_adapter,
)
from bench.training.settings import Lora
from tests.models import tiny

torch.set_num_threads(1)
CPU = torch.device("cpu")
DOCUMENTS = [
    Document("a", (5, 6, 7, 8), ((9, 10), (11,))),
    Document("a", (5, 6), ((30, 31, 32),)),
    Document("b", tuple(range(40, 60)), ((9, 1), (8, 1), (7, 6, 1))),
]


def opened(tmp_path, family: str = "llama", last_layers: int | None = 1) -> Network:
    weights = find_weights(str(tiny.save(family, tmp_path / family)))
    lora = Lora(rank=4, last_layers=last_layers)
    network = open_network(weights, CPU, torch.float32, lora, seed=0)
    with torch.no_grad():
        for parameter in trained_parameters(network).values():
            parameter.add_(0.05)  # an adapter that changes something
    return network


def test_a_pass_above_the_trunk_is_a_whole_pass(tmp_path):
    network = opened(tmp_path)
    batch = lay_out(DOCUMENTS, network.reach)
    for role in (network, without_adapter(network)):
        whole = reply_logprobs(replace(role, trunk=None), batch)
        prepare(role, DOCUMENTS, tokens=64)
        assert role.trunk.entry(batch) is not None
        torch.testing.assert_close(reply_logprobs(role, batch), whole, atol=1e-5, rtol=0)


def test_gradients_above_the_trunk_are_those_of_a_whole_pass(tmp_path):
    network = opened(tmp_path)
    batch = lay_out(DOCUMENTS, network.reach)
    found = []
    for trunk in (None, network.trunk):
        role = replace(network, trunk=trunk)
        prepare(role, DOCUMENTS, tokens=64)
        reply_logprobs(role, batch).sum().backward()
        parameters = trained_parameters(network).values()
        found.append([parameter.grad.clone() for parameter in parameters])
        for parameter in parameters:
            parameter.grad = None
    for plain, above in zip(*found, strict=True):
        torch.testing.assert_close(above, plain, atol=1e-4, rtol=1e-4)


def test_the_trunk_runs_once_for_all_passes_over_a_document(tmp_path):
    network = opened(tmp_path)
    value = with_head(with_adapter(network, Lora(rank=4, last_layers=1), "value", 1), 2)
    batch = lay_out(DOCUMENTS, network.reach)
    runs = []
    network.model.base_model.layers[0].register_forward_hook(lambda *_: runs.append(1))
    prepare(network, DOCUMENTS, tokens=10_000)
    for _ in range(3):
        reply_logprobs(network, batch)
        values(value, batch)
    assert len(runs) == 1


def test_a_document_that_was_not_prepared_is_run_whole(tmp_path):
    network = opened(tmp_path)
    prepare(network, DOCUMENTS[:1], tokens=64)
    batch = lay_out(DOCUMENTS, network.reach)
    assert network.trunk.entry(batch) is None
    whole = reply_logprobs(replace(network, trunk=None), batch)
    assert torch.equal(reply_logprobs(network, batch), whole)


def test_what_is_kept_depends_on_the_documents_alone(tmp_path):
    network = opened(tmp_path)
    prepare(network, DOCUMENTS, tokens=64)
    first = dict(network.trunk.known)
    prepare(network, [*DOCUMENTS, DOCUMENTS[0]], tokens=64)
    assert all(torch.equal(first[key], state) for key, state in network.trunk.known.items())


def test_an_adapter_on_a_layer_of_the_trunk_has_no_trunk(tmp_path):
    network = opened(tmp_path)
    assert with_adapter(network, Lora(rank=4), "deep", 1).trunk is None
    assert with_adapter(network, Lora(rank=4, last_layers=1), "flat", 1).trunk is network.trunk


def test_an_adapter_on_all_layers_has_no_trunk(tmp_path):
    assert opened(tmp_path, last_layers=None).trunk is None


@pytest.mark.parametrize(
    ("family", "has_trunk"),
    [("qwen2", True), ("gpt_neox", True), ("gpt2", False), ("gemma", True), ("bloom", False)],
)
def test_only_models_that_can_be_entered_above_the_embedding_have_a_trunk(
    tmp_path, family, has_trunk
):
    network = opened(tmp_path, family)
    assert (network.trunk is not None) == has_trunk


def test_too_large_a_set_of_documents_is_not_kept(tmp_path, monkeypatch):
    network = opened(tmp_path)
    monkeypatch.setattr("bench.training.networks.trunk.LARGEST", 100)
    prepare(network, DOCUMENTS, tokens=64)
    assert network.trunk.known == {}
