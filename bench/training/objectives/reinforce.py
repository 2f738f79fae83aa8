"""What PPO, RLOO and GRPO share around their losses: parts of a batch, metrics, measuring, the end.

A rollout batch is cut into updates:

    rollout batch 0                        rollout batch 1
    inner epoch 0       inner epoch 1      ...
    part 0    part 1    part 2    part 3
    update 0  update 1  update 2  update 3

States are saved between rollout batches only: a batch is drawn by a policy, and what is left of it
after a kill cannot be drawn again by a policy that has learned from its first half.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from torch import Tensor

from bench.errors import RunError
from bench.training.data.encode import Stream, together
from bench.training.data.mixture import permuted
from bench.training.networks.layout import Document
from bench.training.networks.network import Network, trained_parameters
from bench.training.objectives.held_out import Measured, changes, from_json, means, measure, to_json
from bench.training.objectives.losses import kl_k2
from bench.training.objectives.ptx import (
    LOSS,
    PREFIX,
    add_ptx_gradient,
    drawn_before,
    ptx_documents,
)
from bench.training.objectives.rollout import Rollouts, Team, roll_out
from bench.training.settings import Ppo, Reinforcement
from bench.training.steps.loop import Loop, Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.seeds import seed_of
from bench.training.steps.updates import Group
from bench.types import DataUse

FIRST, LAST = "held_out_first", "held_out_last"  # measurements, in the saved state


@dataclass(frozen=True, slots=True)
class Part:
    """What one update learns from: the prompts at `places` of the rollout batch. `episodes` are the
    numbers of their replies, counted through the whole stage."""

    update: int
    places: tuple[int, ...]
    episodes: range


def updates_per_batch(settings: Reinforcement) -> int:
    """Updates that learn from one rollout batch."""
    return settings.inner_epochs * ceil(settings.batch / _size(settings))


def parts(settings: Reinforcement, site: Site, step: int, group: int) -> list[Part]:
    """The updates of rollout batch `step`, whose prompts are shuffled for each inner epoch."""
    update = step * updates_per_batch(settings)
    episode = step * settings.inner_epochs * settings.batch * group
    found: list[Part] = []
    for epoch in range(settings.inner_epochs):
        key = seed_of(site.seed, site.name, "minibatches", step, epoch)
        order = [permuted(place, settings.batch, key) for place in range(settings.batch)]
        for start in range(0, settings.batch, _size(settings)):
            places = tuple(order[start : start + _size(settings)])
            episodes = range(episode, episode + len(places) * group)
            found.append(Part(update + len(found), places, episodes))
            episode = episodes.stop
    return found


def open_loop(
    settings: Reinforcement, site: Site, team: Team, prompts: Stream, value_scale: float = 1.0
) -> Loop:
    """The loop over policy and value function, where the held-out prompts are measured already.

    `value_scale` is the value function's rate relative to the policy's.
    """
    groups = [_group("policy.", team.policy, 1.0, "")]
    if team.value is not None:
        groups.append(_group("value.", team.value, value_scale, "value"))
    loop = Loop(site, settings, groups, settings.steps * updates_per_batch(settings))
    if loop.start == 0:
        _measure(loop, settings, team, prompts, 0, FIRST)
    return loop


def batches(loop: Loop, settings: Reinforcement) -> Iterator[int]:
    """The numbers of the rollout batches still to be drawn, from 0."""
    yield from range(loop.start // updates_per_batch(settings), settings.steps)


def draw(
    loop: Loop,
    settings: Reinforcement,
    team: Team,
    prompts: Stream,
    step: int,
    group: int,
    kl_coefficient: float,
) -> tuple[Rollouts, dict[str, float]]:
    """Rollout batch `step`, `group` replies to each of its prompts, and what is known of it before
    it is learned from.

    Raises:
        RunError: the policy is too far from the reference, or no reply could be judged.
    """
    entries = prompts.take(step * settings.batch, settings.batch)
    rollouts = roll_out(team, settings, loop.site, entries, step, group)
    told = prompts.epochs((step + 1) * settings.batch) | rollout_metrics(rollouts, kl_coefficient)
    _stop_if_astray(loop, settings, step, rollouts, told)
    return rollouts, told


def rollout_metrics(rollouts: Rollouts, kl_coefficient: float) -> dict[str, float]:
    """What is known of a rollout batch before it is learned from; kl in nats a reply.

    `reward` is the mean over the replies that could be judged, `unscored` the number of the others.
    """
    meter = Meter()
    sources = [entry.prompt.source for entry in rollouts.entries for _ in range(rollouts.group)]
    replies = [reply for made in rollouts.replies for reply in made]
    rows = zip(sources, replies, rollouts.scores_B.tolist(), rollouts.kl.tolist(), strict=True)
    for source, reply, score, kl in rows:
        scored = score == score
        for name in ("reward", f"reward/{source}"):
            meter.add(name, score if scored else 0.0, scored)
        for name in ("kl", f"kl/{source}"):
            meter.add(name, kl, 1)
        meter.add("rlhf_reward", score - kl_coefficient * kl if scored else 0.0, scored)
        meter.add("non_score_reward", -kl_coefficient * kl, 1)
        meter.add("eos", reply.ended, 1)
        meter.add("length", len(reply.ids), 1)
    for name, terms in rollouts.terms.items():
        judged = [value for value in terms if value is not None]
        meter.add(f"reward_term/{name}", sum(judged), len(judged))
    meter.add("entropy", float(rollouts.entropy_BT.sum()), int(rollouts.tokens_BT.sum()))
    unscored = float(rollouts.scores_B.isnan().sum())
    return meter.means() | {"kl_coefficient": kl_coefficient, "unscored": unscored}


def count_policy(
    meter: Meter,
    loss: tuple[Tensor, int],
    ratio: Tensor,
    clipped: Tensor,
    counted: Tensor,
) -> None:
    """Put a micro-batch into `meter`: the loss with what it is the sum over; of ratio and clipped
    those that are `counted`, [B, T] or [B] all three."""
    total, number = loss
    meter.add("policy_loss", float(total.detach()), number)
    found = int(counted.sum())
    meter.add("ratio", float(ratio[counted].sum()), found)
    meter.add("clip_fraction", float(clipped[counted].sum()), found)


def count_distance(meter: Meter, logprobs_BT: Tensor, old_BT: Tensor, mask_BT: Tensor) -> None:
    """Put how far the policy is from the rollout's into `meter`, in nats a token."""
    distance_BT = kl_k2(logprobs_BT.detach(), old_BT, mask_BT)
    meter.add("approx_kl", float(distance_BT.sum()), int(mask_BT.sum()))


