"""Adapters of one base: its weights are read once, and those that no adapter changes are shared.

    base = shared_base(weights.base, placement, allow_pickle=False)
    network = base.wear(weights)    the base with one adapter merged: what `load_model` would give

The base wears one adapter at a time, so many adapters take the memory of one model and the weights
that one of them changes; asking them by turns merges anew at every turn. `bench.models.hf` calls
it; training, which changes weights in place, loads a model of its own.
"""

import copy
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.load import Placement, merge_adapter, place, read_model, weights_of
from bench.models.weights import Weights

Opened = tuple[Weights, Placement, bool]


class SharedBase:
    """The weights of `base`, exact on the CPU and rounded where they are used.

    Raises:
        ModelError: the weights cannot be read or do not fit the configuration.
    """

    def __init__(self, base: Weights, placement: Placement, allow_pickle: bool) -> None:
        self.placement = placement
        self.exact = read_model(base, torch.float32, allow_pickle)
        self.rounded: dict[str, Tensor] = {}
        for name, weight in weights_of(self.exact).items():
            rounded = weight.data.to(placement.dtype)
            if torch.equal(rounded.float(), weight.data.float()):
                weight.data = rounded  # nothing is lost, so one copy is enough
            self.rounded[name] = rounded.to(placement.device)
        self.worn: tuple[Weights, PreTrainedModel] | None = None

    def wear(self, adapter: Weights) -> PreTrainedModel:
        """The model with `adapter` merged in fp32 and rounded once.

        Raises:
            ModelError: the adapter cannot be read, or not be merged into this base.
        """
        if self.worn is None or self.worn[0] != adapter:
            self.worn = None  # its memory is free before more is taken
            self.worn = adapter, self._merged(adapter)
        return self.worn[1]

    def _merged(self, adapter: Weights) -> PreTrainedModel:
        whole = copy.deepcopy(self.exact)
        for weight in weights_of(whole).values():
            weight.data = weight.data.float()
        model = merge_adapter(whole, adapter)
        known = weights_of(self.exact)
        for name, weight in weights_of(model).items():
            rounded = weight.data.to(self.placement.dtype)
            before = known.get(name)
            same = before is not None and torch.equal(rounded, before.data.to(rounded.dtype))
            weight.data = self.rounded[name] if same else rounded.to(self.placement.device)
        return place(model, self.placement.device)


_OPEN: "WeakValueDictionary[Opened, SharedBase]" = WeakValueDictionary()
_LAST: list[SharedBase] = []  # none or one, kept though no model may be open


def shared_base(base: Weights, placement: Placement, allow_pickle: bool) -> SharedBase:
    """The base in memory: those of models that are open, and the one that was asked for last.

    Raises:
        ModelError: the weights cannot be read or do not fit the configuration.
    """
    key = base, placement, allow_pickle
    found = _OPEN.get(key)
    if found is None:
        forget_base()  # its memory is free before more is taken
        found = _OPEN[key] = SharedBase(base, placement, allow_pickle)
    _LAST[:] = [found]
    return found


def forget_base() -> None:
    """Let go of the last base, for a model that is none of its adapters."""
    _LAST.clear()
