"""Fixed batches: rows begin together and leave when they have ended; the next batch begins then.

For models that cannot be given a new row in the midst of others (`bench.models.refillable` finds
out): encoder-decoders, recurrent ones, those with windows that the rows are longer than.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from transformers import PreTrainedModel

from bench.models.batching import Budget, batches
from bench.models.draft import Draft, Endings, Generated
from bench.models.draw import choose
from bench.models.padded import pads_left, pads_right
from bench.models.prefix import takes_cache
from bench.models.reach import rope_switch
from bench.models.steppers import Causal, EncoderDecoder, Rereading, Stepper

LEAVE_AT = 0.25  # share of ended rows at which the batch is made smaller


def in_fixed_batches(
    model: PreTrainedModel, drafts: Sequence[Draft], budget: Budget, endings: Endings
) -> Iterator[tuple[int, Generated]]:
    """(place, what was generated) of each of `drafts`, by batch, the longest first."""
    budget = budget if _may_be_padded(model, drafts) else replace(budget, rows=1)
    for batch in batches([draft.most for draft in drafts], [1] * len(drafts), budget):
        yield from _run(model, [drafts[number] for number in batch], endings)


def _run(
    model: PreTrainedModel, drafts: Sequence[Draft], endings: Endings
) -> Iterator[tuple[int, Generated]]:
    """One batch. Rows that have ended are carried along until there are enough of them."""
    rows, ended = list(drafts), set()
    with torch.inference_mode():
        stepper = _stepper(model, drafts)
        logits = stepper.first()
    while True:
        chosen = choose(logits, rows)
        for draft, token in zip(rows, chosen, strict=True):
            if draft.place not in ended:
                made = endings.add(draft, token)
                if made is not None:
                    ended.add(draft.place)
                    yield draft.place, made
        alive = [number for number, draft in enumerate(rows) if draft.place not in ended]
        if not alive:
            return
        with torch.inference_mode():
            if len(rows) - len(alive) >= LEAVE_AT * len(rows):
                stepper.keep(torch.tensor(alive, device=logits.device))
                rows = [rows[number] for number in alive]
                chosen = [chosen[number] for number in alive]
            logits = stepper.step(torch.tensor(chosen, device=logits.device))


def _stepper(model: PreTrainedModel, drafts: Sequence[Draft]) -> Stepper:
    # Several samples of one prompt read it once.
    distinct = list(dict.fromkeys(draft.item.prompt for draft in drafts))
    numbers = {prompt: number for number, prompt in enumerate(distinct)}
    asked = [numbers[draft.item.prompt] for draft in drafts]
    if model.config.is_encoder_decoder:
        return EncoderDecoder(model, distinct, asked)
    switch = rope_switch(model.config)
    crosses = switch is not None and any(
        len(draft.item.prompt) <= switch < draft.most for draft in drafts
    )
    if crosses or not _continues(model, drafts):
        return Rereading(model, distinct, asked)
    return Causal(model, distinct, asked)


def _may_be_padded(model: PreTrainedModel, drafts: Sequence[Draft]) -> bool:
    """Whether rows, padded on the side where their stepper pads, are what each is alone."""
    if model.config.is_encoder_decoder:
        return pads_right(model, max((len(draft.item.prompt) for draft in drafts), default=0))
    return _continues(model, drafts) or pads_right(model, _widest(drafts))


def _continues(model: PreTrainedModel, drafts: Sequence[Draft]) -> bool:
    return takes_cache(model) and pads_left(model, _widest(drafts))


def _widest(drafts: Sequence[Draft]) -> int:
    return max((draft.most for draft in drafts), default=0)
