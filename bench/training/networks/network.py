"""The networks of a stage: a policy, its reference, a reward model, a value function.

A Network is a transformers model, the LoRA adapter that is active in it, and a scalar head where
it scores. Networks may share one model and differ in adapter and head only: the policy, its
reference (no adapter), the reward model and the value function of PPO are then one set of base
weights in memory.

Weights are kept in fp32; with `autocast` the arithmetic of forward and backward is bf16.
"""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from bench.errors import ModelError
from bench.models.load import Placement, load_config, load_model
from bench.models.weights import Weights
from bench.training.networks.layout import Document
from bench.training.networks.probe import packing_reach, row_width
from bench.training.networks.trunk import Trunk, make_trunk
from bench.training.settings import Lora

LAYER = re.compile(r"\.(\d+)\.")
INSIDE = re.compile(r"\.(base_layer|lora_\w+)(\.|$)")  # what peft puts into an adapted layer


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """`adapter` names the LoRA weights that are active, "" switches them off; documents of up to
    `reach` tokens may be packed (`bench.training.networks.layout`). `trunk` are the layers below
    the first adapted one, shared by all networks on a model; None where nothing is known to stay.
    """

    model: PreTrainedModel
    adapters: PeftModel | None
    adapter: str
    head: nn.Linear | None
    reach: int
    autocast: torch.dtype | None
    trunk: Trunk | None = None

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device

    @property
    def width(self) -> int:
        """Tokens of a packed row."""
        return row_width(self.model)


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
    if lora is None:
        return plain
    adapted = with_adapter(plain, lora, "policy", seed)
    depth = first_adapted(adapted)
    return replace(adapted, trunk=make_trunk(model, depth, adapted.reach))


def first_adapted(network: Network) -> int:
    """The number (from 0) of the first layer that the network's adapter changes."""
    names = _adapter_parameters(network.model, network.adapter)
    return min(int(found[1]) for name in names if (found := LAYER.search(name)))


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # between peft and transformers; GPT-2's transposed layers
        if network.adapters is None:
            adapters = PeftModel(network.model, config, adapter_name=name)
        else:
            adapters = network.adapters
            adapters.add_adapter(name, config)
    for parameter in _adapter_parameters(network.model, name).values():
        parameter.requires_grad_(True)  # peft leaves all but the first one frozen
    return on_trunk(replace(network, adapters=adapters, adapter=name))


def on_trunk(network: Network) -> Network:
    """The network without its trunk if its adapter changes a layer of that."""
    if network.trunk is not None and first_adapted(network) < network.trunk.depth:
        return replace(network, trunk=None)
    return network


def with_copied_adapter(network: Network, name: str) -> Network:
    """The network with a trainable copy `name` of its adapter, and one of its head if it has one.

    The original stays as it is, on the same base.
    """
    assert network.adapters is not None, "the network has an adapter"
    network.adapters.add_adapter(name, deepcopy(network.adapters.peft_config[network.adapter]))
    originals = _adapter_parameters(network.model, network.adapter).values()
    copies = _adapter_parameters(network.model, name).values()
    for original, copy in zip(originals, copies, strict=True):
        copy.requires_grad_(True).data.copy_(original.data)
    head = deepcopy(network.head)
    return replace(network, adapter=name, head=head.requires_grad_(True) if head else None)


def without_adapter(network: Network) -> Network:
    """The frozen starting point: the same weights without the adapter, or a copy of them."""
    if network.adapters is not None:
        return replace(network, adapter="", head=None)
    copy = deepcopy(network.model).requires_grad_(False)
    return replace(network, model=copy, head=None, trunk=None)


def with_head(network: Network, seed: int) -> Network:
    """The network with a fresh scalar head: weights N(0, 1 / (d + 1)), bias 0 (detail 9 of
    arXiv 2403.17031)."""
    embedding = network.model.get_output_embeddings()  # type: ignore[no-untyped-call]
    width = int(embedding.weight.shape[1])  # OPT-350m projects its hidden states to fewer
    head = nn.Linear(width, 1).to(network.device)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(1, width, generator=generator) / (width + 1) ** 0.5
    with torch.no_grad():
        head.weight.copy_(drawn)
        head.bias.zero_()
    return replace(network, head=head)


