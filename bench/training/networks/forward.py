"""What the losses need from a network: log-probabilities, values and rewards of replies.

Shapes: B replies in a batch, T tokens of the longest, n reply tokens in all.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.models.pieces import in_pieces
from bench.models.projection import project_only
from bench.training.networks.layout import Batch, Document, lay_out, micro_batches
from bench.training.networks.network import Network, active
from bench.training.networks.token_logprobs import entropies, token_logprobs

Grids = tuple[Tensor, ...]  # each [B, T]
Rows = tuple[Tensor, ...]  # each [T], of one reply


@dataclass(frozen=True, slots=True)
class Predictions:
    """Log-probabilities of the reply tokens [B, T] in nats, fp32, 0 where there is no token;
    entropy of each prediction [B, T] in nats, without gradient."""

    logprobs_BT: Tensor
    entropy_BT: Tensor


def reply_logprobs(network: Network, batch: Batch, temperature: float = 1.0) -> Tensor:
    """[B, T]: how likely `network` finds each reply token, in nats, 0 where there is no token.

    Logits are divided by `temperature`.
    """
    logprobs_n, _ = token_logprobs(_logits(network, batch, temperature), batch.tokens_n)
    return batch.grid(logprobs_n)


def predict(network: Network, batch: Batch, temperature: float = 1.0) -> Predictions:
    """The same with the entropy of each prediction."""
    scaled_nV = _logits(network, batch, temperature)
    logprobs_n, normaliser_n = token_logprobs(scaled_nV, batch.tokens_n)
    return Predictions(batch.grid(logprobs_n), batch.grid(entropies(scaled_nV, normaliser_n)))


def values(network: Network, batch: Batch) -> Tensor:
    """[B, T]: the head's value at each position that predicts a reply token."""
    return batch.grid(_scalars(network, batch, batch.predicting_n))


def rewards(network: Network, batch: Batch) -> Tensor:
    """[B]: the head's score at the last token of each reply.

    The place comes from the layout, not from comparing ids with a padding id: where padding and
    end token are the same, that comparison makes a reward model blind to the end of a reply.
    """
    return _scalars(network, batch, batch.last_B)


@torch.no_grad()
def by_reply(
    documents: Sequence[Document],
    network: Network,
    micro_tokens: int,
    run: Callable[[Batch], Grids],
) -> list[Rows]:
    """For each reply, in the order of `documents`, its row of every grid that `run` gives, on CPU.

    Rows are cut to the reply's tokens, so they can be put together in any other layout. Documents
    are run `micro_tokens` tokens at once, by this process alone.
    """
    found: list[list[Rows]] = [[] for _ in documents]
    for places in micro_batches(documents, micro_tokens):
        chosen = [documents[place] for place in places]
        batch = lay_out(chosen, network.reach, network.width).to(network.device)
        grids = [grid_BT.cpu() for grid_BT in run(batch)]
        lengths = [len(reply) for document in chosen for reply in document.replies]
        owners = [place for place in places for _ in documents[place].replies]
        for number, (place, length) in enumerate(zip(owners, lengths, strict=True)):
            found[place].append(tuple(grid_BT[number, :length] for grid_BT in grids))
    return [rows for document in found for rows in document]


def _logits(network: Network, batch: Batch, temperature: float) -> Tensor:
    """[n, vocabulary] in fp32, divided by `temperature`.

    The vocabulary is projected onto at the n positions that predict a reply token, nowhere else.
    """
    with project_only(network.model, batch.predicting_n):
        logits_nV = _run(network, network.model, batch)["logits"][0].float()
    return logits_nV if temperature == 1.0 else logits_nV / temperature


def _scalars(network: Network, batch: Batch, positions: Tensor) -> Tensor:
    head = network.head
    assert head is not None, "the network has no scalar head"
    states = _run(network, network.model.base_model, batch)["last_hidden_state"]
    chosen = states.reshape(-1, states.shape[-1])[positions].float()
    return torch.nn.functional.linear(chosen, head.weight, head.bias).squeeze(-1)


def _run(network: Network, module: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """What `module`, the whole model or the part without its head, makes of `batch`.

    Where the trunk knows the documents, only the layers above it run.
    """
    entry = network.trunk.entry(batch) if network.trunk else None
    part = network.trunk.left_out() if network.trunk and entry is not None else nullcontext()
    with active(network), part, in_pieces(batch.mask, batch.pieces):
        found: Mapping[str, Tensor] = module(
            input_ids=batch.ids_RW if entry is None else None,
            inputs_embeds=entry,
            attention_mask=batch.mask,
            position_ids=batch.places_RW,
            use_cache=False,
        )
    return found
