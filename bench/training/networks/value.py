"""The value function that PPO starts with (Ouyang et al. 2022, appendix C.4: the reward model)."""

from copy import deepcopy
from dataclasses import replace

from bench.training.networks.network import (
    Network,
    with_adapter,
    with_copied_adapter,
    with_head,
    without_adapter,
)
from bench.training.settings import Ppo
from bench.training.steps.loop import Site
from bench.training.steps.seeds import seed_of


def open_value(settings: Ppo, policy: Network, reward: Network | None, site: Site) -> Network:
    """The value function: a copy of the reward model, or the policy's base with a head of zeros.

    Trained by an adapter where the policy is. On the policy's own base the adapter "value" starts
    as a copy of the reward model's.
    """
    seed = seed_of(site.seed, site.name, "value")
    if reward is None:
        value = with_head(policy if settings.lora else without_adapter(policy), seed)
        assert value.head is not None
        value.head.weight.data.zero_()
    elif reward.model is policy.model:
        return with_copied_adapter(reward, "value")
    else:
        head = deepcopy(reward.head)
        value = replace(reward, model=deepcopy(reward.model), head=head)
    if settings.lora:
        value = with_adapter(value, settings.lora, "value", seed)
    else:
        value.model.requires_grad_(True)
    assert value.head is not None
    value.head.requires_grad_(True)
    return value
