"""The layers below the first trained one, run once for each document.

An adapter on the last layers leaves the lower ones as they are, for the policy, its reference, the
reward model and the value function alike, update after update. What these layers make of a document
is computed once and kept; every pass over the document then starts at the first trained layer.

    30 layers, adapters on the last 8: a pass costs 8 layers instead of 30

What is kept is computed in groups that depend on the documents prepared together alone, so that a
resumed stage gets the same bits. Whether a model can be entered at a layer is tried, not looked up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from bench.models.pieces import in_pieces
from bench.training.networks.layout import Batch, Document, lay_out, micro_batches
from bench.training.networks.probe import TOLERANCE, row_width, sample_documents
from bench.training.networks.tree import Branches

LARGEST = 2 * 2**30  # bytes that are kept; beyond that nothing is


class Trunk:
    """The first `depth` layers of `model`, which no adapter changes, and what they have made."""

    def __init__(self, model: PreTrainedModel, depth: int) -> None:
        self.model, self.depth = model, depth
        self.known: dict[Branches, Tensor] = {}

    def prepare(self, documents: Sequence[Document], tokens: int, reach: int) -> None:
        """Keep what the trunk makes of `documents`, and forget all others.

        Nothing is kept where it would take more than 2 GiB, or where they cannot be packed.
        """
        self.known = {}
        distinct = list({_key(document): document for document in documents}.values())
        width = int(self.model.config.get_text_config().hidden_size)
        size = 4 * width * sum(document.length for document in distinct)
        if size > LARGEST or max((d.length for d in distinct), default=0) > reach:
            return
        for places in micro_batches(distinct, tokens):
            chosen = [distinct[place] for place in places]
            batch = lay_out(chosen, reach, row_width(self.model)).to(self.model.device)
            states = self._lower(batch).reshape(-1, width)
            for document, where in zip(chosen, batch.where, strict=True):
                self.known[_key(document)] = states[list(where)]

    def entry(self, batch: Batch) -> Tensor | None:
        """[R, W, d]: what goes into the first trained layer; None unless all of `batch` is kept."""
        found = [self.known.get(_key(document)) for document in batch.documents]
        if not batch.where or not found or any(state is None for state in found):
            return None
        rows, width = batch.ids_RW.shape
        first = found[0]
        assert first is not None
        states = first.new_zeros(rows * width, first.shape[1])
        for state, where in zip(found, batch.where, strict=True):
            assert state is not None
            states[list(where)] = state
        return states.view(rows, width, -1)

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Within the block the model consists of the layers above the trunk."""
        with _layers(self.model, slice(self.depth, None)):
            yield

    @torch.no_grad()
    def _lower(self, batch: Batch) -> Tensor:
        """[R, W, d]: the output of the last layer of the trunk."""
        made: list[Tensor] = []

        def keep(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> None:
            made.append(output if isinstance(output, Tensor) else output[0])

        _, layers = find_layers(self.model)
        handle = layers[self.depth - 1].register_forward_hook(keep)
        try:
            with _layers(self.model, slice(0, self.depth)), in_pieces(batch.mask, batch.pieces):
                self.model.base_model(
                    input_ids=batch.ids_RW,
                    attention_mask=batch.mask,
                    position_ids=batch.places_RW,
                    use_cache=False,
                )
        finally:
            handle.remove()
        return made[-1]


def make_trunk(model: PreTrainedModel, depth: int, reach: int) -> Trunk | None:
    """The trunk of `depth` layers; None where there is none or `model` cannot be entered there."""
    if depth < 1 or not reach:
        return None
    documents = sample_documents(model)
    batch = lay_out(documents, reach).to(model.device)
    trunk = Trunk(model, depth)
    try:
        trunk.prepare(documents, tokens=4096, reach=reach)
        entry = trunk.entry(batch)
        with torch.no_grad():
            whole = _states(model, batch, None)
            with trunk.left_out():
                above = _states(model, batch, entry)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError, LookupError):
        return None  # no list of layers, or no way in behind the embedding: that is the answer
    trunk.known = {}
    near = (above - whole).abs().max() <= TOLERANCE * whole.abs().max()
    return trunk if near else None


def find_layers(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The name in the base model of the list of its layers, and the list.

    Raises:
        LookupError: there is none.
    """
    count = model.config.get_text_config().num_hidden_layers
    for name, module in model.base_model.named_children():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return name, module
    raise LookupError("no list of layers")


@contextmanager
def _layers(model: PreTrainedModel, part: slice) -> Iterator[None]:
    name, layers = find_layers(model)
    setattr(model.base_model, name, nn.ModuleList(list(layers)[part]))
    try:
        yield
    finally:
        setattr(model.base_model, name, layers)


def _states(model: PreTrainedModel, batch: Batch, entry: Tensor | None) -> Tensor:
    """[B, d]: the last hidden states of the replies."""
    states: Tensor = model.base_model(
        input_ids=batch.ids_RW if entry is None else None,
        inputs_embeds=entry,
        attention_mask=batch.mask,
        position_ids=batch.places_RW,
        use_cache=False,
    ).last_hidden_state
    return states.reshape(-1, states.shape[-1])[batch.last_B].float()


def _key(document: Document) -> Branches:
    return document.prompt, document.replies
