"""Which models can be given a new row in the midst of others, a prefix in front and prompts in one
row: a probe.

Two rows of unequal length are written side by side, one leaves, and every prediction is compared
with that of a whole forward pass. `bench.models.decode` asks once a model.
"""

from collections.abc import Sequence
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from bench.models.attention import CANNOT, runs_pieces
from bench.models.draft import Endings, drafts_of
from bench.models.memory import raise_if_short
from bench.models.model import Encoded
from bench.models.prefix import run_prefix
from bench.models.queue import Queue
from bench.models.reading import Prefix
from bench.models.refill import Batch
from bench.models.whole import near, whole_logits
from bench.types import Generation

How = Literal["front", "copied", "never"]
LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)  # within a window both hold all tokens
SHARED = 9  # tokens that the rows of the probe begin with alike
_KNOWN: "WeakKeyDictionary[PreTrainedModel, How]" = WeakKeyDictionary()


def refillable(model: PreTrainedModel) -> How:
    """Whether rows can be refilled, with what they share in front of all and prompts packed into
    one row, or with copies of it in padded rows."""
    if model not in _KNOWN:
        _KNOWN[model] = _probe(model)
    return _KNOWN[model]


def _probe(model: PreTrainedModel) -> How:
    if model.config.is_encoder_decoder:
        return "never"
    if any(type(layer) not in LAYERS for layer in DynamicCache(config=model.config).layers):
        return "never"
    if runs_pieces(model) and _continues(model, front=True):
        return "front"
    return "copied" if _continues(model, front=False) else "never"


@torch.inference_mode()
def _continues(model: PreTrainedModel, front: bool) -> bool:
    """Whether rows side by side are predicted as they are alone."""
    generator = torch.Generator().manual_seed(0)
    words = model.config.get_text_config().vocab_size
    ids: list[int] = torch.randint(1, words, (SHARED + 10,), generator=generator).tolist()
    prompts = (tuple(ids[:-3]), tuple(ids[:SHARED] + ids[-3:]))
    try:
        prefix = Prefix(SHARED, run_prefix(model, ids[:SHARED]), front)
        return all(
            near(found, whole_logits(model, row, ())[-1])
            for row, found in _predicted(model, prompts, prefix)
        )
    except (*CANNOT, LookupError) as error:  # no cache, no mask or no position ids: that's it
        raise_if_short(error)
        return False


def _predicted(
    model: PreTrainedModel, prompts: Sequence[tuple[int, ...]], prefix: Prefix
) -> list[tuple[list[int], Tensor]]:
    """Rows of token ids, and the logits [vocabulary] after each: one row, two, the other alone."""
    drafts = drafts_of([Encoded(prompt, generation=Generation(9)) for prompt in prompts])
    queue = Queue(model, drafts, prefix, 2 * len(prompts[0]), packed=prefix.front)
    batch = Batch(model, prefix, max(draft.most for draft in drafts))
    list(queue.read(len(drafts), Endings(frozenset(), str)))
    batch.reserve(len(drafts))
    found = []
    for number in range(3):
        if queue.ready:
            batch.place(queue.ready.popleft())
        if number == 2:
            batch.drop(0)
        logits = batch.step()
        for draft, own in zip(batch.drafts, logits, strict=True):
            found.append(([*draft.item.prompt, *draft.tokens], own))
            draft.tokens.append(1)
    return found
