"""Supervised finetuning: the mean negative log-likelihood of the demonstrations' tokens.

Ouyang et al. 2022 (arXiv 2203.02155), section 3.5: several epochs, of which one is kept by its
held-out loss or by what a reward model thinks of its replies.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

import torch
from torch import nn

from bench.errors import ModelError, RunError, UsageError
from bench.training.data.encode import Entry, Stream
from bench.training.networks.network import Network, prepare, trained_parameters
from bench.training.settings import Sft
from bench.training.steps.gradients import add_nll_gradient, measure_nll
from bench.training.steps.loop import Loop, Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.seeds import seed_of
from bench.training.steps.state import BEST, WORK, State, load_state, save_state
from bench.training.steps.updates import Group
from bench.types import Json

Critic = Callable[[Network, Sequence[Entry]], float]  # mean reward of the network's replies
Measured = dict[str, float]
SIGN = {"last": 0.0, "loss": -1.0, "reward": 1.0}  # of what is best when largest


def train_sft(
    settings: Sft, site: Site, network: Network, stream: Stream, critic: Critic | None
) -> Outcome:
    """Train `network` on `stream`; afterwards it holds the weights that are kept.

    `critic` is needed where `settings.select.by` is `reward`.

    Raises:
        ModelError: `dropout` is set, and the model has none.
        RunError: the loss is not finite, or a state cannot be written.
        UsageError: an epoch is to be selected, and no row is held out.
    """
    _require_held_out(settings, site, stream)
    if settings.dropout:  # then the layers below an adapter are not the same each time either
        network = replace(network, trunk=None)
    set_dropout(network, settings.dropout)
    rows = stream.material.size
    total = settings.steps or ceil(settings.epochs * rows / settings.batch)
    measured_after = _epoch_ends(rows, settings.batch, total)
    documents = stream.documents(total * settings.batch)
    prepare(network, documents, settings.micro_tokens, site.watcher.note)
    loop = Loop(site, settings, [Group(trained_parameters(network))], total)
    history = _numbers(loop.facts.get("history", []))
    if loop.start == 0:
        history.append(_measure(settings, loop, network, stream.material.held_out, 0, critic))
    for step in loop.steps():
        documents = [entry.document for entry in stream.take(step * settings.batch, settings.batch)]
        loop.count(documents)
        torch.manual_seed(seed_of(site.seed, site.name, step))  # what dropout draws from
        meter = Meter()
        add_nll_gradient(network, documents, settings.micro_tokens, site.processes, meter)
        over = step + 1 in measured_after
        loop.facts["history"] = [dict(entry) for entry in history]
        epochs = stream.epochs((step + 1) * settings.batch)
        loop.update(step, epochs | meter.means(site.processes), may_save=not over)
        if over:
            found = _measure(settings, loop, network, stream.material.held_out, step + 1, critic)
            history.append(found)
            _save_epoch(settings, loop, step + 1, history)
    loop.end()
    kept = history[-1]
    if settings.select.by != "last":
        kept = _best(history, settings.select.by)
        _take_back(loop)
    used = stream.used(total * settings.batch, loop.tokens)
    start = {f"start/{name}": value for name, value in history[0].items() if name != "step"}
    return Outcome(int(kept["step"]), loop.tokens.total(), used, start | kept)


def set_dropout(network: Network, probability: float) -> None:
    """Let every dropout layer drop with `probability`; 0 switches them off.

    Raises:
        ModelError: there is no such layer.
    """
    found = [
        (owner, layer)
        for owner in network.model.modules()
        for layer in owner.children()
        if isinstance(layer, nn.Dropout)
    ]
    if probability and not found:
        raise ModelError(
            f"dropout: found {probability}, but the model ({network.model.config.model_type}) has "
            "no dropout layer",
            "leave dropout out",
        )
    for owner, layer in found:
        layer.p = probability
        layer.train(probability > 0)
        # Fused attention drops by itself, where the module around the layer is in training.
        owner.training = probability > 0


def _require_held_out(settings: Sft, site: Site, stream: Stream) -> None:
    """An epoch is selected by what held-out rows say of it."""
    if settings.select.by != "last" and not stream.material.held_out:
        raise UsageError(
            f"stages.{site.name}.select.by: found {settings.select.by!r}, but no row is held out",
            "raise holdout.share of the data, or keep the last epoch",
        )


def _epoch_ends(rows: int, batch: int, total: int) -> set[int]:
    """The updates after which an epoch is over, and the last."""
    epochs = ceil(total * batch / rows)
    return {min(total, ceil(epoch * rows / batch)) for epoch in range(1, epochs + 1)}


def _measure(
    settings: Sft,
    loop: Loop,
    network: Network,
    held_out: Sequence[Entry],
    step: int,
    critic: Critic | None,
) -> Measured:
    """What the held-out rows say after `step` updates; logged."""
    documents = [entry.document for entry in held_out]
    found: Measured = {}
    set_dropout(network, 0.0)
    with loop.updates.averaged():
        if documents:
            found |= measure_nll(
                network, documents, settings.micro_tokens, loop.site.processes, "held_out/loss"
            )
        if documents and critic is not None:
            found["held_out/reward"] = critic(network, held_out)
    set_dropout(network, settings.dropout)
    loop.log.add(step, found)
    return {"step": float(step), **found}


def _best(history: Sequence[Measured], by: str) -> Measured:
    """The measurement of trained weights that says most; the earliest of equals."""
    return max(history[1:], key=lambda found: SIGN[by] * found[f"held_out/{by}"])


def _save_epoch(settings: Sft, loop: Loop, step: int, history: Sequence[Measured]) -> None:
    """Save the state after `step` updates, at the end of an epoch that was measured; before it the
    weights, if they are the best so far."""
    loop.facts["history"] = [dict(entry) for entry in history]
    if settings.select.by != "last" and _best(history, settings.select.by) is history[-1]:
        _keep(loop)
    loop.save(step)


def _keep(loop: Loop) -> None:
    """Save the weights as the best so far."""
    if loop.site.processes.main:
        with loop.updates.averaged():
            save_state(loop.site.folder / WORK / BEST, State(loop.tensors(), {}))


def _take_back(loop: Loop) -> None:
    """Put the best weights into the network."""
    loop.site.processes.wait()
    path = loop.site.folder / WORK / BEST
    best = load_state(path)
    if best is None:
        raise RunError(
            f"{path}: missing, though the state beside it has an epoch behind it",
            f"remove the folder {path.parent} to train the stage from its start",
        )
    with torch.no_grad():
        for name, value in best.tensors.items():
            loop.updates.parameters[name].copy_(value)


def _numbers(found: Json) -> list[Measured]:
    """What was saved as JSON, with numbers as numbers."""
    assert isinstance(found, list)
    return [
        {str(name): float(str(value)) for name, value in entry.items()}
        for entry in found
        if isinstance(entry, dict)
    ]
