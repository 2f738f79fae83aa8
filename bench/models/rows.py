"""Log-likelihoods the plain way: one padded row for each prompt + continuation.

The path for models that cannot be asked as a tree (`bench.models.prefix`) and for encoder-decoders.
Continuations that differ in their last token alone, which is predicted and never read, share a row:
the letters of a question, and equal requests.

    prompt p, continuations "A", "B", "x y", "x z"    rows p, p x
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.batching import Budget, batches
from bench.models.lanes import part_of, side_by_side
from bench.models.model import Encoded, Scored
from bench.models.pad import pad
from bench.models.padded import pads_right
from bench.models.projection import Wanted, project_only, score_tokens
from bench.models.reach import rope_switch

Ids = tuple[int, ...]
Read = tuple[Ids, Ids]  # a prompt, and what is read of its continuations
Place = tuple[int, int]  # an item and the number of one of its continuations


def score_rows(
    model: PreTrainedModel, items: Sequence[Encoded], budget: Budget
) -> Iterator[tuple[int, list[Scored]]]:
    """(position in `items`, the scores of its continuations)."""
    rows: dict[Read, list[Place]] = {}
    for place, item in enumerate(items):
        for number, branch in enumerate(item.continuations):
            rows.setdefault((item.prompt, branch[:-1]), []).append((place, number))
    reads = list(rows)
    found: list[dict[int, Scored]] = [{} for _ in items]
    lengths = [len(prompt) + len(read) + 1 for prompt, read in reads]
    positions = [len(read) + 1 for _, read in reads]
    if not pads_right(model, _widest(model, reads)):
        budget = replace(budget, rows=1)
    work = list(batches(lengths, positions, part_of(budget, model.device)))

    def score_batch(batch: Sequence[int]) -> list[Scored]:
        chosen = [reads[number] for number in batch]
        tokens = [
            [items[place].continuations[number] for place, number in rows[read]] for read in chosen
        ]
        return _score_batch(model, chosen, tokens)

    # Rotation factors that change with the length of a row are kept in the model: one at a time.
    changing = rope_switch(model.config) is not None
    each = map(score_batch, work) if changing else side_by_side(score_batch, work, model.device)
    for batch, scored in zip(work, each, strict=True):
        places = (place for number in batch for place in rows[reads[number]])
        for (place, number), score in zip(places, scored, strict=True):
            found[place][number] = score
            if len(found[place]) == len(items[place].continuations):
                yield place, [found[place][number] for number in sorted(found[place])]


def _widest(model: PreTrainedModel, reads: Sequence[Read]) -> int:
    """Tokens of the row that is padded least; of encoder-decoders that of the encoder."""
    decoded = not model.config.is_encoder_decoder
    return max((len(prompt) + decoded * len(read) for prompt, read in reads), default=0)


def _score_batch(
    model: PreTrainedModel, reads: Sequence[Read], continuations: Sequence[Sequence[Ids]]
) -> list[Scored]:
    """The scores of the `continuations` of each row, in order."""
    run = _encoder_decoder if model.config.is_encoder_decoder else _causal
    inputs, starts, width = run(model, reads)
    wanted, owners = _wanted(continuations, [len(read) for _, read in reads], starts, width)
    positions = torch.tensor(wanted.positions, device=model.device)
    with torch.inference_mode(), project_only(model, positions):
        return score_tokens(model(**inputs, use_cache=False).logits, wanted, owners)


def _causal(
    model: PreTrainedModel, reads: Sequence[Read]
) -> tuple[dict[str, Tensor], list[int], int]:
    """Rows padded on the right, where each predicts its first token, and their width."""
    ids, mask = pad([prompt + read for prompt, read in reads])
    inputs = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)}
    return inputs, [len(prompt) - 1 for prompt, _ in reads], ids.shape[1]


def _encoder_decoder(
    model: PreTrainedModel, reads: Sequence[Read]
) -> tuple[dict[str, Tensor], list[int], int]:
    """The prompt is encoded; the decoder reads its start token and the continuation."""
    ids, mask = pad([prompt for prompt, _ in reads])
    start = model.config.decoder_start_token_id
    decoder, decoder_mask = pad([[start, *read] for _, read in reads])
    inputs = {
        "input_ids": ids.to(model.device),
        "attention_mask": mask.to(model.device),
        "decoder_input_ids": decoder.to(model.device),
        "decoder_attention_mask": decoder_mask.to(model.device),
    }
    return inputs, [0] * len(reads), decoder.shape[1]


def _wanted(
    continuations: Sequence[Sequence[Ids]],
    read: Sequence[int],
    starts: Sequence[int],
    width: int,
) -> tuple[Wanted, int]:
    """Each row predicts at `read` + 1 positions from its start, for all of its continuations."""
    wanted = Wanted([], [], [], [])
    owner = 0
    for row, branches in enumerate(continuations):
        first = len(wanted.positions)
        wanted.positions.extend(row * width + starts[row] + n for n in range(read[row] + 1))
        for branch in branches:
            wanted.rows.extend(range(first, first + len(branch)))
            wanted.tokens.extend(branch)
            wanted.owners.extend([owner] * len(branch))
            owner += 1
    return wanted, owner
