"""How many tokens' keys and values a device holds: the bound of a batch of texts in the making.

What a token takes is measured on one, since architectures differ much: SmolLM2-135M keeps 23 KB of
each in bf16, Llama 2 7B 512 KB.
"""

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicLayer

from bench.models.prefix import run_prefix, takes_cache

KEY_VALUE_BYTES = 2 * 2**30  # where the memory is the machine's own
GPU_SHARE = 0.5  # of what the weights leave of a GPU's memory; the rest is for passes and fragments


def tokens_held(model: PreTrainedModel) -> int | None:
    """Tokens whose keys and values fit; None for models without a cache of them.

    Follows from the device as a whole, not from what is free at the moment: batches, and with them
    the last bits of an answer, are then the same in a run that goes on.
    """
    each = bytes_a_token(model)
    return max(1, _room(model) // each) if each else None


def bytes_a_token(model: PreTrainedModel) -> int:
    """Bytes of keys and values that one token takes in all layers; 0 without a cache, and where the
    model wants one of its own."""
    if model.config.is_encoder_decoder or not takes_cache(model):
        return 0
    layers = run_prefix(model, [1]).layers
    kept = [layer for layer in layers if isinstance(layer, DynamicLayer)]
    parts = [part for layer in kept for part in (layer.keys, layer.values) if part is not None]
    return sum(part.nbytes for part in parts)


def _room(model: PreTrainedModel) -> int:
    if model.device.type != "cuda":
        return KEY_VALUE_BYTES
    whole = torch.cuda.get_device_properties(model.device).total_memory
    weights = sum(weight.nbytes for weight in model.parameters())
    return int(GPU_SHARE * max(0, whole - weights))
