"""Direct preference optimisation on the decided pairs of every ranking.

Rafailov et al. 2023 (arXiv 2305.18290), equation 7; Azar et al. 2023 (arXiv 2310.12036), equation
17 for `ipo`. A prompt and all its replies are read once, however many pairs they form; the
reference's log-probabilities are computed once and kept by content.
"""

import hashlib
from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor

from bench.store import to_json
from bench.training.data.encode import Entry, Stream
from bench.training.networks.forward import reply_logprobs
from bench.training.networks.layout import Batch, Document
from bench.training.networks.network import Network, prepare, trained_parameters
from bench.training.objectives.losses import (
    Pairs,
    dpo_losses,
    implicit_rewards,
    mean_per_reply,
    pairs_of,
)
from bench.training.settings import Dpo
from bench.training.steps.gradients import shared_batches
from bench.training.steps.loop import Loop, Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes
from bench.training.steps.state import WORK, State, load_state, save_state
from bench.training.steps.updates import Group

CACHE = "reference.safetensors"


class Reference:
    """Summed log-probabilities of replies under the frozen reference, by content of the document.

    `path` keeps them between runs, valid for one reference (`inputs` of the stage's site).
    """

    def __init__(self, network: Network, site: Site, tokens: int) -> None:
        self.network, self.site, self.tokens = network, site, tokens
        self.path = site.folder / WORK / CACHE
        saved = load_state(self.path)
        known = saved is not None and saved.facts.get("inputs") == site.inputs
        self.known = dict(saved.tensors) if saved is not None and known else {}

    def learn(self, documents: Sequence[Document]) -> None:
        """Compute what is not known yet of `documents`, and keep it."""
        fresh = {content_key(document): document for document in documents}
        missing = {key: value for key, value in fresh.items() if key not in self.known}
        keys, wanted = list(missing), list(missing.values())
        found: list[tuple[str, Tensor]] = []
        with torch.no_grad():
            for group, batch in shared_batches(
                wanted, self.network, self.tokens, self.site.processes
            ):
                sums_B = reply_logprobs(self.network, batch).sum(1).cpu()
                lengths = [len(wanted[place].replies) for place in group]
                found += zip([keys[place] for place in group], sums_B.split(lengths), strict=True)  # type: ignore[no-untyped-call]
        self.known |= dict(self.site.processes.gather(found))
        if missing and self.site.processes.main:
            save_state(self.path, State(self.known, {"inputs": self.site.inputs}))

    def sums(self, documents: Sequence[Document]) -> Tensor:
        """[B] for all replies of `documents`, which must be known."""
        return torch.cat([self.known[content_key(document)] for document in documents])


def train_dpo(
    settings: Dpo, site: Site, network: Network, reference: Network, stream: Stream
) -> Outcome:
    """Train `network` on the rankings of `stream`, held close to `reference`.

    Raises:
        RunError: the loss is not finite, or a state cannot be written.
    """
    total = ceil(settings.epochs * stream.material.size / settings.batch)
    held_out = stream.material.held_out
    cache = Reference(reference, site, settings.micro_tokens)
    documents = stream.documents(total * settings.batch)
    prepare(network, documents, settings.micro_tokens, site.watcher.note)
    cache.learn(documents)
    loop = Loop(site, settings, [Group(trained_parameters(network))], total)
    if loop.start == 0:
        loop.log.add(0, _measure(settings, network, cache, held_out, site.processes))
    for step in loop.steps():
        entries = stream.take(step * settings.batch, settings.batch)
        loop.count([entry.document for entry in entries])
        meter = Meter()
        add_dpo_gradient(network, cache, entries, settings, site.processes, meter)
        epochs = stream.epochs((step + 1) * settings.batch)
        loop.update(step, epochs | meter.means(site.processes))
    loop.save(total)
    with loop.updates.averaged():
        found = _measure(settings, network, cache, held_out, site.processes)
    loop.log.add(total, found)
    loop.end()
    used = stream.used(total * settings.batch, loop.tokens)
    return Outcome(total, loop.tokens.total(), used, found)


