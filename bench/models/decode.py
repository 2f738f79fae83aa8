"""Generation: the next tokens of many prompts, each reply as if its prompt had been asked alone.

A reply ends at an end-of-text token, at the first of its stop strings, or at its length
(`bench.models.draft`). Rows that have ended make room for the next requests where the model lets
them (`bench.models.refill`), else the batch gets smaller (`bench.models.fixed`). Sampling draws by
numbers seeded by the request, so a reply does not depend on its neighbours (`bench.models.draw`).
`bench.models.hf` and the samplers of training call it.
"""

from collections.abc import Iterator, Mapping, Sequence
from threading import Event

from transformers import PreTrainedModel

from bench.models.batching import Budget
from bench.models.draft import NO_TOKENS, Draft, Endings, Generated, drafts_of
from bench.models.fixed import in_fixed_batches
from bench.models.lanes import merged, part_of, parted
from bench.models.model import Encoded
from bench.models.prefix import KeptPrefix, shared_prefix
from bench.models.reading import Prefix
from bench.models.refill import refill
from bench.models.refillable import How, refillable
from bench.models.stops import Decode

FRONT_FROM = 32  # tokens; a shorter prefix costs less in every row than apart from all


def generate(
    model: PreTrainedModel,
    items: Sequence[Encoded],
    budget: Budget,
    end_ids: frozenset[int],
    decode: Decode,
    share: bool,
    kept: KeptPrefix | None = None,
    special: Mapping[str, int] = NO_TOKENS,
) -> Iterator[tuple[int, Generated]]:
    """(position in `items`, what was generated) for each, as they end.

    `share` lets rows enter in the midst of others and share what all prompts begin with, if the
    model can be asked so. That is right for rows within its `bench.models.reach`. `kept` holds the
    prefix between calls, `special` the special tokens (`bench.models.draft.Endings`).
    """
    drafts = drafts_of(items)
    how: How = refillable(model) if share and items else "never"
    if how == "never":
        return in_fixed_batches(model, drafts, budget, Endings(end_ids, decode, special))
    prefix = _prefix(model, items, kept or KeptPrefix(), how)
    bounds, enough = part_of(budget, model.device), Event()
    parts = parted(_by_prompt(drafts), lambda draft: draft.most, model.device)
    streams = [
        refill(
            model, part, bounds, Endings(end_ids, decode, special), prefix, how == "front", enough
        )
        for part in parts
    ]
    return merged(streams, enough)


def _by_prompt(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """Drafts of equal prompts, which are read once, together."""
    groups: dict[tuple[int, ...], list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.item.prompt, []).append(draft)
    return list(groups.values())


def _prefix(model: PreTrainedModel, items: Sequence[Encoded], kept: KeptPrefix, how: How) -> Prefix:
    length = shared_prefix(items)
    if not length:
        return Prefix()
    cache = kept.of(model, items[0].prompt[:length])
    return Prefix(length, cache, front=how == "front" and length >= FRONT_FROM)
