"""Pretraining text in the gradient of reinforcement learning, against forgetting.

InstructGPT (arXiv 2203.02155), equation 2: after the policy's gradient, `gamma` times that of the
text's mean NLL is added to the same buffer (appendix C.4); one update applies both. PPO, RLOO and
GRPO stages call it. The text is read at temperature 1, as it is in supervised finetuning.

>>> drawn_before(8.0, episodes=64)  # the paper's ratio: 8 rows for each episode
512
"""

from collections.abc import Sequence
from dataclasses import replace

from bench.training.data.encode import Stream
from bench.training.networks.layout import Document
from bench.training.networks.network import Network
from bench.training.settings import Ptx
from bench.training.steps.gradients import add_nll_gradient
from bench.training.steps.loop import Loop
from bench.training.steps.meter import Meter

LOSS = "ptx_loss"
PREFIX = "ptx/"  # of its sources in the count of tokens, which also counts those of replies


def drawn_before(ratio: float, episodes: int) -> int:
    """Rows that go with the first `episodes` episodes of a stage: the index of the next row."""
    return round(ratio * episodes)


def ptx_documents(settings: Ptx, stream: Stream, episodes: range) -> list[Document]:
    """The rows that go with the `episodes` of one update, given by their numbers in the stage."""
    first, end = (drawn_before(settings.ratio, place) for place in (episodes.start, episodes.stop))
    return [entry.document for entry in stream.take(first, end - first)]


def add_ptx_gradient(
    network: Network,
    settings: Ptx,
    documents: Sequence[Document],
    micro_tokens: int,
    loop: Loop,
    meter: Meter,
) -> None:
    """Add `gamma` times the gradient of the mean NLL over all reply tokens of `documents`.

    `meter` gets the NLL in nats a token, without gamma, as `ptx_loss` and for each source.
    """
    add_nll_gradient(
        network, documents, micro_tokens, loop.site.processes, meter, settings.gamma, LOSS
    )
    loop.count([replace(document, source=PREFIX + document.source) for document in documents])
