"""The reward model: a scalar for each reply, from all pairs of every ranking.

Ouyang et al. 2022 (arXiv 2203.02155), section 3.5, equation 1: all pairs of one prompt are one
element of the batch, so K replies cost K forward passes and no pair is seen apart from the others.
Here the prompt is read once for all its replies.
"""

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor

from bench.errors import UsageError
from bench.training.data.encode import Entry, Stream
from bench.training.data.writer import Writer
from bench.training.networks.forward import rewards
from bench.training.networks.layout import Batch, Document
from bench.training.networks.network import Network, prepare, trained_parameters
from bench.training.objectives.losses import Pairs, pair_probabilities, pairs_of, ranking_loss
from bench.training.objectives.reward_metrics import pair_metrics
from bench.training.settings import Reward
from bench.training.steps.gradients import shared_batches
from bench.training.steps.loop import Loop, Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes
from bench.training.steps.updates import Group


def train_reward(
    settings: Reward, site: Site, network: Network, stream: Stream, writer: Writer
) -> Outcome:
    """Train `network`, which has a head, on the rankings of `stream`.

    Raises:
        UsageError: `centre` is set and nothing is held out.
        RunError: the loss is not finite, or a state cannot be written.
    """
    if settings.centre and not stream.material.held_out:
        raise UsageError(
            f"stage {site.name}: centre: nothing is held out that could score 0 on average",
            f"raise holdout.share, or --set stages.{site.name}.centre=false",
        )
    total = ceil(settings.epochs * stream.material.size / settings.batch)
    documents = stream.documents(total * settings.batch)
    prepare(network, documents, settings.micro_tokens, site.watcher.note)
    loop = Loop(site, settings, [Group(trained_parameters(network))], total)
    held_out = stream.material.held_out
    if loop.start == 0:
        loop.log.add(0, _measure(settings, network, held_out, site.processes))
    for step in loop.steps():
        entries = stream.take(step * settings.batch, settings.batch)
        loop.count([entry.document for entry in entries])
        meter = Meter()
        add_ranking_gradient(network, entries, settings, site.processes, meter)
        epochs = stream.epochs((step + 1) * settings.batch)
        loop.update(step, epochs | meter.means(site.processes))
    loop.save(total)
    with loop.updates.averaged():
        found = _measure(settings, network, held_out, site.processes)
    loop.log.add(total, found)
    loop.end()
    if settings.centre:
        found["bias"] = centre(network, held_out, settings.micro_tokens, site.processes, writer)
    used = stream.used(total * settings.batch, loop.tokens)
    return Outcome(total, loop.tokens.total(), used, found)


def add_ranking_gradient(
    network: Network,
    entries: Sequence[Entry],
    settings: Reward,
    processes: Processes,
    meter: Meter,
) -> None:
    """Add the gradient of the mean over prompts of the mean loss of a prompt's pairs.

    The mean is over the prompts of the whole update that have a pair at all.
    """
    documents = [entry.document for entry in entries]
    prompts = sum(_has_pair(entry, settings.ties) for entry in entries)
    for group, batch in shared_batches(documents, network, settings.micro_tokens, processes):
        chosen = [entries[place] for place in group]
        pairs = _pairs(chosen, batch, settings.ties)
        rewards_B = rewards(network, batch)
        loss = ranking_loss(rewards_B, pairs)
        (loss / max(1, prompts)).backward()  # type: ignore[no-untyped-call]
        here = sum(_has_pair(entry, settings.ties) for entry in chosen)
        meter.add("loss", float(loss.detach()), here)
        _count(meter, chosen, _pairs(chosen, batch, "drop"), rewards_B.detach(), batch)


def centre(
    network: Network,
    entries: Sequence[Entry],
    micro_tokens: int,
    processes: Processes,
    writer: Writer,
) -> float:
    """Shift the head's bias so that the demonstrations of `entries` score 0 on average; the bias.

    Where there are no demonstrations, the best-ranked replies take their place.
    """
    assert network.head is not None, "a reward model has a scalar head"
    documents = [_demonstrated(entry, writer) for entry in entries]
    mean = _mean_reward(network, documents, micro_tokens, processes) if documents else 0.0
    with torch.no_grad():
        network.head.bias.sub_(mean)
    return float(network.head.bias.detach())


def _demonstrated(entry: Entry, writer: Writer) -> Document:
    best = entry.document.replies[entry.ranks.index(min(entry.ranks))]
    reply = writer.reply(entry.prompt, entry.target) if entry.target else best
    return Document(entry.document.source, entry.document.prompt, (reply,))


def _mean_reward(
    network: Network, documents: Sequence[Document], tokens: int, processes: Processes
) -> float:
    meter = Meter()
    with torch.no_grad():
        for group, batch in shared_batches(documents, network, tokens, processes):
            meter.add("reward", float(rewards(network, batch).sum()), len(group))
    return meter.means(processes)["reward"]


def _measure(
    settings: Reward, network: Network, entries: Sequence[Entry], processes: Processes
) -> dict[str, float]:
    """Accuracy with its interval and calibration on the held-out pairs that have a winner."""
    found: list[tuple[float, str, str]] = []
    documents = [entry.document for entry in entries]
    with torch.no_grad():
        for group, batch in shared_batches(documents, network, settings.micro_tokens, processes):
            chosen = [entries[place] for place in group]
            pairs = _pairs(chosen, batch, "drop")
            odds: list[float] = pair_probabilities(rewards(network, batch), pairs).tolist()
            owners = batch.groups_B[pairs.winner_P].tolist()
            prompts = [chosen[owner].prompt for owner in owners]
            found += [
                (odd, prompt.source, prompt.group)
                for odd, prompt in zip(odds, prompts, strict=True)
            ]
    found = processes.gather(found)
    if not found:
        return {}
    told = pair_metrics(*(list(column) for column in zip(*found, strict=True)))
    return {f"held_out/{name}": value for name, value in told.items()}


def _pairs(entries: Sequence[Entry], batch: Batch, ties: str) -> Pairs:
    ranks = [rank for entry in entries for rank in entry.ranks]
    return pairs_of(
        torch.tensor(ranks, device=batch.groups_B.device),
        batch.groups_B,
        "half" if ties == "half" else "drop",
    )


def _has_pair(entry: Entry, ties: str) -> bool:
    return len(entry.ranks) > 1 if ties == "half" else len(set(entry.ranks)) > 1


def _count(
    meter: Meter, entries: Sequence[Entry], pairs: Pairs, rewards_B: Tensor, batch: Batch
) -> None:
    """Accuracy on the update's decided `pairs`, of all and by source, and the mean reward.

    A tie has no winner: in its two directions it would count as one right and one wrong.
    """
    won = rewards_B[pairs.winner_P] > rewards_B[pairs.loser_P]
    owners = batch.groups_B[pairs.winner_P].tolist()
    for right, owner in zip(won.tolist(), owners, strict=True):
        for name in ("accuracy", f"accuracy/{entries[owner].prompt.source}"):
            meter.add(name, float(right), 1)
    meter.add("reward", float(rewards_B.sum()), len(rewards_B))