def add_dpo_gradient(
    network: Network,
    cache: Reference,
    entries: Sequence[Entry],
    settings: Dpo,
    processes: Processes,
    meter: Meter,
) -> None:
    """Add the gradient of the mean over prompts with a decided pair of the mean over its pairs."""
    prompts = sum(len(set(entry.ranks)) > 1 for entry in entries)
    documents = [entry.document for entry in entries]
    for group, batch in shared_batches(documents, network, settings.micro_tokens, processes):
        chosen = [entries[place] for place in group]
        loss = _loss(network, cache, chosen, batch, settings, meter)
        if loss is not None:
            (loss / prompts).backward()  # type: ignore[no-untyped-call]


def content_key(document: Document) -> str:
    """Names what a reference's log-probabilities depend on, apart from the reference."""
    return hashlib.sha256(to_json([document.prompt, document.replies]).encode()).hexdigest()[:32]


def _loss(
    network: Network,
    cache: Reference,
    entries: Sequence[Entry],
    batch: Batch,
    settings: Dpo,
    meter: Meter,
) -> Tensor | None:
    """The sum over prompts of the mean loss of their pairs; None where nothing is decided."""
    pairs = _pairs(entries, batch)
    if not len(pairs.winner_P):
        return None
    logprobs_BT = reply_logprobs(network, batch)
    reference_B = cache.sums([entry.document for entry in entries]).to(logprobs_BT.device)
    sums_B = logprobs_BT.sum(1)
    if settings.loss == "ipo":  # its margin is a mean over tokens, not a sum
        sums_B = mean_per_reply(logprobs_BT, batch.mask_BT)
        reference_B = reference_B / batch.mask_BT.sum(1)
    losses_P = dpo_losses(
        sums_B[pairs.winner_P],
        sums_B[pairs.loser_P],
        reference_B[pairs.winner_P],
        reference_B[pairs.loser_P],
        settings.beta,
        settings.loss,
        settings.label_smoothing,
    )
    loss = (losses_P * pairs.weight_P).sum()
    meter.add("loss", float(loss.detach()), pairs.prompts)
    rewards_B = implicit_rewards(sums_B.detach(), reference_B, settings.beta)
    _count(meter, entries, batch, pairs, rewards_B)
    return loss


def _measure(
    settings: Dpo,
    network: Network,
    cache: Reference,
    entries: Sequence[Entry],
    processes: Processes,
) -> dict[str, float]:
    """Loss, accuracy and margin of the implicit reward on held-out rankings."""
    meter = Meter()
    documents = [entry.document for entry in entries]
    with torch.no_grad():
        for group, batch in shared_batches(documents, network, settings.micro_tokens, processes):
            _loss(network, cache, [entries[place] for place in group], batch, settings, meter)
    return {f"held_out/{name}": value for name, value in meter.means(processes).items()}


def _pairs(entries: Sequence[Entry], batch: Batch) -> Pairs:
    ranks = [rank for entry in entries for rank in entry.ranks]
    device = batch.groups_B.device
    return pairs_of(torch.tensor(ranks, device=device), batch.groups_B, "drop")


def _count(
    meter: Meter, entries: Sequence[Entry], batch: Batch, pairs: Pairs, rewards_B: Tensor
) -> None:
    """Accuracy and margin of the implicit reward, and where chosen and rejected went."""
    won_P, lost_P = rewards_B[pairs.winner_P], rewards_B[pairs.loser_P]
    owners = batch.groups_B[pairs.winner_P].tolist()
    for winner, loser, owner in zip(won_P.tolist(), lost_P.tolist(), owners, strict=True):
        source = entries[owner].prompt.source
        meter.add("accuracy", float(winner > loser), 1)
        meter.add(f"accuracy/{source}", float(winner > loser), 1)
        meter.add("margin", winner - loser, 1)
        meter.add("reward_chosen", winner, 1)
        meter.add("reward_rejected", loser, 1)
