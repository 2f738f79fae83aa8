"""Log-likelihoods the plain way: one padded row for each prompt + continuation.

The path for models that cannot be asked as a tree (`bench.models.prefix`), for encoder-decoders,
and the reference that the packed path is checked against.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.batching import Budget, batches
from bench.models.model import Encoded
from bench.models.projection import Wanted, project_only, sum_logprobs

Scores = tuple[list[float], list[bool]]
Pair = tuple[tuple[int, ...], tuple[int, ...]]


def score_rows(
    model: PreTrainedModel, items: Sequence[Encoded], budget: Budget
) -> Iterator[tuple[int, Scores]]:
    """(position in `items`, (log-likelihoods, greedy flags) of its continuations)."""
    pairs = [(item.prompt, branch) for item in items for branch in item.continuations]
    waiting = [len(item.continuations) for item in items]
    owners = [place for place, item in enumerate(items) for _ in item.continuations]
    first = [owners.index(place) if waiting[place] else 0 for place in range(len(items))]
    totals, greedy = [0.0] * len(pairs), [False] * len(pairs)
    lengths = [len(prompt) + len(branch) for prompt, branch in pairs]
    for batch in batches(lengths, [len(branch) for _, branch in pairs], budget):
        run = _encoder_decoder if model.config.is_encoder_decoder else _causal
        found, flags = run(model, [pairs[place] for place in batch])
        for place, total, flag in zip(batch, found, flags, strict=True):
            totals[place], greedy[place] = total, flag
            owner = owners[place]
            waiting[owner] -= 1
            if not waiting[owner]:
                span = slice(first[owner], first[owner] + len(items[owner].continuations))
                yield owner, (totals[span], greedy[span])


def _causal(model: PreTrainedModel, pairs: Sequence[Pair]) -> Scores:
    """Rows padded on the right; the last continuation token is predicted, never read."""
    rows = [list(prompt + branch[:-1]) for prompt, branch in pairs]
    ids, mask = pad(rows)
    starts = [len(prompt) - 1 for prompt, _ in pairs]
    wanted = _wanted(pairs, starts, ids.shape[1])
    positions = torch.tensor(wanted.positions, device=model.device)
    with torch.inference_mode(), project_only(model, positions):
        logits = model(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), use_cache=False
        ).logits
        return sum_logprobs(logits, wanted, len(pairs))


def _encoder_decoder(model: PreTrainedModel, pairs: Sequence[Pair]) -> Scores:
    """The prompt is encoded; the decoder reads its start token and the continuation."""
    ids, mask = pad([list(prompt) for prompt, _ in pairs])
    start = model.config.decoder_start_token_id
    decoder, decoder_mask = pad([[start, *branch[:-1]] for _, branch in pairs])
    wanted = _wanted(pairs, [0] * len(pairs), decoder.shape[1])
    positions = torch.tensor(wanted.positions, device=model.device)
    with torch.inference_mode(), project_only(model, positions):
        logits = model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            decoder_input_ids=decoder.to(model.device),
            decoder_attention_mask=decoder_mask.to(model.device),
            use_cache=False,
        ).logits
        return sum_logprobs(logits, wanted, len(pairs))


def pad(rows: Sequence[Sequence[int]], left: bool = False) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, [rows, longest], padded with 0: the mask, not the id, tells."""
    width = max(map(len, rows))
    ids, mask = [], []
    for row in rows:
        gap = width - len(row)
        ids.append([0] * gap + list(row) if left else list(row) + [0] * gap)
        mask.append([0] * gap + [1] * len(row) if left else [1] * len(row) + [0] * gap)
    return torch.tensor(ids), torch.tensor(mask)


def _wanted(pairs: Sequence[Pair], starts: Sequence[int], width: int) -> Wanted:
    wanted = Wanted([], [], [], [])
    for row, ((_, branch), start) in enumerate(zip(pairs, starts, strict=True)):
        for offset, token in enumerate(branch):
            wanted.rows.append(len(wanted.positions))
            wanted.positions.append(row * width + start + offset)
            wanted.tokens.append(token)
            wanted.owners.append(row)
    return wanted
