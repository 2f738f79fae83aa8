"""Fixed batches: rows begin together and leave when they have ended; the next batch begins then.

For models that cannot be given a new row in the midst of others (`bench.models.refillable` finds
out): encoder-decoders, recurrent ones, those with windows that the rows are longer than.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.batching import Budget, batches
from bench.models.draft import Draft, Endings, Generated
from bench.models.draw import choose
from bench.models.prefix import takes_cache
from bench.models.projection import project_only
from bench.models.reach import rope_switch
from bench.models.rows import pad

PADDING_LEAKS = ("recurrent_gemma",)  # the recurrence reads padding on the left
LEAVE_AT = 0.25  # share of ended rows at which the batch is made smaller


class Stepper(Protocol):
    """One batch under generation."""

    def first(self) -> Tensor:
        """Logits [rows, vocabulary] after the prompts."""

    def step(self, tokens: Tensor) -> Tensor:
        """Logits [rows, vocabulary] after one more token [rows] each."""

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but `rows`."""


def in_fixed_batches(
    model: PreTrainedModel, drafts: Sequence[Draft], budget: Budget, endings: Endings
) -> Iterator[tuple[int, Generated]]:
    """(place, what was generated) of each of `drafts`, by batch, the longest first."""
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
        return _EncoderDecoder(model, distinct, asked)
    switch = rope_switch(model.config)
    crosses = switch is not None and any(
        len(draft.item.prompt) <= switch < draft.most for draft in drafts
    )
    if crosses or not takes_cache(model) or model.config.model_type in PADDING_LEAKS:
        return _Rereading(model, distinct, asked)
    return _Causal(model, distinct, asked)


class _Causal:
    """Decoder-only models: prompts padded on the left, so that distances in a row are true."""

    def __init__(
        self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], asked: Sequence[int]
    ) -> None:
        self.model, self.asked = model, asked
        self.ids, mask = pad(prompts, left=True)
        self.mask = mask.to(model.device)
        self.cache = DynamicCache(config=model.config)

    def first(self) -> Tensor:
        logits = self._run(self.ids.to(self.model.device))
        rows = torch.tensor(self.asked, device=logits.device)
        self.keep(rows)
        return logits[rows]

    def step(self, tokens: Tensor) -> Tensor:
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        return self._run(tokens.unsqueeze(1))

    def keep(self, rows: Tensor) -> None:
        self.cache.reorder_cache(rows)  # type: ignore[arg-type]
        self.mask = self.mask[rows]

    def _run(self, ids: Tensor) -> Tensor:
        rows, width = ids.shape
        places = (self.mask.cumsum(-1) - 1).clamp(min=0)[:, -width:]
        last = torch.arange(1, rows + 1, device=ids.device) * width - 1
        with project_only(self.model, last):
            reply = self.model(
                input_ids=ids,
                attention_mask=self.mask,
                position_ids=places,
                past_key_values=self.cache,
                use_cache=True,
            )
        return reply.logits[0]  # type: ignore[no-any-return]


class _Rereading:
    """Models without a key/value cache (Mamba, RWKV): every step reads the rows again, whole."""

    def __init__(
        self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], asked: Sequence[int]
    ) -> None:
        self.model = model
        self.rows = [list(prompts[number]) for number in asked]

    def first(self) -> Tensor:
        ids, mask = pad(self.rows)
        ends = [number * ids.shape[1] + len(row) - 1 for number, row in enumerate(self.rows)]
        device = self.model.device
        with project_only(self.model, torch.tensor(ends, device=device)):
            reply = self.model(
                input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False
            )
        return reply.logits[0]  # type: ignore[no-any-return]

    def step(self, tokens: Tensor) -> Tensor:
        for row, token in zip(self.rows, tokens.tolist(), strict=True):
            row.append(token)
        return self.first()

    def keep(self, rows: Tensor) -> None:
        self.rows = [self.rows[number] for number in rows.tolist()]


class _EncoderDecoder:
    """T5 and its kin: the prompt is encoded once, the decoder generates."""

    def __init__(
        self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], asked: Sequence[int]
    ) -> None:
        self.model = model
        ids, mask = pad(prompts)
        self.mask = mask.to(model.device)
        self.encoded = model.get_encoder()(input_ids=ids.to(model.device), attention_mask=self.mask)
        self.past = None
        self.keep(torch.tensor(asked, device=model.device))

    def first(self) -> Tensor:
        start = self.model.config.decoder_start_token_id
        logits = self.step(torch.full((len(self.mask),), start, device=self.mask.device))
        forced = getattr(self.model.generation_config, "forced_bos_token_id", None)
        if forced is not None:  # BART's <s>, mBART's language
            logits = torch.full_like(logits, -torch.inf)
            logits[:, forced] = 0.0
        return logits

    def step(self, tokens: Tensor) -> Tensor:
        rows = torch.arange(len(tokens), device=tokens.device)
        with project_only(self.model, rows):
            reply = self.model(
                encoder_outputs=self.encoded,
                attention_mask=self.mask,
                decoder_input_ids=tokens.unsqueeze(1),
                past_key_values=self.past,
                use_cache=True,
            )
        self.past = reply.past_key_values
        return reply.logits[0]  # type: ignore[no-any-return]

    def keep(self, rows: Tensor) -> None:
        self.encoded.last_hidden_state = self.encoded.last_hidden_state[rows]
        self.mask = self.mask[rows]
        if self.past is not None:
            self.past.reorder_cache(rows)
