"""RLOO and GRPO: several replies a prompt, each judged against the others; no value function.

RLOO (Ahmadian et al. 2024, arXiv 2402.14740): a reply is one action, worth its reward less a KL
penalty, and the mean of its siblings is the baseline. GRPO (Shao et al. 2024, arXiv 2402.03300): a
token is an action, rewards are normalised within the group, and KL stands in the loss.
`bench.training.stages` calls it.

    {"step": 12, "reward": 0.41, "kl": 1.9, "ratio": 1.0004, "clip_fraction": 0.01, ...}
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.training.data.encode import Stream
from bench.training.data.writer import Writer
from bench.training.networks.forward import reply_logprobs
from bench.training.networks.network import Network
from bench.training.objectives.advantages import group_normalised, leave_one_out
from bench.training.objectives.losses import grpo_losses, mean_per_reply, sequence_policy_losses
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
from bench.training.settings import Grpo, Rloo
from bench.training.steps.gradients import shared_batches
from bench.training.steps.loop import Site
from bench.training.steps.meter import Meter
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes


def train_grouped(
    settings: Rloo | Grpo,
    site: Site,
    policy: Network,
    reference: Network,
    reward: RewardFunction,
    writer: Writer,
    prompts: Stream,
    ptx: Stream | None,
) -> Outcome:
    """Train `policy`; afterwards it holds the weights that are kept.

    `ptx` goes with `settings.ptx`. The networks may share one base and differ by adapter.

    Raises:
        RunError: something is not finite, KL passes `max_kl`, no reply of a batch could be scored,
            or a state cannot be written.
    """
    team = Team(policy, reference, None, reward, writer)
    group = settings.group
    loop = open_loop(settings, site, team, prompts)
    for step in batches(loop, settings):
        rollouts, told = draw(loop, settings, team, prompts, step, group, settings.kl)
        advantages_B = estimate(rollouts, settings)
        for part in parts(settings, site, step, group):
            meter = Meter()
            learn_policy(
                policy, rollouts, advantages_B, part.places, settings, site.processes, meter
            )
            apply(loop, settings, team, ptx, rollouts, part, told, meter)
        close_batch(loop, settings, team, prompts, step)
    return finish(loop, settings, prompts, ptx, group)


def estimate(rollouts: Rollouts, settings: Rloo | Grpo) -> Tensor:
    """[B]: what each reply is worth beside the others to its prompt."""
    if isinstance(settings, Grpo):
        scores_GK = rollouts.scores_B.view(-1, rollouts.group)
        return group_normalised(scores_GK, settings.scale).flatten()
    rewards_B = rollouts.scores_B - settings.kl * rollouts.kl
    return leave_one_out(rewards_B.view(-1, rollouts.group)).flatten()


def learn_policy(
    policy: Network,
    rollouts: Rollouts,
    advantages_B: Tensor,
    places: Sequence[int],
    settings: Rloo | Grpo,
    processes: Processes,
    meter: Meter,
) -> None:
    """Add the gradient of the mean loss over the replies to the prompts at `places`."""
    learned_BT = rollouts.learned
    replies = int(learned_BT[rollouts.rows(places)].any(1).sum())
    documents = rollouts.documents(places)
    for chosen, batch in shared_batches(documents, policy, settings.micro_tokens, processes):
        rows = rollouts.rows([places[number] for number in chosen])
        grids = (rollouts.old_BT, rollouts.reference_BT, learned_BT)
        old_BT, reference_BT, mask_BT = (cut(grid_BT, rows, batch) for grid_BT in grids)
        logprobs_BT = reply_logprobs(policy, batch, settings.temperature)
        worth_B = advantages_B[rows].to(mask_BT.device)
        found = _losses(settings, logprobs_BT, old_BT, reference_BT, worth_B, mask_BT)
        (found.total / max(1, replies)).backward()  # type: ignore[no-untyped-call]
        loss = (found.total, int(mask_BT.any(1).sum()))
        count_policy(meter, loss, found.ratio, found.clipped, found.counted)
        count_distance(meter, logprobs_BT, old_BT, mask_BT)


@dataclass(frozen=True, slots=True)
class _Losses:
    """The sum over replies; ratio, clipped and whether they count: of each token or each reply."""

    total: Tensor
    ratio: Tensor
    clipped: Tensor
    counted: Tensor


def _losses(
    settings: Rloo | Grpo,
    logprobs_BT: Tensor,
    old_BT: Tensor,
    reference_BT: Tensor,
    advantages_B: Tensor,
    mask_BT: Tensor,
) -> _Losses:
    if isinstance(settings, Rloo):
        whole = sequence_policy_losses(logprobs_BT, old_BT, advantages_B, mask_BT, settings.clip)
        return _Losses(whole.losses_B.sum(), whole.ratio_B, whole.clipped_B, mask_BT.any(1))
    found = grpo_losses(
        logprobs_BT, old_BT, reference_BT, advantages_B, mask_BT, settings.clip, settings.kl
    )
    total = mean_per_reply(found.losses_BT, mask_BT).sum()
    return _Losses(total, found.ratio_BT, found.clipped_BT, mask_BT)
