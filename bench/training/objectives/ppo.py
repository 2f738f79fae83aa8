"""Proximal policy optimisation with a value function, and PPO-ptx where text is mixed in.

Schulman et al. 2017 (arXiv 1707.06347) as Ouyang et al. 2022 (arXiv 2203.02155, section 3.5 and
appendix C.4) use it: a KL penalty at each token, the reward at the last, a value function with a
learning rate of its own. `bench.training.stages` calls it.

    {"step": 12, "reward": 0.41, "kl": 1.9, "ratio": 1.0004, "clip_fraction": 0.01, ...}
"""

from collections.abc import Sequence

from torch import Tensor

from bench.training.data.encode import Stream
from bench.training.data.writer import Writer
from bench.training.networks.forward import reply_logprobs, values
from bench.training.networks.network import Network
from bench.training.objectives.advantages import (
    adapted_kl,
    explained_variance,
    gae,
    token_rewards,
    whiten,
)
from bench.training.objectives.losses import clipped_policy_losses, clipped_value_losses
from bench.training.objectives.reinforce import (
    apply,
    batches,
    close_batch,
    count_distance,
    count_policy,
    draw,
    finish,
    open_loop,
    parts,
)
from bench.training.objectives.rollout import Rollouts, Team, cut
from bench.training.rewards.rewards import RewardFunction
from bench.training.settings import Ppo
from bench.training.steps.gradients import shared_batches
from bench.training.steps.loop import Loop, Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes

KL = "kl_coefficient"  # in the saved state


def train_ppo(
    settings: Ppo,
    site: Site,
    policy: Network,
    reference: Network,
    value: Network,
    reward: RewardFunction,
    writer: Writer,
    prompts: Stream,
    ptx: Stream | None,
) -> Outcome:
    """Train `policy` and `value`, which has a head; afterwards they hold the weights that are kept.

    `ptx` goes with `settings.ptx`. The networks may share one base and differ by adapter.

    Raises:
        RunError: something is not finite, KL passes `max_kl`, no reply of a batch could be scored,
            or a state cannot be written.
    """
    team = Team(policy, reference, value, reward, writer)
    loop = open_loop(settings, site, team, prompts, settings.value.lr / settings.optimizer.lr)
    for step in batches(loop, settings):
        coefficient = _coefficient(loop, settings)
        rollouts, told = draw(loop, settings, team, prompts, step, settings.group, coefficient)
        advantages_BT, returns_BT = estimate(rollouts, settings, coefficient)
        learned_BT = rollouts.learned
        explained = explained_variance(rollouts.values_BT, returns_BT, learned_BT)
        told["explained_variance"] = float(explained)
        for part in parts(settings, site, step, settings.group):
            meter = Meter()
            learn_policy(
                policy, rollouts, advantages_BT, part.places, settings, site.processes, meter
            )
            learn_values(value, rollouts, returns_BT, part.places, settings, site.processes, meter)
            apply(loop, settings, team, ptx, rollouts, part, told, meter)
        loop.facts[KL] = _adapted(settings, coefficient, told["kl"])
        close_batch(loop, settings, team, prompts, step)
    return finish(loop, settings, prompts, ptx, settings.group)


def estimate(rollouts: Rollouts, settings: Ppo, coefficient: float) -> tuple[Tensor, Tensor]:
    """(advantages, returns), both [B, T], taken over the whole batch.

    Advantages are whitened, so the policy's gradient does not depend on the scale of the reward.
    """
    mask_BT = rollouts.learned
    rewards_BT = token_rewards(
        rollouts.scores_B, rollouts.old_BT, rollouts.reference_BT, mask_BT, coefficient
    )
    if settings.whiten_rewards:
        rewards_BT = whiten(rewards_BT, mask_BT, shift_mean=False)
    advantages_BT, returns_BT = gae(
        rewards_BT, rollouts.values_BT, mask_BT, settings.discount, settings.lam
    )
    return whiten(advantages_BT, mask_BT, shift_mean=True), returns_BT


def learn_policy(
    policy: Network,
    rollouts: Rollouts,
    advantages_BT: Tensor,
    places: Sequence[int],
    settings: Ppo,
    processes: Processes,
    meter: Meter,
) -> None:
    """Add the gradient of the mean clipped loss over the tokens of the prompts at `places`."""
    learned_BT = rollouts.learned
    tokens = int(learned_BT[rollouts.rows(places)].sum())
    documents = rollouts.documents(places)
    for chosen, batch in shared_batches(documents, policy, settings.micro_tokens, processes):
        rows = rollouts.rows([places[number] for number in chosen])
        grids = (rollouts.old_BT, advantages_BT, learned_BT)
        old_BT, worth_BT, mask_BT = (cut(grid_BT, rows, batch) for grid_BT in grids)
        logprobs_BT = reply_logprobs(policy, batch, settings.temperature)
        found = clipped_policy_losses(logprobs_BT, old_BT, worth_BT, mask_BT, settings.clip)
        loss = found.losses_BT.sum()
        (loss / max(1, tokens)).backward()  # type: ignore[no-untyped-call]
        count_policy(meter, (loss, int(mask_BT.sum())), found.ratio_BT, found.clipped_BT, mask_BT)
        count_distance(meter, logprobs_BT, old_BT, mask_BT)


def learn_values(
    value: Network,
    rollouts: Rollouts,
    returns_BT: Tensor,
    places: Sequence[int],
    settings: Ppo,
    processes: Processes,
    meter: Meter,
) -> None:
    """Add `coefficient` times the gradient of the mean clipped error of the values."""
    learned_BT = rollouts.learned
    tokens = int(learned_BT[rollouts.rows(places)].sum())
    factor = settings.value.coefficient / max(1, tokens)
    documents = rollouts.documents(places)
    for chosen, batch in shared_batches(documents, value, settings.micro_tokens, processes):
        rows = rollouts.rows([places[number] for number in chosen])
        grids = (rollouts.values_BT, returns_BT, learned_BT)
        old_BT, target_BT, mask_BT = (cut(grid_BT, rows, batch) for grid_BT in grids)
        found_BT = values(value, batch)
        loss = clipped_value_losses(found_BT, old_BT, target_BT, mask_BT, settings.value.clip).sum()
        (loss * factor).backward()  # type: ignore[no-untyped-call]
        meter.add("value_loss", float(loss.detach()), int(mask_BT.sum()))


def _coefficient(loop: Loop, settings: Ppo) -> float:
    """The coefficient of the KL penalty that the batches so far have led to."""
    found = loop.facts.get(KL, settings.kl)
    assert isinstance(found, int | float)
    return float(found)


def _adapted(settings: Ppo, coefficient: float, kl: float) -> float:
    if settings.kl_target is None:
        return coefficient
    episodes = settings.batch * settings.group
    return adapted_kl(coefficient, kl, settings.kl_target, settings.kl_horizon, episodes)
