"""Gradients -> weights: AdamW over groups with a rate each, clipping, a moving average of weights.

What it holds can be saved and restored exactly, so that a killed stage goes on bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor, nn

from bench.training.settings import Training
from bench.training.steps.processes import Processes
from bench.training.steps.schedule import rate_at
from bench.training.steps.state import copied, under


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters by name, and what their rate is relative to the optimizer's `lr`.

    Each group is clipped by itself: a value function's large gradient does not shrink the policy's.
    """

    parameters: Mapping[str, nn.Parameter]
    scale: float = 1.0
    name: str = ""


class Updates:
    """The optimizer of a stage, whose schedule is shaped by `total` updates."""

    def __init__(
        self, groups: Sequence[Group], training: Training, total: int, processes: Processes
    ) -> None:
        self.settings, self.ema = training.optimizer, training.ema
        self.total, self.processes = total, processes
        self.groups = groups
        self.parameters = {k: v for group in groups for k, v in group.parameters.items()}
        self.optimizer = torch.optim.AdamW(
            [part for group in groups for part in _decayed(group, self.settings.weight_decay)],
            lr=self.settings.lr,
            betas=self.settings.betas,
            eps=self.settings.eps,
            fused=True,
        )
        averaged = self.parameters.items() if self.ema else ()
        self.average = {name: value.detach().clone() for name, value in averaged}

    def apply(self, step: int) -> dict[str, float]:
        """One update by the gradients that all processes have gathered.

        Returns the norm of each group's gradient before clipping, and the rate. When one is not
        finite, or all are 0, nothing is changed.
        """
        found = list(self.parameters.values())
        for value in found:  # a process may have had no share of this update
            if value.grad is None:
                value.grad = torch.zeros_like(value)
        self.processes.add([value.grad for value in found if value.grad is not None])
        norms = {
            f"grad_norm{group.name and '/'}{group.name}": self._clip(group) for group in self.groups
        }
        rate = rate_at(self.settings, step, self.total)
        # Without any gradient (no pair was decided) the momentum alone would move the weights.
        if all(map(isfinite, norms.values())) and any(norms.values()):
            for part in self.optimizer.param_groups:
                part["lr"] = rate * part["scale"]
            self.optimizer.step()
            self._follow()
        self.optimizer.zero_grad(set_to_none=True)
        return {**norms, "lr": rate}

    def tensors(self) -> dict[str, Tensor]:
        """Everything to be saved, by name; on the CPU it shares memory with what it is taken from,
        so write it before the next update."""
        found = copied(self.parameters, "weight.") | copied(self.average, "average.")
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state.get(parameter, {})
            found |= copied(moments, f"adam.{name}.")
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        with torch.no_grad():
            for name, value in under(tensors, "weight.").items():
                self.parameters[name].copy_(value)
            for name, value in under(tensors, "average.").items():
                self.average[name].copy_(value)
        for name, parameter in self.parameters.items():
            moments = under(tensors, f"adam.{name}.")
            if moments:
                # The fused optimizer wants its count of steps, too, where the parameter is.
                self.optimizer.state[parameter] = {
                    key: value.to(parameter.device, copy=True) for key, value in moments.items()
                }

    def adopt_average(self) -> None:
        """The parameters become their moving averages, if one is kept."""
        _put(self.parameters, self.average)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the parameters are their moving averages, if one is kept."""
        own = {name: self.parameters[name].detach().clone() for name in self.average}
        self.adopt_average()
        try:
            yield
        finally:
            _put(self.parameters, own)

    def _clip(self, group: Group) -> float:
        """The norm that the group's gradient had."""
        return float(nn.utils.clip_grad_norm_(group.parameters.values(), self.settings.clip))

    def _follow(self) -> None:
        with torch.no_grad():
            for name, average in self.average.items():
                average.lerp_(self.parameters[name].detach(), 1 - self.ema)


def _decayed(group: Group, decay: float) -> list[dict[str, object]]:
    """Torch's groups: matrices decay, vectors (norms, biases) do not."""
    matrices = [value for value in group.parameters.values() if value.dim() >= 2]
    vectors = [value for value in group.parameters.values() if value.dim() < 2]
    parts = ((matrices, decay), (vectors, 0.0))
    return [
        {"params": values, "weight_decay": rate, "scale": group.scale}
        for values, rate in parts
        if values
    ]


def _put(parameters: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)