def apply(
    loop: Loop,
    settings: Reinforcement,
    team: Team,
    ptx: Stream | None,
    rollouts: Rollouts,
    part: Part,
    told: Mapping[str, float],
    meter: Meter,
) -> None:
    """The update of `part`, whose gradients have gathered: add that of the text that goes with it,
    count its tokens, log its metrics beside `told`, the batch's."""
    _mix_in(loop, settings, team, ptx, part, meter)
    loop.count(_learned(rollouts, part))
    found = meter.means(loop.site.processes)
    parts_of_loss = [
        factor * found[name] for name, factor in _factors(settings).items() if name in found
    ]
    loss = {"loss": sum(parts_of_loss)} if parts_of_loss else {}  # none where all is unscored
    mixed = _epochs_mixed_in(settings, ptx, part)
    loop.update(part.update, {**loss, **told, **mixed, **found}, may_save=False)


def close_batch(
    loop: Loop, settings: Reinforcement, team: Team, prompts: Stream, step: int
) -> None:
    """After the last update of rollout batch `step`: measure and save, each if it is due."""
    per_batch, last = updates_per_batch(settings), step + 1 == settings.steps
    done = (step + 1) * per_batch
    if last or (step + 1) % settings.measure_every == 0:
        _measure(loop, settings, team, prompts, done, LAST)
    if last or done // loop.save_every > (done - per_batch) // loop.save_every:
        loop.save(done)


def finish(
    loop: Loop, settings: Reinforcement, prompts: Stream, ptx: Stream | None, group: int
) -> Outcome:
    """Close the loop, and say what came of it."""
    loop.end()
    data = used(settings, prompts, ptx, group, settings.steps, loop.tokens)
    first, last = (from_json(loop.facts[name]) for name in (FIRST, LAST))
    metrics = changes(first, last, prompts.material.held_out)
    return Outcome(loop.total, loop.tokens.total(), data, metrics)


