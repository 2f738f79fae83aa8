"""Random documents, networks over tiny models, and what they give computed the plain way."""

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from bench.models.weights import Weights
from bench.training.networks.forward import reply_logprobs, rewards, values
from bench.training.networks.layout import Batch, Document, lay_out
from bench.training.networks.network import Network, open_network, trained_parameters, with_head
from bench.training.settings import Lora
from tests.models import tiny

CPU = torch.device("cpu")
LORA = Lora(rank=4, alpha=8.0)
SHAPES = ((9, (5, 3)), (4, (6,)), (1, (1, 1)), (12, (2, 7, 4)), (5, (8,)))  # prompts, replies


def documents(shapes: Sequence[tuple[int, Sequence[int]]] = SHAPES, seed: int = 0):
    """Documents of random ids, with prompts and replies of these lengths."""
    draw = random.Random(seed)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(3, tiny.WORDS - 1) for _ in range(count))

    return [Document("plain", ids(prompt), tuple(map(ids, replies))) for prompt, replies in shapes]


def network_of(family: str, reach: int = 0) -> Network:
    """The frozen tiny model with a random head whose bias is 0.3."""
    model = deepcopy(tiny.build(family)).requires_grad_(False)
    made = with_head(Network(model, None, "", None, reach, None), seed=5)
    assert made.head is not None
    made.head.requires_grad_(False).bias.fill_(0.3)
    return made


def adapted(weights: Weights, lora: Lora = LORA, seed: int = 1, moved: bool = True) -> Network:
    """The checkpoint with an adapter "policy" that, if `moved`, has learned something random."""
    made = open_network(weights, CPU, torch.float32, lora, seed)
    return move(made, seed) if moved else made


def move(network: Network, seed: int) -> Network:
    """Add noise to all that is trained in `network`, as training would."""
    generator = torch.Generator().manual_seed(seed)
    for _, parameter in sorted(trained_parameters(network).items()):
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data.add_(noise, alpha=0.1)
    return network


def batch_of(network: Network, chosen: Sequence[Document]) -> Batch:
    return lay_out(chosen, network.reach)


@torch.no_grad()
def all_numbers(network: Network, batch: Batch) -> list[list[Tensor]]:
    """For each reply: its log-probabilities, its values, its reward."""
    worth = rewards(network, batch)
    grids = zip(reply_logprobs(network, batch), values(network, batch), batch.mask_BT, strict=True)
    return [
        [logprobs[mask], estimates[mask], worth[number]]
        for number, (logprobs, estimates, mask) in enumerate(grids)
    ]


@torch.no_grad()
def plain_numbers(network: Network, chosen: Sequence[Document]) -> list[list[Tensor]]:
    """The same by one forward for each prompt + reply: nothing packed or padded."""
    pairs = [(document.prompt, reply) for document in chosen for reply in document.replies]
    return [_plain(network, prompt, reply) for prompt, reply in pairs]


def assert_close(found: list[list[Tensor]], expected: list[list[Tensor]], tolerance: float) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=tolerance)


def plain_rewards(network: Network, chosen: Sequence[Document]) -> Tensor:
    with torch.no_grad():
        return rewards(network, batch_of(replace(network, reach=0), chosen))


def _plain(network: Network, prompt: Sequence[int], reply: Sequence[int]) -> list[Tensor]:
    ids = torch.tensor([[*prompt, *reply]])
    logits = network.model(input_ids=ids, use_cache=False).logits[0]
    states = network.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    assert network.head is not None
    scores = network.head(states).squeeze(-1)
    predicting = slice(len(prompt) - 1, -1)
    logprobs = logits[predicting].log_softmax(-1).gather(1, torch.tensor(reply).unsqueeze(1))
    return [logprobs.squeeze(1), scores[predicting], scores[-1]]
