"""Whether a row in a padded batch is what it is alone: a probe, by side of the padding.

Masks hide padding from attention; a recurrence may still read it, and a model that looks at the
tokens it finds most telling, or groups them, may count it once there are enough of them. So the
probe is as wide as the widest row that is asked. `bench.models.fixed` and `bench.models.rows` ask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.attention import CANNOT
from bench.models.memory import raise_if_short
from bench.models.reach import rope_switch
from bench.models.steppers import Causal, EncoderDecoder, Rereading, Stepper
from bench.models.whole import near, whole_logits

Side = Literal["left", "right"]
Rows = Sequence[Sequence[int]]
STEPS = 1  # tokens that each row of the probe is continued by
SHORT, NARROWEST = 12, 36  # tokens: the shortest row of the probe, and the least width


@dataclass(slots=True)
class Known:
    """Rows up to `good` tokens may be padded, rows from `bad` on not."""

    good: int = 0
    bad: int | None = None


_KNOWN: "WeakKeyDictionary[PreTrainedModel, dict[Side, Known]]" = WeakKeyDictionary()


def pads_left(model: PreTrainedModel, width: int) -> bool:
    """Whether rows of up to `width` tokens, with what is written behind them, may be padded on the
    left and continued behind a key/value cache."""
    return _holds(model, "left", width)


def pads_right(model: PreTrainedModel, width: int) -> bool:
    """Whether rows of up to `width` tokens may be padded on the right: those of a decoder, or of
    the encoder."""
    return _holds(model, "right", width)


def _holds(model: PreTrainedModel, side: Side, width: int) -> bool:
    """What is known, else what a probe of that width finds."""
    switch = rope_switch(model.config)
    width = width if switch is None else min(width, switch)  # longer rows are run alone
    known = _KNOWN.setdefault(model, {}).setdefault(side, Known())
    if known.bad is not None and width >= known.bad:
        return False
    if width > known.good:
        if not _is_alone(model, side, width):
            known.bad = width
            return False
        known.good = width
    return True


@torch.inference_mode()
def _is_alone(model: PreTrainedModel, side: Side, width: int) -> bool:
    """Whether the shorter of four rows are predicted as they are alone, and so when continued."""
    generator = torch.Generator().manual_seed(0)
    words = model.config.get_text_config().vocab_size
    width = max(width, NARROWEST) - STEPS
    lengths = (width, width * 3 // 4, width // 3, SHORT)
    rows: list[list[int]] = [
        torch.randint(1, words, (length,), generator=generator).tolist() for length in lengths
    ]
    try:
        together = list(_predicted(model, side, rows))
        return all(
            near(found[place], whole_logits(model, row, row[:made])[-1])
            for place, row in enumerate(rows[1:], start=1)
            for made, found in enumerate(together)
        )
    except (*CANNOT, LookupError) as error:
        raise_if_short(error)
        return False


def _predicted(model: PreTrainedModel, side: Side, rows: Rows) -> Iterator[Tensor]:
    """Logits [rows, vocabulary] after the padded `rows`, and after each token more."""
    stepper: Stepper
    if model.config.is_encoder_decoder:
        stepper = EncoderDecoder(model, rows, range(len(rows)))
        first = stepper.begin()
    else:
        stepper = (Causal if side == "left" else Rereading)(model, rows, range(len(rows)))
        first = stepper.first()
    yield first
    for step in range(STEPS):
        yield stepper.step(torch.tensor([row[step] for row in rows], device=first.device))
