"""What the machine can do at most, and what scoring needs at least.

    product_rate(torch.float32)      floating point operations a second in a product of matrices
    read_rate()                      bytes a second read from memory
    work_of(encoded, shape).flops    what the distinct tokens of requests cost

A token is distinct by itself and all tokens before it: a prefix that requests share is counted
once, and so is a prompt for all its choices.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from bench.models.model import Encoded

SIDE = 2048  # of the matrices
READ = 2**28  # floats, 1 GiB: more than any cache holds
TIMED = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a decoder: parameters of its layers without embeddings, bytes of all its weights, rows of
    the vocabulary, width, layers, and bytes of keys and values that one token leaves."""

    layer_parameters: int
    weight_bytes: int
    vocabulary: int
    width: int
    layers: int
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class Work:
    """Distinct tokens, the distinct positions that are projected onto the vocabulary, and the
    floating point operations of both: two a parameter, and attention to all tokens before."""

    tokens: int
    positions: int
    flops: float


def shape_of(model: PreTrainedModel) -> Shape:
    """The shape of a loaded causal model."""
    config = model.config.get_text_config()
    head = model.get_output_embeddings().weight
    embedding = model.get_input_embeddings().weight
    parameters = sum(one.numel() for one in model.parameters())
    outside = head.numel() + (0 if head is embedding else embedding.numel())
    head_width = (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    kept = 2 * config.num_hidden_layers * config.num_key_value_heads * head_width
    return Shape(
        layer_parameters=parameters - outside,
        weight_bytes=(parameters - outside + head.numel()) * head.element_size(),
        vocabulary=head.shape[0],
        width=config.hidden_size,
        layers=config.num_hidden_layers,
        cache_bytes=kept * head.element_size(),
    )


def work_of(asked: Sequence[Encoded], shape: Shape) -> Work:
    """The least work that answers scoring requests: no token is run twice, none that is not read.

    The last token of a continuation is predicted, never read.
    """
    numbers: dict[tuple[int, int], int] = {}  # (what comes before, token) -> its number, from 1
    wanted: set[int] = set()
    depths = 0
    for item in asked:
        for branch in item.continuations:
            before = 0
            for place, token in enumerate((*item.prompt, *branch[:-1])):
                if place >= len(item.prompt):
                    wanted.add(before)
                step = (before, token)
                if step not in numbers:
                    numbers[step] = len(numbers) + 1
                    depths += place + 1
                before = numbers[step]
            wanted.add(before)
    tokens = len(numbers)
    layers = 2.0 * shape.layer_parameters * tokens + 4.0 * shape.width * shape.layers * depths
    return Work(tokens, len(wanted), layers + 2.0 * shape.width * shape.vocabulary * len(wanted))


def product_rate(dtype: torch.dtype) -> float:
    """Floating point operations a second of products of large square matrices."""
    left, right = torch.randn(2, SIDE, SIDE).to(dtype)
    out = torch.empty(SIDE, SIDE, dtype=dtype)
    return 2 * SIDE**3 / fastest(lambda: torch.mm(left, right, out=out))


def layer_rate(model: PreTrainedModel, tokens: int) -> float:
    """The same of the products in one layer of `model`, for so many tokens at once."""
    products = [
        (torch.randn(tokens, module.in_features).to(module.weight.dtype), module.weight.detach().T)
        for module in model.model.layers[0].modules()
        if isinstance(module, torch.nn.Linear)
    ]
    flops = sum(2 * tokens * weight.numel() for _, weight in products)
    return flops / fastest(lambda: [inputs @ weight for inputs, weight in products])


def read_rate() -> float:
    """Bytes a second that a sum over more than the caches hold reads."""
    values = torch.ones(READ)
    return 4 * READ / fastest(values.sum)


def fastest(work: Callable[[], object]) -> float:
    """The seconds of the fastest run of `work`, over a second of runs: what else runs on the
    machine makes it only slower."""
    taken: list[float] = []
    with torch.inference_mode():
        work()
        while sum(taken) < TIMED:
            begun = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begun)
    return min(taken)
