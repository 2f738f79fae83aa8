"""Whether a row in a padded batch is what it is alone: a probe, by side of the padding.

Masks hide padding from attention; a recurrence may still read it, and a model that looks at the
tokens it finds most telling may count it. `bench.models.fixed` and `bench.models.rows` ask.
"""

from collections.abc import Callable
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.attention import CANNOT
from bench.models.memory import raise_if_short
from bench.models.steppers import Causal, Rereading, Stepper

Side = Literal["left", "right"]
LENGTHS = (21, 33)  # tokens of the two rows of the probe
# Distance of logits, relative to their spread, that rounding alone can make.
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_KNOWN: "WeakKeyDictionary[PreTrainedModel, dict[Side, bool]]" = WeakKeyDictionary()


def pads_left(model: PreTrainedModel) -> bool:
    """Whether rows may be padded on the left and continued behind a key/value cache."""
    return _known(model, "left", Causal)


def pads_right(model: PreTrainedModel) -> bool:
    """Whether rows may be padded on the right; encoder-decoders have a mask for it."""
    return model.config.is_encoder_decoder or _known(model, "right", Rereading)


def near(found: Tensor, expected: Tensor) -> bool:
    """Whether logits [vocabulary] differ by no more than rounding makes."""
    spread = (expected - expected.mean()).float().norm()
    distance = (found.float() - expected.float()).norm()
    return bool(distance <= TOLERANCE[found.dtype] * spread)


def _known(model: PreTrainedModel, side: Side, way: Callable[..., Stepper]) -> bool:
    known = _KNOWN.setdefault(model, {})
    if side not in known:
        known[side] = _is_alone(model, way)
    return known[side]


@torch.inference_mode()
def _is_alone(model: PreTrainedModel, way: Callable[..., Stepper]) -> bool:
    """Whether two rows of unequal length are predicted as they are alone, and so after a token."""
    generator = torch.Generator().manual_seed(0)
    words = model.config.get_text_config().vocab_size
    rows: list[list[int]] = [
        torch.randint(1, words, (length,), generator=generator).tolist() for length in LENGTHS
    ]
    try:
        stepper = way(model, rows, range(len(rows)))
        first = stepper.first()
        more = [row[0] for row in rows]
        second = stepper.step(torch.tensor(more, device=first.device))
    except CANNOT as error:
        raise_if_short(error)
        return False
    longer = [[*row, token] for row, token in zip(rows, more, strict=True)]
    return all(
        near(logits, model(input_ids=torch.tensor([row], device=model.device)).logits[0, -1])
        for found, asked in ((first, rows), (second, longer))
        for logits, row in zip(found, asked, strict=True)
    )
