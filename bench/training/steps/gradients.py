"""The gradient of a token loss over many micro-batches, accumulated as if they were one batch.

SFT uses it for its update, PPO-ptx for the pretraining text that it mixes in.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from bench.training.networks.forward import reply_logprobs
from bench.training.networks.layout import Batch, Document, lay_out, micro_batches
from bench.training.networks.network import Network
from bench.training.objectives.losses import token_nll
from bench.training.steps.meter import Meter
from bench.training.steps.processes import Processes


def shared_batches(
    documents: Sequence[Document], network: Network, tokens: int, processes: Processes
) -> Iterator[tuple[list[int], Batch]]:
    """This process's micro-batches: positions in `documents`, and the batch on its device."""
    for group in processes.share(micro_batches(documents, tokens)):
        chosen = [documents[place] for place in group]
        yield group, lay_out(chosen, network.reach, network.width).to(network.device)


def add_nll_gradient(
    network: Network,
    documents: Sequence[Document],
    tokens: int,
    processes: Processes,
    meter: Meter,
    factor: float = 1.0,
    name: str = "loss",
) -> None:
    """Add `factor` times the gradient of the mean NLL over all reply tokens of `documents`.

    The mean is over the tokens of the whole update, so neither micro-batches nor processes change
    it. `meter` gets the loss, in nats a token, under `name` and for each source.
    """
    total = sum(len(reply) for document in documents for reply in document.replies)
    for group, batch in shared_batches(documents, network, tokens, processes):
        logprobs_BT = reply_logprobs(network, batch)
        loss = token_nll(logprobs_BT, batch.mask_BT)
        (loss * (factor / total)).backward()  # type: ignore[no-untyped-call]
        count_nll(meter, name, logprobs_BT, batch, [documents[place].source for place in group])


def measure_nll(
    network: Network, documents: Sequence[Document], tokens: int, processes: Processes, name: str
) -> dict[str, float]:
    """Mean NLL of the replies in nats a token, of all and of each source."""
    meter = Meter()
    with torch.no_grad():
        for group, batch in shared_batches(documents, network, tokens, processes):
            sources = [documents[place].source for place in group]
            count_nll(meter, name, reply_logprobs(network, batch), batch, sources)
    return meter.means(processes)


def count_nll(
    meter: Meter, name: str, logprobs_BT: Tensor, batch: Batch, sources: Sequence[str]
) -> None:
    """Put the NLL of each source of the batch's documents into `meter`."""
    sums = -logprobs_BT.detach().sum(1)
    counts = batch.mask_BT.sum(1)
    for group, total, count in zip(
        batch.groups_B.tolist(), sums.tolist(), counts.tolist(), strict=True
    ):
        meter.add(name, total, count)
        meter.add(f"{name}/{sources[group]}", total, count)
