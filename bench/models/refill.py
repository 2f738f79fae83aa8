"""Continuous batches: a row that has ended leaves, and the next request takes its place at once.

Prompts are read in groups, some ahead of need (`bench.models.queue`). Between rows nothing but the
model is shared, so a reply does not depend on its neighbours.

transformers' own continuous batching (`generate_batch`, 5.23) is not used: it knows no stop strings
and one seed for all requests, so a sample would depend on its neighbours, and on a CPU it takes 1.5
times as long (16 rows of SmolLM2-135M in bf16).
"""

from collections.abc import Iterator, Sequence
from threading import Event

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.batching import Budget
from bench.models.draft import Draft, Endings, Generated
from bench.models.draw import choose
from bench.models.front import in_front
from bench.models.queue import Queue, ReadPrompt
from bench.models.ragged import RaggedCache
from bench.models.reading import Prefix

AHEAD = 8  # one prompt is read ahead for so many rows


def refill(
    model: PreTrainedModel,
    drafts: Sequence[Draft],
    budget: Budget,
    endings: Endings,
    prefix: Prefix,
    packed: bool,
    enough: Event,
) -> Iterator[tuple[int, Generated]]:
    """(place, what was generated) of each of `drafts` as they end.

    There are at most `budget.rows` rows at a time, and no more than would hold `budget.tokens` if
    each became as long as the longest may. Right for models that `bench.models.refillable` accepts.
    Ends early once there is `enough`.
    """
    queue = Queue(model, drafts, prefix, budget.tokens // 2, packed)
    batch = Batch(model, prefix, max((draft.most for draft in drafts), default=0))
    while (queue or batch.drafts) and not enough.is_set():
        rows = _rows(batch.drafts, queue, budget, prefix)
        rows = batch.reserve(min(rows, len(batch.drafts) + len(queue)))
        while queue and len(batch.drafts) < rows:
            if queue.ready:
                batch.place(queue.ready.popleft())
            else:
                yield from queue.read(max(rows - len(batch.drafts), rows // AHEAD), endings)
        if batch.drafts:
            yield from batch.advance(endings)


def _rows(drafts: Sequence[Draft], queue: Queue, budget: Budget, prefix: Prefix) -> int:
    """How many rows there may be with the next in the queue."""
    longest = max([draft.most for draft in drafts] + [queue.longest]) - prefix.apart
    return max(1, min(budget.rows, budget.tokens // longest))


class Batch:
    """The rows that are being written; the tokens of `drafts` lie in lanes of the same number."""

    def __init__(self, model: PreTrainedModel, prefix: Prefix, longest: int) -> None:
        self.model, self.prefix = model, prefix
        self.widest = longest - prefix.apart
        self.drafts: list[Draft] = []
        self.cache: RaggedCache | None = None
        self.rows = 0

    @torch.inference_mode()
    def reserve(self, rows: int) -> int:
        """Make room for `rows` rows or about as many; how many there is room for."""
        self.rows = rows if self.cache is None else self.cache.reserve(rows)
        return self.rows

    @torch.inference_mode()
    def place(self, read: ReadPrompt) -> None:
        """Go on with what was read."""
        if self.cache is None:
            self.cache = RaggedCache(read.lying.cache, self.widest)
            self.cache.reserve(self.rows)
        length = len(read.draft.item.prompt) - self.prefix.apart
        self.cache.place(read.lying.cache, read.lying.row, read.lying.columns, length)
        self.drafts.append(read.draft)

    def advance(self, endings: Endings) -> Iterator[tuple[int, Generated]]:
        """One more token for each row; those that have ended with it leave."""
        chosen = choose(self.step(), self.drafts)
        for lane in reversed(range(len(self.drafts))):  # the last takes the place of who leaves
            draft = self.drafts[lane]
            made = endings.add(draft, chosen[lane])
            if made is not None:
                self.drop(lane)
                yield draft.place, made

    @torch.inference_mode()
    def step(self) -> Tensor:
        """Logits [rows, vocabulary] after the last token of each row."""
        assert self.cache is not None
        seen = self.cache.extend()
        last = [[draft.tokens[-1]] for draft in self.drafts]
        with in_front(self.prefix.cache if self.prefix.front else None):
            reply = self.model(
                input_ids=torch.tensor(last, device=seen.device),
                attention_mask=seen,
                position_ids=(self.cache.ends + self.prefix.apart).unsqueeze(1),
                past_key_values=self.cache,
                use_cache=True,
            )
        self.cache.written()
        return reply.logits[:, -1]  # type: ignore[no-any-return]

    @torch.inference_mode()
    def drop(self, lane: int) -> None:
        """The row leaves; the last one takes its lane."""
        assert self.cache is not None
        self.cache.drop(lane)
        self.drafts[lane] = self.drafts[-1]
        self.drafts.pop()
