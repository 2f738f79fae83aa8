"""Batches that do not fit into memory: asked again at half of what was tried, and said so.

How large a batch is follows from the device and the user alone, never from a clock: the last bits
of an answer depend on its batch, and a run that goes on must give what a whole one gives. So sizes
do not grow by trial; they only shrink when they must, for the rest of the process.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

from bench.errors import ModelError
from bench.models.batching import Budget
from bench.models.model import Encoded

LEAST_TOKENS = 16  # a model that cannot read so few has no room for batches at all
REMEDY = "use --dtype bfloat16, or another --device"
SIGNS = ("out of memory", "can't allocate memory", "not enough memory")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Allowance:
    """What a batch of one model may hold."""

    budget: Budget

    def halve(self, error: RuntimeError, waiting: Sequence[Encoded]) -> None:
        """Half of what a batch of `waiting` can have held, after `error`, which is raised again if
        it is about something else.

        Raises:
            ModelError: batches are as small as they can be.
        """
        if not is_shortage(error):
            raise error
        tried = largest_batch(self.budget, waiting)
        tokens = tried.tokens
        if tokens < 2 * LEAST_TOKENS:
            raise ModelError(
                f"out of memory with batches of {tokens} tokens",
                REMEDY,
            ) from None
        self.budget = Budget(tokens // 2, max(1, tried.positions // 2), max(1, tried.rows // 2))
        logging.getLogger(__name__).warning(
            "out of memory with batches of %d tokens: going on with %d (--batch-tokens %d)",
            *(tokens, self.budget.tokens, self.budget.tokens),
        )


def largest_batch(budget: Budget, waiting: Sequence[Encoded]) -> Budget:
    """What bounds a batch of `waiting`: `budget`, where there is more to ask than it allows."""
    rows = sum(max(1, len(item.continuations)) for item in waiting)
    positions = sum(map(len, (branch for item in waiting for branch in item.continuations)))
    longest = max(item.most for item in waiting)
    return Budget(
        tokens=min(budget.tokens, min(budget.rows, rows) * longest),
        positions=min(budget.positions, max(rows, positions)),
        rows=min(budget.rows, rows),
    )


def is_shortage(error: RuntimeError) -> bool:
    """Whether memory ran out, of a GPU or of the machine."""
    return isinstance(error, torch.OutOfMemoryError) or any(
        sign in str(error).lower() for sign in SIGNS
    )


def raise_if_short(error: Exception) -> None:
    """Raise `error` again where it says that memory ran out, which is no answer to a probe."""
    if isinstance(error, RuntimeError) and is_shortage(error):
        raise error


@contextmanager
def opening(name: str) -> Iterator[None]:
    """Within the block a shortage of memory is an error about the model `name`.

    Raises:
        ModelError: memory ran out.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_shortage(error):
            raise
        raise ModelError(f"{name}: out of memory while it was loaded", REMEDY) from None


def within_memory(
    run: Callable[[Sequence[Encoded], Budget], Iterator[tuple[int, Answer]]],
    items: Sequence[Encoded],
    allowance: Allowance,
) -> Iterator[tuple[int, Answer]]:
    """What `run` answers to all `items` by place, however small its batches have to be."""
    waiting = list(range(len(items)))
    while waiting:
        answered = set()
        try:
            for number, answer in run([items[place] for place in waiting], allowance.budget):
                answered.add(number)
                yield waiting[number], answer
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            allowance.halve(error, [items[place] for place in waiting])
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        else:
            if len(answered) < len(waiting):  # asking again would never end
                raise LookupError(f"{len(waiting) - len(answered)} requests were not answered")
        waiting = [place for number, place in enumerate(waiting) if number not in answered]
