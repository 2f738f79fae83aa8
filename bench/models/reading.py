"""One pass over the prompts of texts that are about to be written: the logits after each, and where
its keys and values lie.

Padded rows suit every model. Where attention runs in blocks (`bench.models.blocks`) the prompts
stand in one forest row instead: no padding, what some begin with alike is read once, and no prompt
looks at more than itself. `bench.models.queue` says which prompts go together.

    prompts p q, p r s, t    padded  p q . | p r s | t . .      packed  p q r s t
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.blocks import cut, in_blocks
from bench.models.forest import Row, plant
from bench.models.model import Encoded
from bench.models.pad import pad
from bench.models.projection import project_only
from bench.models.ragged import states_of

Prompts = Sequence[tuple[int, ...]]
NOTHING = ((0,),)  # a continuation of one token, of which none is read


@dataclass(frozen=True, slots=True)
class Prefix:
    """What all prompts begin with: `length` tokens in a `cache` of batch size 1, None for none.
    It lies in `front` of all rows, or is copied to the start of each."""

    length: int = 0
    cache: DynamicCache | None = None
    front: bool = False

    @property
    def apart(self) -> int:
        """Tokens of a row that do not lie in it but in front."""
        return self.length if self.front else 0


@dataclass(frozen=True, slots=True)
class Lying:
    """Where a prompt's keys and values lie, without those in front: the `columns` of a `row`."""

    cache: DynamicCache
    row: int
    columns: Tensor | slice


Read = tuple[Tensor, list[Lying]]  # logits [prompts, vocabulary], and a place for each prompt


@torch.inference_mode()
def read_padded(model: PreTrainedModel, prompts: Prompts, prefix: Prefix) -> Read:
    """Rows are padded on the right, where no token of a prompt looks: no mask is needed."""
    start = prefix.length
    ids, _ = pad([prompt[start:] for prompt in prompts])
    rows, width = ids.shape
    ends = [row * width + len(prompt) - start - 1 for row, prompt in enumerate(prompts)]
    places = torch.arange(start, start + width, device=model.device).expand(rows, -1)
    cache = _behind(prefix, rows)
    with project_only(model, torch.tensor(ends, device=model.device)):
        reply = model(
            input_ids=ids.to(model.device),
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
        )
    lying = [
        Lying(cache, row, slice(prefix.apart, len(prompt))) for row, prompt in enumerate(prompts)
    ]
    return reply.logits[0], lying


@torch.inference_mode()
def read_packed(model: PreTrainedModel, prompts: Prompts, prefix: Prefix) -> Read:
    """The prompts are one forest row of batch size 1."""
    device = model.device
    row = plant([Encoded(prompt, NOTHING) for prompt in prompts], prefix.length)
    ends = [last for ((last,),) in row.predicting]
    mask = torch.zeros(1, 1, 1, 1, dtype=model.dtype, device=device)
    cache = _behind(prefix, 1)
    blocks = cut(row, prefix.length, device)
    with project_only(model, torch.tensor(ends, device=device)), in_blocks(mask, blocks):
        reply = model(
            input_ids=torch.tensor([row.ids], device=device),
            attention_mask=mask,
            position_ids=torch.tensor([row.places], device=device),
            past_key_values=cache,
            use_cache=True,
        )
    lying = [Lying(cache, 0, columns) for columns in _columns(row, ends, prefix, device)]
    return reply.logits[0], lying


def _behind(prefix: Prefix, rows: int) -> DynamicCache:
    """A cache for `rows` rows behind `prefix`.

    It keeps whatever it is given: that of a model with a window would forget the first prompts of a
    row that holds more than its window, though no prompt is longer.
    """
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(states_of(prefix.cache) if prefix.cache else ()):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache


def _columns(row: Row, ends: Sequence[int], prefix: Prefix, device: torch.device) -> list[Tensor]:
    """For each prompt the tokens that its last one, in `ends`, descends from, and itself."""
    stops = torch.tensor(row.stops, device=device)
    copied = torch.arange(prefix.apart, prefix.length, device=device)
    paths = [(stops[: last + 1] > last).nonzero().flatten() for last in ends]
    return [torch.cat([copied, prefix.length + path]) for path in paths]