def trained_parameters(network: Network) -> dict[str, nn.Parameter]:
    """Name -> parameter of all that a stage may change in `network`."""
    if network.adapters is None:
        found = dict(network.model.named_parameters())
    else:
        found = _adapter_parameters(network.model, network.adapter)
    head = dict(network.head.named_parameters()) if network.head is not None else {}
    return found | {f"head.{name}": parameter for name, parameter in head.items()}


def adapter_tensors(network: Network) -> dict[str, Tensor]:
    """The weights of the network's adapter under the names that peft reads.

    peft's own list of them leaves out all where another adapter is called like a module.
    """
    found = _adapter_parameters(network.model, network.adapter).items()
    own = f".{network.adapter}.weight"
    return {
        f"base_model.model.{name.removesuffix(own)}.weight": value.detach().contiguous()
        for name, value in found
    }


def prepare(
    network: Network,
    documents: Sequence[Document],
    tokens: int,
    note: Callable[[str], None] | None = None,
) -> None:
    """Run the trunk on `documents`, `tokens` at once, if there is one; all others are forgotten.

    `note` is told of it beforehand: for many documents it takes a while.
    """
    if network.trunk is None:
        return
    if note is not None:
        count = sum(document.length for document in documents)
        note(f"running {network.trunk.depth} layers below the adapter once, on {count} tokens")
    with active(network):
        network.trunk.prepare(documents, tokens, network.reach)


@contextmanager
def active(network: Network) -> Iterator[None]:
    """Within the block the shared model computes as this network does, in its arithmetic."""
    if network.adapters is not None:
        for module in network.model.modules():
            _switch(module, network.adapter)
    kind = network.device.type
    arithmetic = torch.autocast(kind, network.autocast) if network.autocast else nullcontext()
    with arithmetic:
        yield


def _switch(layer: nn.Module, adapter: str) -> None:
    """Let `layer`, if it is an adapted one, compute with `adapter`, "" for none.

    peft freezes the adapters that it switches off. Their gradients may be outstanding: a parameter
    that is frozen between forward and backward silently gets none.
    """
    if not isinstance(layer, BaseTunerLayer):
        return
    trainable = [(parameter, parameter.requires_grad) for parameter in layer.parameters()]
    layer.enable_adapters(bool(adapter))
    if adapter:
        layer.set_adapter(adapter)
    for parameter, wanted in trainable:
        parameter.requires_grad_(wanted)


def _adapter_parameters(model: PreTrainedModel, adapter: str) -> dict[str, nn.Parameter]:
    """Name -> parameter of the LoRA weights `adapter`; none for ""."""
    places = (f".lora_A.{adapter}.", f".lora_B.{adapter}.")
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if any(place in name for place in places)
    }


def _adapted_modules(model: PreTrainedModel, lora: Lora) -> list[str]:
    """Full names of the linear layers that `lora` adapts."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D | BaseTunerLayer)
        and module is not head
        and not INSIDE.search(name)
    }
    layers = {int(found[1]) for name in linear if (found := LAYER.search(name))}
    first = max(layers, default=0) + 1 - (lora.last_layers or len(layers))
    chosen = [
        name
        for name in linear
        if (not lora.targets or name.rsplit(".", 1)[-1] in lora.targets)
        and ((found := LAYER.search(name)) is not None and int(found[1]) >= first)
    ]
    known = sorted({name.rsplit(".", 1)[-1] for name in linear})
    if not chosen or not set(lora.targets) <= set(known):
        raise ModelError(
            f"lora.targets: found {list(lora.targets)}, the model's linear layers are {known}",
            "name some of them, or leave targets out for all",
        )
    return chosen
