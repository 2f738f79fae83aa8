"""Batches by token budget, longest first: what is padded together is about equally long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds on one batch. `tokens` counts padding; `positions` those that are projected onto the
    vocabulary (memory: positions x vocabulary x 4 bytes); `rows` bounds generation."""

    tokens: int
    positions: int
    rows: int


def batches(
    lengths: Sequence[int], positions: Sequence[int], budget: Budget
) -> Iterator[list[int]]:
    """Indices in batches, longest first, within the budget; one item alone may exceed it.

    A batch ends early when more than a quarter of its token budget would be padding.
    """
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    batch: list[int] = []
    filled = projected = 0
    for place in order:
        longest = lengths[batch[0]] if batch else lengths[place]
        padded = (len(batch) + 1) * longest
        full = (
            padded > budget.tokens
            or padded - filled - lengths[place] > budget.tokens // 4
            or projected + positions[place] > budget.positions
            or len(batch) == budget.rows
        )
        if batch and full:
            yield batch
            batch, filled, projected = [], 0, 0
        batch.append(place)
        filled += lengths[place]
        projected += positions[place]
    if batch:
        yield batch


def common_prefix(sequences: Sequence[tuple[int, ...]]) -> int:
    """How many leading tokens all `sequences` share."""
    if not sequences:
        return 0
    low, high = min(sequences), max(sequences)  # lexicographic extremes differ first
    for place, (left, right) in enumerate(zip(low, high, strict=False)):
        if left != right:
            return place
    return min(len(low), len(high))
