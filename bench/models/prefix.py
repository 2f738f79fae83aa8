"""Log-likelihoods of the choices of many prompts, each distinct token computed about once.

What all prompts share (system prompt, instruction, fixed shots) is run once and kept as key/value
cache. Behind it the prompts and their choices stand in rows as a forest (`bench.models.forest`), so
whatever some of them begin with alike, such as the shots of one subject, stands once in a row, and
so do equal prompts and choices. Every token sees those that it descends from, and its position is
their number.

    prompt   p p p p          positions 0 1 2 3
    branch   a a              positions         4 5      sees p, a
    branch   a b b            positions           5 6    sees p, a, b

On CPUs a row holds a whole batch and attention runs in blocks (`bench.models.blocks`); elsewhere
rows are short, about equally long, and have a dense mask. A model that cannot be asked like this
(it ignores position ids, or keeps recurrent state) is found out by `packs`, a probe, and scored by
`bench.models.rows`, one row a choice.
"""

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.attention import CANNOT, runs_pieces
from bench.models.batching import Budget, batches, common_prefix
from bench.models.blocks import cut, in_blocks
from bench.models.forest import Row, branch_tokens, fill, plant, positions_of
from bench.models.lanes import lane_count, part_of, side_by_side
from bench.models.memory import raise_if_short
from bench.models.model import Encoded, Scored
from bench.models.projection import Wanted, project_only, score_tokens
from bench.models.reach import reach
from bench.models.rows import score_rows

MINIMUM_SHARED = 8  # tokens; below this a cache costs more than it saves
CACHED_FROM = 48  # tokens; a shorter prefix is cheaper once a row than in a pass of its own
_TAKES_CACHE: "WeakKeyDictionary[PreTrainedModel, bool]" = WeakKeyDictionary()
ROW = 512  # tokens of a row with a dense mask, unless an item is longer
# Relative difference of log-likelihoods that rounding alone can make.
TOLERANCE = {torch.float32: 2e-5, torch.float16: 5e-3, torch.bfloat16: 1.2e-2}


@dataclass(slots=True)
class KeptPrefix:
    """The key/value cache of the prefix that was asked last, which calls on one task share.

    A cache depends on the tokens alone, so an answer does not depend on whether it was kept.
    """

    ids: tuple[int, ...] = ()
    cache: DynamicCache | None = None

    def of(self, model: PreTrainedModel, ids: tuple[int, ...]) -> DynamicCache:
        """The cache of `ids`, batch size 1."""
        if self.cache is None or self.ids != ids:
            self.ids, self.cache = ids, run_prefix(model, ids)
        return self.cache


def score_packed(
    model: PreTrainedModel,
    items: Sequence[Encoded],
    budget: Budget,
    kept: KeptPrefix | None = None,
    cached_from: int = CACHED_FROM,
) -> Iterator[tuple[int, list[Scored]]]:
    """(position in `items`, the scores of its continuations), by batch.

    A prefix of all prompts is cached if it has `cached_from` tokens or more.
    """
    prefix = shared_prefix(items, cached_from)
    kept = kept or KeptPrefix()
    cache = kept.of(model, items[0].prompt[:prefix]) if prefix else None
    budget = part_of(budget, model.device)
    width = _row_width(model, items, prefix, budget)
    parts = lane_count(model.device) if runs_pieces(model) else 1
    rows = list(fill(items, prefix, replace(budget, tokens=width), parts))
    planted = [plant([items[place] for place in row], prefix) for row in rows]
    lengths = [len(row.ids) for row in planted]
    positions = [sum(positions_of(items[place]) for place in row) for row in rows]
    bounds = replace(budget, rows=1) if runs_pieces(model) else budget
    work = list(batches(lengths, positions, bounds))

    def score(batch: Sequence[int]) -> list[list[Scored]]:
        return _score_batch(model, [planted[number] for number in batch], prefix, cache)

    for batch, scored in zip(work, side_by_side(score, work, model.device), strict=True):
        places = [place for number in batch for place in rows[number]]
        yield from zip(places, scored, strict=True)


def packs(model: PreTrainedModel) -> bool:
    """Whether packed scoring gives what one row a choice gives, up to the rounding of the dtype.

    A mask or position ids that the model ignores move these sums by several percent.
    """
    generator = torch.Generator().manual_seed(0)
    words = model.config.get_text_config().vocab_size
    ids: list[int] = torch.randint(1, words, (64,), generator=generator).tolist()
    items = [
        Encoded(tuple(ids[:12]) + tuple(ids[12:20]), (tuple(ids[20:26]), tuple(ids[26:30]))),
        Encoded(tuple(ids[:12]) + tuple(ids[30:33]), (tuple(ids[33:36]), tuple(ids[36:43]))),
    ]
    budget = Budget(tokens=4096, positions=4096, rows=64)
    try:
        packed = _flat(score_packed(model, items, budget, cached_from=MINIMUM_SHARED))
    except CANNOT as error:  # no cache, no 4-D mask or no position ids: that is the answer
        raise_if_short(error)
        return False
    return torch.allclose(
        packed, _flat(score_rows(model, items, budget)), rtol=TOLERANCE[model.dtype], atol=0.0
    )


