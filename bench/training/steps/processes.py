"""The processes that `accelerate launch` started together; one alone without it.

Each runs its share of the micro-batches of an update; gradients and sums are added over all, so
that n processes do what one would have done. Only the main process writes.
"""

from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from torch import Tensor

T = TypeVar("T")


class Processes:
    """This process among those that train together. `device` is where it computes."""

    def __init__(self, device: torch.device) -> None:
        self.state = PartialState(cpu=device.type == "cpu")
        alone = self.state.num_processes == 1
        self.device = device if alone else self.state.device

    @property
    def main(self) -> bool:
        """Whether this is the process that writes."""
        return bool(self.state.is_main_process)

    def share(self, work: Sequence[T]) -> list[T]:
        """This process's part of `work`."""
        return list(work[self.state.process_index :: self.state.num_processes])

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in one exchange."""
        if self.state.num_processes == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def gather(self, own: Sequence[T]) -> list[T]:
        """The parts of all processes, in the order that `share` took them from."""
        if self.state.num_processes == 1:
            return list(own)
        parts: list[list[T]] = gather_object([list(own)])
        longest = max(map(len, parts))
        columns = ([part[place] for part in parts if place < len(part)] for place in range(longest))
        return list(chain.from_iterable(columns))

    def wait(self) -> None:
        """Go on when all processes have come here."""
        self.state.wait_for_everyone()
