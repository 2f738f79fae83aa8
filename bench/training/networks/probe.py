"""Whether a model may be trained on packed rows: tried on random ids, not looked up in a list.

Packed and padded layouts of the same documents must give the same hidden states. In fp32 a mask or
position ids that the model ignores move them by percents, rounding by millionths.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bench.models.attention import CANNOT, runs_pieces
from bench.models.memory import raise_if_short
from bench.models.pieces import in_pieces
from bench.models.reach import reach
from bench.training.networks.layout import WIDE, WIDTH, Batch, Document, lay_out

TOLERANCE = 1e-3  # of the largest hidden state
LENGTHS = ((9, (5, 3)), (4, (6,)), (7, (2, 4, 3)))  # prompts with their replies


def packing_reach(model: PreTrainedModel) -> int:
    """Tokens of the longest row that `model` reads packed as it reads it padded; 0 for none."""
    documents = sample_documents(model)
    try:
        with torch.no_grad():
            packed = _last_states(model, lay_out(documents, reach=10**9))
    except CANNOT as error:  # no 4-D mask or no position ids: that is the answer
        raise_if_short(error)
        return 0
    with torch.no_grad():
        padded = _last_states(model, lay_out(documents, reach=0))
    near = (packed - padded).abs().max() <= TOLERANCE * padded.abs().max()
    return reach(model.config) if near else 0


def row_width(model: PreTrainedModel) -> int:
    """Tokens of a packed row of `model`."""
    return WIDE if runs_pieces(model) else WIDTH


def sample_documents(model: PreTrainedModel) -> list[Document]:
    """Documents of random ids that `model` knows, to try something on."""
    words = int(model.config.get_text_config().vocab_size)
    generator = torch.Generator().manual_seed(0)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(1, words, (count,), generator=generator).tolist())

    return [Document("", ids(prompt), tuple(map(ids, replies))) for prompt, replies in LENGTHS]


def _last_states(model: PreTrainedModel, batch: Batch) -> Tensor:
    """[B, d]: the hidden state at each reply's last token."""
    moved = batch.to(model.device)
    with in_pieces(moved.mask, moved.pieces):
        states: Tensor = model.base_model(
            input_ids=moved.ids_RW,
            attention_mask=moved.mask,
            position_ids=moved.places_RW,
            use_cache=False,
        ).last_hidden_state
    return states.reshape(-1, states.shape[-1])[moved.last_B].float()
