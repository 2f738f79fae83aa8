"""The networks of a stage: a policy, its reference, a reward model, a value function.

A Network is a transformers model, the LoRA adapter that is active in it, and a scalar head where
it scores. Networks may share one model and differ in adapter and head only: the policy, its
reference (no adapter), the reward model and the value function of PPO are then one set of base
weights in memory.

Weights are kept in fp32; with `autocast` the arithmetic of forward and backward is bf16.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from bench.errors import ModelError
from bench.models.load import Placement, load_config, load_model
from bench.models.weights import Weights
from bench.training.probe import packing_reach
from bench.training.settings import Lora

LAYER = re.compile(r"\.(\d+)\.")


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """`adapter` names the LoRA weights that are active, "" switches them off; documents of up to
    `reach` tokens may be packed (`bench.training.layout`)."""

    model: PreTrainedModel
    adapters: PeftModel | None
    adapter: str
    head: nn.Linear | None
    reach: int
    autocast: torch.dtype | None

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device


def open_network(
    weights: Weights, device: torch.device, dtype: torch.dtype, lora: Lora | None, seed: int
) -> Network:
    """The causal language model in `weights`, ready to be trained: whole, or by a fresh adapter.

    Raises:
        ModelError: it cannot be read, is an encoder-decoder, or has no layers as `lora` names them.
    """
    if load_config(weights).is_encoder_decoder:
        raise ModelError(
            f"{weights.name}: is an encoder-decoder, and training takes causal language models",
            "start from a decoder-only checkpoint; `bench eval` takes both",
        )
    model = load_model(weights, Placement(device, torch.float32), allow_pickle=False)
    autocast = dtype if dtype != torch.float32 else None
    plain = Network(
        model.requires_grad_(lora is None), None, "", None, packing_reach(model), autocast
    )
    return plain if lora is None else with_adapter(plain, lora, "policy", seed)


def with_adapter(network: Network, lora: Lora, name: str, seed: int) -> Network:
    """The network with a fresh LoRA adapter `name`, whose first output is 0.

    Raises:
        ModelError: the model has no layers as `lora` names them.
    """
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # peft divides it as a float
        target_modules=_adapted_modules(network.model, lora),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    if network.adapters is None:
        adapters = PeftModel(network.model, config, adapter_name=name)
    else:
        adapters = network.adapters
        adapters.add_adapter(name, config)
    return replace(network, adapters=adapters, adapter=name)


def without_adapter(network: Network) -> Network:
    """The frozen starting point: the same weights without the adapter, or a copy of them."""
    if network.adapters is not None:
        return replace(network, adapter="", head=None)
    copy = deepcopy(network.model).requires_grad_(False)
    return replace(network, model=copy, head=None)


def with_head(network: Network, seed: int) -> Network:
    """The network with a fresh scalar head: weights N(0, 1 / (d + 1)), bias 0 (detail 9 of
    arXiv 2403.17031)."""
    width = int(network.model.config.get_text_config().hidden_size)
    head = nn.Linear(width, 1).to(network.device)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(1, width, generator=generator) / (width + 1) ** 0.5
    with torch.no_grad():
        head.weight.copy_(drawn)
        head.bias.zero_()
    return replace(network, head=head)


def trained_parameters(network: Network) -> dict[str, nn.Parameter]:
    """Name -> parameter of all that a stage may change in `network`."""
    found = {
        name: parameter
        for name, parameter in network.model.named_parameters()
        if (f".{network.adapter}." in name if network.adapter else network.adapters is None)
    }
    head = dict(network.head.named_parameters()) if network.head is not None else {}
    return found | {f"head.{name}": parameter for name, parameter in head.items()}


@contextmanager
def active(network: Network) -> Iterator[None]:
    """Within the block the shared model computes as this network does, in its arithmetic."""
    if network.adapters is not None:
        for module in network.model.modules():
            if isinstance(module, BaseTunerLayer):
                module.enable_adapters(bool(network.adapter))
                if network.adapter:
                    module.set_adapter(network.adapter)
    kind = network.device.type
    arithmetic = torch.autocast(kind, network.autocast) if network.autocast else nullcontext()
    with arithmetic:
        yield


def _adapted_modules(model: PreTrainedModel, lora: Lora) -> list[str]:
    """Full names of the linear layers that `lora` adapts."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    }
    layers = {int(found[1]) for name in linear if (found := LAYER.search(name))}
    first = max(layers, default=0) + 1 - (lora.last_layers or len(layers))
    chosen = [
        name
        for name in linear
        if (not lora.targets or name.rsplit(".", 1)[-1] in lora.targets)
        and ((found := LAYER.search(name)) is not None and int(found[1]) >= first)
    ]
    if not chosen:
        known = sorted({name.rsplit(".", 1)[-1] for name in linear})
        raise ModelError(
            f"lora.targets: found {list(lora.targets)}, the model's linear layers are {known}",
            "name some of them, or leave targets out for all",
        )
    return chosen
