"""Generation: prompts padded on the left, a key/value cache, rows that stop on their own.

A row ends at an end-of-text token, at the first of its stop strings, or at its length. Ended rows
leave the batch. Sampling draws from a generator seeded by the request, so a reply does not depend
on its neighbours in the batch.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.batching import Budget, batches
from bench.models.model import Encoded
from bench.models.prefix import repeat_cache, run_prefix, shared_prefix
from bench.models.projection import project_only
from bench.models.reach import rope_switch
from bench.models.rows import pad
from bench.types import Finish, Generation

PADDING_LEAKS = ("recurrent_gemma",)  # the recurrence reads padding on the left
LEAVE_AT = 0.25  # share of ended rows at which the batch is compacted
Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True)
class Generated:
    """The text before the first stop, the tokens made (an end token included), and why it ended."""

    text: str
    ids: tuple[int, ...]
    finish: Finish


class Stepper(Protocol):
    """One batch under generation."""

    def first(self) -> Tensor:
        """Logits [rows, vocabulary] after the prompts."""

    def step(self, tokens: Tensor) -> Tensor:
        """Logits [rows, vocabulary] after one more token [rows] each."""

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but `rows`."""


@dataclass(slots=True)
class _Row:
    """What one row has made so far."""

    place: int
    settings: Generation
    tokens: list[int] = field(default_factory=list)
    done: Generated | None = None


def generate(
    model: PreTrainedModel,
    items: Sequence[Encoded],
    budget: Budget,
    end_ids: frozenset[int],
    decode: Decode,
    share: bool,
) -> Iterator[tuple[int, Generated]]:
    """(position in `items`, what was generated) for each, by batch, longest prompts first.

    `share` runs the prefix of all prompts once; the rows are then padded behind it, which is right
    for models that `bench.models.prefix.packs` accepts, within their `reach`.
    """
    prefix = shared_prefix(items) if share else 0
    cache = run_prefix(model, items[0].prompt[:prefix]) if prefix else None
    lengths = [len(item.prompt) - prefix + _settings(item).max_tokens for item in items]
    for batch in batches(lengths, [1] * len(items), budget):
        stepper = _stepper(model, [items[place] for place in batch], prefix, cache)
        rows = [_Row(place, _settings(items[place])) for place in batch]
        with torch.inference_mode():
            yield from _run(stepper, rows, end_ids, decode)


def _stepper(
    model: PreTrainedModel, items: Sequence[Encoded], prefix: int, cache: DynamicCache | None
) -> Stepper:
    prompts = [item.prompt[prefix:] for item in items]
    if model.config.is_encoder_decoder:
        return _EncoderDecoder(model, prompts)
    switch = rope_switch(model.config)
    crosses = switch is not None and any(
        len(item.prompt) <= switch < len(item.prompt) + _settings(item).max_tokens for item in items
    )
    cached = "past_key_values" in inspect.signature(model.forward).parameters
    if crosses or not cached or model.config.model_type in PADDING_LEAKS:
        return _Rereading(model, prompts)
    return _Causal(model, prompts, prefix, cache)


def _run(
    stepper: Stepper, rows: list[_Row], end_ids: frozenset[int], decode: Decode
) -> Iterator[tuple[int, Generated]]:
    samplers = {id(row): _sampler(row.settings) for row in rows}
    logits = stepper.first()
    while rows:
        chosen = _choose(logits, rows, samplers)
        for row, token in zip(rows, chosen, strict=True):
            if row.done is None:
                row.done = _advance(row, token, end_ids, decode)
                if row.done is not None:
                    yield row.place, row.done
        alive = [number for number, row in enumerate(rows) if row.done is None]
        if not alive:
            return
        if len(rows) - len(alive) >= LEAVE_AT * len(rows):
            stepper.keep(torch.tensor(alive, device=logits.device))
            rows = [rows[number] for number in alive]
            chosen = [chosen[number] for number in alive]
        logits = stepper.step(torch.tensor(chosen, device=logits.device))


def _advance(row: _Row, token: int, end_ids: frozenset[int], decode: Decode) -> Generated | None:
    """Add `token` to `row`; what was generated if the row has ended."""
    if token in end_ids:
        return Generated(decode(row.tokens), (*row.tokens, token), "stop")
    row.tokens.append(token)
    full = len(row.tokens) == row.settings.max_tokens
    if not full and not row.settings.stops:
        return None
    text = decode(row.tokens)
    ends = [found for stop in row.settings.stops if (found := text.find(stop)) >= 0]
    if ends:
        return Generated(text[: min(ends)], tuple(row.tokens), "stop")
    return Generated(text, tuple(row.tokens), "length") if full else None


def _choose(
    logits: Tensor, rows: Sequence[_Row], samplers: dict[int, torch.Generator | None]
) -> list[int]:
    """The next token of each row: the most likely, or a draw."""
    chosen: list[int] = logits.argmax(-1).tolist()
    for number, row in enumerate(rows):
        sampler = samplers[id(row)]
        if sampler is not None and row.done is None:
            chosen[number] = _draw(logits[number], row.settings, sampler)
    return chosen


def _draw(logits: Tensor, settings: Generation, sampler: torch.Generator) -> int:
    """Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751): the smallest set of tokens whose
    probability reaches top_p."""
    probability = (logits.float().cpu() / settings.temperature).softmax(-1)
    if settings.top_p < 1.0:
        ordered, order = probability.sort(descending=True)
        ordered[ordered.cumsum(-1) - ordered >= settings.top_p] = 0.0
        return int(order[torch.multinomial(ordered, 1, generator=sampler)])
    return int(torch.multinomial(probability, 1, generator=sampler))


def _sampler(settings: Generation) -> torch.Generator | None:
    if settings.temperature == 0.0:
        return None
    return torch.Generator().manual_seed(settings.seed)


def _settings(item: Encoded) -> Generation:
    assert item.generation is not None
    return item.generation


class _Causal:
    """Decoder-only models; the rows may continue a cached common prefix."""

    def __init__(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Sequence[int]],
        prefix: int,
        cache: DynamicCache | None,
    ) -> None:
        self.model = model
        # Several samples of one prompt read it once.
        distinct = {tuple(prompt): None for prompt in prompts}
        numbers = {prompt: number for number, prompt in enumerate(distinct)}
        self.asked = [numbers[tuple(prompt)] for prompt in prompts]
        self.ids, own = pad(list(distinct), left=True)
        shared = torch.ones(len(distinct), prefix, dtype=own.dtype)
        self.mask = torch.cat([shared, own], dim=1).to(model.device)
        self.cache = (
            DynamicCache(config=model.config)
            if cache is None
            else repeat_cache(cache, len(distinct))
        )

    def first(self) -> Tensor:
        logits = self._run(self.ids.to(self.model.device))
        if len(self.asked) == len(self.ids):
            return logits
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

    def __init__(self, model: PreTrainedModel, prompts: Sequence[Sequence[int]]) -> None:
        self.model = model
        self.rows = [list(prompt) for prompt in prompts]

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

    def __init__(self, model: PreTrainedModel, prompts: Sequence[Sequence[int]]) -> None:
        self.model = model
        ids, mask = pad(prompts)
        self.mask = mask.to(model.device)
        with torch.inference_mode():
            self.encoded = model.get_encoder()(
                input_ids=ids.to(model.device), attention_mask=self.mask
            )
        self.past = None

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