def used(
    settings: Reinforcement,
    prompts: Stream,
    ptx: Stream | None,
    group: int,
    steps: int,
    tokens: Mapping[str, int],
) -> tuple[DataUse, ...]:
    """What `steps` rollout batches took from each source, as prompts and as text to mix in.

    `tokens` carried loss, by source, those of the text under names that begin with `ptx/`.
    """
    asked = prompts.used(steps * settings.batch, tokens)
    if settings.ptx is None or ptx is None:
        return asked
    episodes = steps * settings.inner_epochs * settings.batch * group
    mixed = {
        name.removeprefix(PREFIX): count
        for name, count in tokens.items()
        if name.startswith(PREFIX)
    }
    return together((*asked, *ptx.used(drawn_before(settings.ptx.ratio, episodes), mixed)))


def _stop_if_astray(
    loop: Loop,
    settings: Reinforcement,
    step: int,
    rollouts: Rollouts,
    told: Mapping[str, float],
) -> None:
    """Raise RunError if rollout batch `step` is nothing to learn from."""
    update = step * updates_per_batch(settings)
    if settings.max_kl is not None and told["kl"] > settings.max_kl:
        said = f"kl is {told['kl']:.4g} nats a reply, above max_kl {settings.max_kl:g}"
        loop.stop(update, said, "max_kl")
    if "reward" not in told:
        raise RunError(
            f"stage {loop.site.name}: none of the {len(rollouts.reasons)} replies of rollout batch "
            f"{step + 1} could be scored; the first one: {rollouts.reasons[0]}",
            f"look at stages.{loop.site.name}.reward: its terms must be able to judge the prompts",
        )


def _mix_in(
    loop: Loop, settings: Reinforcement, team: Team, ptx: Stream | None, part: Part, meter: Meter
) -> None:
    """Add the gradient of the text that goes with `part`, if any is mixed in."""
    if settings.ptx is not None and ptx is not None:
        documents = ptx_documents(settings.ptx, ptx, part.episodes)
        add_ptx_gradient(team.policy, settings.ptx, documents, settings.micro_tokens, loop, meter)


def _epochs_mixed_in(settings: Reinforcement, ptx: Stream | None, part: Part) -> dict[str, float]:
    """How often the rows of the text were drawn up to `part`: {"epochs/ptx/topic": 0.5}."""
    if settings.ptx is None or ptx is None:
        return {}
    drawn = ptx.epochs(drawn_before(settings.ptx.ratio, part.episodes.stop))
    return {name.replace("epochs/", f"epochs/{PREFIX}", 1): n for name, n in drawn.items()}


def _size(settings: Reinforcement) -> int:
    """Prompts in one update."""
    return min(settings.minibatch or settings.batch, settings.batch)


def _group(prefix: str, network: Network, scale: float, name: str) -> Group:
    """Policy and value function may have parameters of the same name."""
    found = trained_parameters(network).items()
    return Group({prefix + key: parameter for key, parameter in found}, scale, name)


def _measure(
    loop: Loop, settings: Reinforcement, team: Team, prompts: Stream, step: int, fact: str
) -> None:
    """Measure the weights that would be kept after `step` updates; logged."""
    with loop.updates.averaged():
        found: Measured = measure(team, settings, loop.site, prompts.material.held_out)
    loop.facts[fact] = to_json(found)
    if found:
        loop.log.add(step, means(found))


def _learned(rollouts: Rollouts, part: Part) -> list[Document]:
    """The replies of `part` that are learned from."""
    scored = (~rollouts.scores_B.isnan()).tolist()
    found = []
    for place, document in zip(part.places, rollouts.documents(part.places), strict=True):
        kept = zip(document.replies, (scored[row] for row in rollouts.rows([place])), strict=True)
        replies = tuple(reply for reply, taken in kept if taken)
        found.append(Document(document.source, document.prompt, replies))
    return found


def _factors(settings: Reinforcement) -> dict[str, float]:
    """The parts of the loss and their weights in it."""
    found = {"policy_loss": 1.0}
    if isinstance(settings, Ppo):
        found["value_loss"] = settings.value.coefficient
    if settings.ptx is not None:
        found[LOSS] = settings.ptx.gamma
    return found
