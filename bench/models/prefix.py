"""Log-likelihoods of the choices of many prompts, each distinct token computed about once.

What all prompts share (system prompt, instruction, fixed shots) is run once and kept as key/value
cache. The choices of a prompt are packed behind it in one row as the branches of a tree: a mask
lets each branch see its prompt and itself, and position ids restart at the end of the prompt.

    prompt   p p p p          positions 0 1 2 3
    branch   a a              positions         4 5      sees p, a
    branch   b b b            positions         4 5 6    sees p, b

A model that cannot be asked like this (it ignores position ids, or keeps recurrent state) is found
out by `packs`, a probe, and scored by `bench.models.rows`, one row a choice.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from bench.models.batching import Budget, batches, common_prefix
from bench.models.model import Encoded
from bench.models.projection import Wanted, project_only, sum_logprobs
from bench.models.rows import score_rows

MINIMUM_SHARED = 8  # tokens; below this a cache costs more than it saves
# Relative difference of log-likelihoods that rounding alone can make.
TOLERANCE = {torch.float32: 2e-5, torch.float16: 5e-3, torch.bfloat16: 1.2e-2}
Scores = tuple[list[float], list[bool]]


def score_packed(
    model: PreTrainedModel, items: Sequence[Encoded], budget: Budget
) -> Iterator[tuple[int, Scores]]:
    """(position in `items`, (log-likelihoods, greedy flags) of its continuations), by batch."""
    prefix = shared_prefix(items)
    cache = run_prefix(model, items[0].prompt[:prefix]) if prefix else None
    lengths = [_row_length(item) - prefix for item in items]
    positions = [1 + sum(map(len, item.continuations)) - len(item.continuations) for item in items]
    for batch in batches(lengths, positions, budget):
        chosen = [items[place] for place in batch]
        yield from zip(batch, _score_batch(model, chosen, prefix, cache), strict=True)


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
        packed = _flat(score_packed(model, items, budget))
    except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError):
        return False  # no cache, no 4-D mask or no position ids: that is the answer
    return torch.allclose(
        packed, _flat(score_rows(model, items, budget)), rtol=TOLERANCE[model.dtype], atol=0.0
    )


def run_prefix(model: PreTrainedModel, ids: Sequence[int]) -> DynamicCache:
    """The key/value cache of `ids`, batch size 1."""
    tokens = torch.tensor([ids], device=model.device)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode(), project_only(model, torch.zeros(1, dtype=torch.long)):
        model(input_ids=tokens, past_key_values=cache, use_cache=True)
    return cache


def shared_prefix(items: Sequence[Encoded]) -> int:
    """Length of the prefix worth caching; every prompt keeps at least its last token."""
    shortest = min(len(item.prompt) for item in items)
    shared = min(common_prefix([item.prompt for item in items]), shortest - 1)
    return shared if shared >= MINIMUM_SHARED and len(items) > 1 else 0


def repeat_cache(cache: DynamicCache, rows: int) -> DynamicCache:
    """A copy of a batch-1 cache for `rows` rows; the original stays as it is."""
    repeated = copy.deepcopy(cache)
    repeated.batch_repeat_interleave(rows)
    return repeated


def _row_length(item: Encoded) -> int:
    return len(item.prompt) + sum(len(branch) - 1 for branch in item.continuations)


def _score_batch(
    model: PreTrainedModel, items: Sequence[Encoded], prefix: int, cache: DynamicCache | None
) -> list[Scores]:
    width = max(_row_length(item) for item in items) - prefix
    ids, places, segments = _layout(items, prefix, width)
    mask = _tree_mask(segments.to(model.device), prefix, model.dtype)
    wanted, owners = _wanted(items, prefix, width)
    positions = torch.tensor(wanted.positions, device=model.device)
    past = {} if cache is None else {"past_key_values": repeat_cache(cache, len(items))}
    with torch.inference_mode(), project_only(model, positions):
        logits = model(
            input_ids=ids.to(model.device),
            attention_mask=mask,
            position_ids=places.to(model.device),
            use_cache=cache is not None,
            **past,
        ).logits
        totals, greedy = sum_logprobs(logits, wanted, owners)
    return _regroup(items, totals, greedy)


def _layout(items: Sequence[Encoded], prefix: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids, position ids and segments, each [rows, width].

    Segment 0 is the prompt, 1, 2, ... its branches, -1 padding.
    """
    rows: list[list[list[int]]] = [[], [], []]
    for item in items:
        own = list(item.prompt[prefix:])
        ids, places, segments = own, list(range(prefix, prefix + len(own))), [0] * len(own)
        for number, branch in enumerate(item.continuations, start=1):
            ids = ids + list(branch[:-1])
            places += range(len(item.prompt), len(item.prompt) + len(branch) - 1)
            segments += [number] * (len(branch) - 1)
        padding = width - len(ids)
        rows[0].append(ids + [0] * padding)
        rows[1].append(places + [0] * padding)
        rows[2].append(segments + [-1] * padding)
    ids_, places_, segments_ = (torch.tensor(part) for part in rows)
    return ids_, places_, segments_


def _tree_mask(segments: Tensor, prefix: int, dtype: torch.dtype) -> Tensor:
    """Additive mask [rows, 1, width, prefix + width]: 0 where a token is seen, else the minimum."""
    rows, width = segments.shape
    asking, seen = segments.unsqueeze(2), segments.unsqueeze(1)
    causal = torch.ones(width, width, dtype=torch.bool, device=segments.device).tril()
    visible = causal & ((seen == 0) | (seen == asking)) & (seen >= 0)
    visible |= torch.eye(width, dtype=torch.bool, device=segments.device)  # padding sees itself
    if prefix:
        before = torch.ones(rows, width, prefix, dtype=torch.bool, device=segments.device)
        visible = torch.cat([before, visible], dim=2)
    mask = torch.zeros(visible.shape, dtype=dtype, device=segments.device)
    return mask.masked_fill_(~visible, torch.finfo(dtype).min).unsqueeze(1)


def _wanted(items: Sequence[Encoded], prefix: int, width: int) -> tuple[Wanted, int]:
    """Where each continuation token is predicted; first tokens share the prompt's last position."""
    wanted = Wanted([], [], [], [])
    owner = 0
    for row, item in enumerate(items):
        last = row * width + len(item.prompt) - prefix - 1
        wanted.positions.append(last)
        shared, place = len(wanted.positions) - 1, last + 1
        for branch in item.continuations:
            wanted.rows.append(shared)
            for _ in branch[:-1]:
                wanted.positions.append(place)
                wanted.rows.append(len(wanted.positions) - 1)
                place += 1
            wanted.tokens.extend(branch)
            wanted.owners.extend([owner] * len(branch))
            owner += 1
    return wanted, owner


def _regroup(items: Sequence[Encoded], totals: list[float], greedy: list[bool]) -> list[Scores]:
    grouped: list[Scores] = []
    start = 0
    for item in items:
        end = start + len(item.continuations)
        grouped.append((totals[start:end], greedy[start:end]))
        start = end
    return grouped


def _flat(scored: Iterator[tuple[int, Scores]]) -> Tensor:
    by_place = sorted(scored, key=lambda pair: pair[0])
    return torch.tensor([value for _, (totals, _) in by_place for value in totals])
