"""Batches of rows that begin together and are written step by step, with the rows that still go on.

Three ways for three kinds of models; `bench.models.fixed` chooses one, `bench.models.padded` probes
whether padding leaves the rows of the first two as they are alone.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.pad import pad
from bench.models.projection import project_only


class Stepper(Protocol):
    """One batch under generation."""

    def first(self) -> Tensor:
        """Logits [rows, vocabulary] after the prompts."""

    def step(self, tokens: Tensor) -> Tensor:
        """Logits [rows, vocabulary] after one more token [rows] each."""

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but `rows`."""


class Causal:
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


class Rereading:
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


class EncoderDecoder:
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

    def begin(self) -> Tensor:
        """Logits [rows, vocabulary] after the token that every text starts with."""
        start = self.model.config.decoder_start_token_id
        return self.step(torch.full((len(self.mask),), start, device=self.mask.device))

    def first(self) -> Tensor:
        logits = self.begin()
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