def takes_cache(model: PreTrainedModel) -> bool:
    """Whether a decoder-only `model` runs behind a DynamicCache: some keep nothing, some want a
    cache of their own."""
    if model not in _TAKES_CACHE:
        _TAKES_CACHE[model] = _runs_behind(model)
    return _TAKES_CACHE[model]


def _runs_behind(model: PreTrainedModel) -> bool:
    if "past_key_values" not in inspect.signature(model.forward).parameters:
        return False
    try:
        run_prefix(model, [1])
    except CANNOT as error:
        raise_if_short(error)
        return False
    return True


def run_prefix(model: PreTrainedModel, ids: Sequence[int]) -> DynamicCache:
    """The key/value cache of `ids`, batch size 1."""
    tokens = torch.tensor([ids], device=model.device)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode(), project_only(model, torch.zeros(1, dtype=torch.long)):
        model(input_ids=tokens, past_key_values=cache, use_cache=True)
    return cache


def shared_prefix(items: Sequence[Encoded], least: int = MINIMUM_SHARED) -> int:
    """Length of the prefix worth caching; every prompt keeps at least its last token."""
    shortest = min(len(item.prompt) for item in items)
    shared = min(common_prefix([item.prompt for item in items]), shortest - 1)
    return shared if shared >= least and len(items) > 1 else 0


def repeat_cache(cache: DynamicCache, rows: int) -> DynamicCache:
    """A batch-1 cache for `rows` rows; the original stays as it is.

    Nothing is copied: a cache grows by making new tensors.
    """
    repeated = copy.copy(cache)
    repeated.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in repeated.layers:
        for name in ("keys", "values"):
            setattr(layer, name, getattr(layer, name).expand(rows, -1, -1, -1))
    return repeated


def _row_width(
    model: PreTrainedModel, items: Sequence[Encoded], prefix: int, budget: Budget
) -> int:
    """Tokens of a row behind `prefix`: a batch where width costs nothing, else about the longest
    item's; within the model's reach."""
    width = budget.tokens
    if not runs_pieces(model):
        longest = max(len(item.prompt) - prefix + branch_tokens(item) for item in items)
        width = max(longest, min(ROW, width))
    return min(width, reach(model.config) - prefix)


def _score_batch(
    model: PreTrainedModel, rows: Sequence[Row], prefix: int, cache: DynamicCache | None
) -> list[list[Scored]]:
    """The scores of the items of `rows`, in order."""
    width = max(len(row.ids) for row in rows)
    device = model.device
    wanted, owners = _wanted(rows, width)
    past = {} if cache is None else {"past_key_values": repeat_cache(cache, len(rows))}
    attended: AbstractContextManager[None] = nullcontext()
    if runs_pieces(model):
        (row,) = rows
        mask = torch.zeros(1, 1, 1, 1, dtype=model.dtype, device=device)
        attended = in_blocks(mask, cut(row, prefix, device))
    else:
        mask = _forest_mask(rows, width, prefix, model.dtype).to(device)
    positions = torch.tensor(wanted.positions, device=device)
    with torch.inference_mode(), project_only(model, positions), attended:
        logits = model(
            input_ids=_padded([row.ids for row in rows], width).to(device),
            attention_mask=mask,
            position_ids=_padded([row.places for row in rows], width).to(device),
            use_cache=cache is not None,
            **past,
        ).logits
        found = iter(score_tokens(logits, wanted, owners))
    return [[next(found) for _ in item.continuations] for row in rows for item in row.items]


def _padded(rows: Sequence[Sequence[int]], width: int) -> Tensor:
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])


def _forest_mask(rows: Sequence[Row], width: int, prefix: int, dtype: torch.dtype) -> Tensor:
    """Additive mask [rows, 1, width, prefix + width]: 0 where a token is seen, else the minimum."""
    stops = _padded([row.stops for row in rows], width).unsqueeze(1)
    place = torch.arange(width)
    asking, seen = place.unsqueeze(1), place.unsqueeze(0)
    visible = (seen <= asking) & (asking < stops)
    visible |= asking == seen  # padding sees itself
    mask = torch.zeros(len(rows), 1, width, prefix + width, dtype=dtype)
    mask[:, 0, :, prefix:].masked_fill_(~visible, torch.finfo(dtype).min)
    return mask


def _wanted(rows: Sequence[Row], width: int) -> tuple[Wanted, int]:
    """Where each continuation token is predicted; what stands once in a row is projected once."""
    wanted = Wanted([], [], [], [])
    slots: dict[int, int] = {}
    owner = 0
    for number, row in enumerate(rows):
        for item, branches in zip(row.items, row.predicting, strict=True):
            for tokens, predicting in zip(item.continuations, branches, strict=True):
                places = [number * width + place for place in predicting]
                wanted.rows.extend(slots.setdefault(place, len(slots)) for place in places)
                wanted.tokens.extend(tokens)
                wanted.owners.extend([owner] * len(tokens))
                owner += 1
    wanted.positions.extend(slots)
    return wanted, owner


def _flat(scored: Iterator[tuple[int, list[Scored]]]) -> Tensor:
    by_place = sorted(scored, key=lambda pair: pair[0])
    return torch.tensor([one.total for _, found in by_place for one in found])
