"""Gradients -> weights: AdamW over groups with a rate each, clipping, a moving average of weights.

What it holds can be saved and restored exactly, so that a killed stage goes on bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.training.processes import Processes
from bench.training.schedule import rate_at
from bench.training.settings import Optimizer
from bench.training.state import copied, under

MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters by name, and what their rate is relative to the optimizer's `lr`."""

    parameters: Mapping[str, nn.Parameter]
    scale: float = 1.0


class Updates:
    """The optimizer of a stage. `total` updates shape the schedule; `ema` 0 keeps no average."""

    def __init__(
        self,
        groups: Sequence[Group],
        settings: Optimizer,
        total: int,
        ema: float,
        processes: Processes,
    ) -> None:
        self.settings, self.total, self.ema, self.processes = settings, total, ema, processes
        self.scales = [group.scale for group in groups]
        self.parameters = {k: v for group in groups for k, v in group.parameters.items()}
        self.optimizer = torch.optim.AdamW(
            [_decayed(list(group.parameters.values()), settings) for group in groups],
            lr=settings.lr,
            betas=settings.betas,
            eps=settings.eps,
            fused=True,
        )
        self.average = (
            {name: value.detach().clone() for name, value in self.parameters.items()} if ema else {}
        )

    def apply(self, step: int) -> dict[str, float]:
        """One update by the gradients that all processes have gathered.

        Returns the gradient's norm before clipping and the rate. When the norm is not finite
        nothing is changed.
        """
        found = [value for value in self.parameters.values() if value.grad is not None]
        self.processes.add([value.grad for value in found if value.grad is not None])
        norm = float(nn.utils.clip_grad_norm_(found, self.settings.clip))
        rate = rate_at(self.settings, step, self.total)
        if norm == norm and norm != float("inf"):
            for group, scale in zip(self.optimizer.param_groups, self.scales, strict=True):
                group["lr"] = rate * scale
            self.optimizer.step()
            self._follow()
        self.optimizer.zero_grad(set_to_none=True)
        return {"grad_norm": norm, "lr": rate}

    def tensors(self) -> dict[str, Tensor]:
        """Everything to be saved, by name."""
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
                self.optimizer.state[parameter] = {
                    key: value.to(parameter.device if key in MOMENTS else "cpu")
                    for key, value in moments.items()
                }

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the parameters are their moving averages, if one is kept."""
        own = {name: self.parameters[name].detach().clone() for name in self.average}
        _put(self.parameters, self.average)
        try:
            yield
        finally:
            _put(self.parameters, own)

    def _follow(self) -> None:
        with torch.no_grad():
            for name, average in self.average.items():
                average.lerp_(self.parameters[name].detach(), 1 - self.ema)


def _decayed(parameters: list[nn.Parameter], settings: Optimizer) -> dict[str, object]:
    return {"params": parameters, "weight_decay": settings.weight_decay}


def _put(parameters: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)
