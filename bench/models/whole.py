"""One forward pass of one row with all its logits: what every faster way of asking must give.

The naive engine asks like this, and probes compare with it (`bench.models.padded`,
`bench.models.refillable`).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

# Distance of logits, relative to their spread, that rounding alone can make.
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def whole_logits(model: PreTrainedModel, prompt: Sequence[int], made: Sequence[int]) -> Tensor:
    """Logits [tokens, vocabulary] of the whole row; an encoder-decoder's are those of `made`."""
    if model.config.is_encoder_decoder:
        start = model.config.decoder_start_token_id
        reply = model(
            input_ids=row_of(model, prompt),
            decoder_input_ids=row_of(model, [start, *made]),
            use_cache=False,
        )
    else:
        reply = model(input_ids=row_of(model, [*prompt, *made]), use_cache=False)
    return reply.logits[0]  # type: ignore[no-any-return]


def row_of(model: PreTrainedModel, ids: Sequence[int]) -> Tensor:
    """`ids` as a batch of one, on the model's device."""
    return torch.tensor([list(ids)], device=model.device)


def near(found: Tensor, expected: Tensor) -> bool:
    """Whether logits [vocabulary] differ by no more than rounding makes."""
    spread = (expected - expected.mean()).float().norm()
    distance = (found.float() - expected.float()).norm()
    return bool(distance <= TOLERANCE[found.dtype] * spread)
