"""One runner for each kind of stage: opens its networks and data, trains, writes the checkpoint.

    run_sft(workshop, settings, site) -> Outcome

A runner leaves the stage's folder complete but for the card, which `bench.training.stages` writes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.models.weights import Weights
from bench.training.data.corpus import demonstrations_of, rankings_of
from bench.training.data.encode import (
    Entry,
    Limits,
    Stream,
    encode_demonstrations,
    encode_prompts,
    encode_rankings,
)
from bench.training.data.writer import Writer
from bench.training.networks.checkpoint import (
    open_reward,
    publish,
    require_classifier,
    save_policy,
    save_reward,
)
from bench.training.networks.network import Network, open_network, with_head, without_adapter
from bench.training.networks.value import open_value
from bench.training.objectives.dpo import train_dpo
from bench.training.objectives.grouped import train_grouped
from bench.training.objectives.ppo import train_ppo
from bench.training.objectives.reinforce import updates_per_batch, used
from bench.training.objectives.reward import train_reward
from bench.training.objectives.sampling import sample
from bench.training.objectives.sft import Critic, train_sft
from bench.training.rewards.judges import open_judges, require_same_tokens
from bench.training.rewards.rewards import Rewarder, make_rewarder
from bench.training.settings import (
    Dpo,
    Grpo,
    Ppo,
    Reinforcement,
    Reward,
    RewardPart,
    Rloo,
    Sft,
    Training,
)
from bench.training.steps.last_good import Used, last_good_folder, last_good_outcome
from bench.training.steps.loop import AstrayError, Site
from bench.training.steps.outcome import Outcome
from bench.training.steps.seeds import seed_of
from bench.training.workshop import Workshop
from bench.types import DataUse, Generation

JUDGED = 64  # held-out prompts that a reward model judges an epoch by


def run_sft(workshop: Workshop, settings: Sft, site: Site) -> Outcome:
    """Supervised finetuning."""
    weights, network, writer = _policy(workshop, settings, site)
    corpus = demonstrations_of(workshop.corpus(settings.data))
    material = encode_demonstrations(corpus, writer, _limits(settings))
    workshop.report(site.name, {"data": (corpus, material)})
    stream = Stream(material, workshop.recipe.data[settings.data].mix, site.seed)
    critic = _critic(workshop, settings, site, writer)
    return _published(
        settings,
        site,
        lambda: train_sft(settings, site, network, stream, critic),
        _save_policy(network, writer, weights),
        _used(settings, stream),
    )


def run_reward(workshop: Workshop, settings: Reward, site: Site) -> Outcome:
    """The reward model."""
    weights, network, writer = _policy(workshop, settings, site)
    require_classifier(network.model.config)
    stream = _rankings(workshop, settings, site, writer)
    scoring = with_head(network, seed_of(site.seed, site.name, "head"))
    tokenizer, parent = writer.model.tokenizer, str(weights.folder.resolve())
    return _published(
        settings,
        site,
        lambda: train_reward(settings, site, scoring, stream, writer),
        lambda folder: save_reward(scoring, tokenizer, parent, folder),
        _used(settings, stream),
    )


def run_dpo(workshop: Workshop, settings: Dpo, site: Site) -> Outcome:
    """Direct preference optimisation; the reference is the parent."""
    weights, network, writer = _policy(workshop, settings, site)
    stream = _rankings(workshop, settings, site, writer)
    return _published(
        settings,
        site,
        lambda: train_dpo(settings, site, network, without_adapter(network), stream),
        _save_policy(network, writer, weights),
        _used(settings, stream),
    )


def run_ppo(workshop: Workshop, settings: Ppo, site: Site) -> Outcome:
    """PPO, with pretraining text if `ptx` is set; the reference is the parent."""
    weights, policy, writer = _policy(workshop, settings, site)
    judges = open_judges(workshop, settings.reward, policy, weights, writer)
    first = next((judges[part.model] for part in settings.reward if part.model), None)
    value = open_value(settings, policy, first, site)
    prompts, ptx = _streams(workshop, settings, site, writer)
    reward = make_rewarder(settings.reward, judges, workshop.places, settings.micro_tokens)
    reference = without_adapter(policy)
    return _published(
        settings,
        site,
        lambda: train_ppo(settings, site, policy, reference, value, reward, writer, prompts, ptx),
        _save_policy(policy, writer, weights),
        _used_by_rollouts(settings, prompts, ptx),
    )


def run_grouped(workshop: Workshop, settings: Rloo | Grpo, site: Site) -> Outcome:
    """RLOO or GRPO; the reference is the parent."""
    weights, policy, writer = _policy(workshop, settings, site)
    judges = open_judges(workshop, settings.reward, policy, weights, writer)
    prompts, ptx = _streams(workshop, settings, site, writer)
    reward = make_rewarder(settings.reward, judges, workshop.places, settings.micro_tokens)
    reference = without_adapter(policy)
    return _published(
        settings,
        site,
        lambda: train_grouped(settings, site, policy, reference, reward, writer, prompts, ptx),
        _save_policy(policy, writer, weights),
        _used_by_rollouts(settings, prompts, ptx),
    )


def _published(
    settings: Training,
    site: Site,
    train: Callable[[], Outcome],
    save: Callable[[Path], None],
    taken: Used,
) -> Outcome:
    """What `train` leads to, published in the stage's folder; or the last good state below it, if
    there is one when the stage goes astray."""
    folder = site.folder
    try:
        outcome = train()
    except AstrayError as error:
        if error.last_good is None:
            raise
        folder = last_good_folder(site, settings.from_)
        outcome = last_good_outcome(site, settings.from_, error, error.last_good, taken)
    if site.processes.main:
        publish(folder, save)
    return outcome


def _save_policy(network: Network, writer: Writer, parent: Weights) -> Callable[[Path], None]:
    tokenizer, below = writer.model.tokenizer, str(parent.folder.resolve())
    return lambda folder: save_policy(network, tokenizer, writer.end, below, folder)


def _used(settings: Training, stream: Stream) -> Used:
    """An update takes one batch."""
    return lambda updates, tokens: stream.used(updates * settings.batch, tokens)


def _used_by_rollouts(settings: Ppo | Rloo | Grpo, prompts: Stream, ptx: Stream | None) -> Used:
    """Several updates take one rollout batch; states are saved between these."""

    def taken(updates: int, tokens: Mapping[str, int]) -> tuple[DataUse, ...]:
        steps = updates // updates_per_batch(settings)
        return used(settings, prompts, ptx, settings.group, steps, tokens)

    return taken


def _policy(workshop: Workshop, settings: Training, site: Site) -> tuple[Weights, Network, Writer]:
    weights = workshop.weights(settings.from_)
    writer = workshop.writer(weights, settings.chat, settings.system)
    seed = seed_of(site.seed, site.name, "adapter")
    network = open_network(weights, workshop.device, workshop.dtype, settings.lora, seed)
    return weights, network, writer


def _limits(settings: Training) -> Limits:
    return Limits(settings.max_prompt, settings.max_reply)


def _rankings(workshop: Workshop, settings: Reward | Dpo, site: Site, writer: Writer) -> Stream:
    """The rankings or pairs that are learned."""
    corpus = rankings_of(workshop.corpus(settings.rankings))
    material = encode_rankings(corpus, writer, _limits(settings))
    workshop.report(site.name, {"rankings": (corpus, material)})
    return Stream(material, workshop.mix(settings.rankings), site.seed)


def _streams(
    workshop: Workshop, settings: Reinforcement, site: Site, writer: Writer
) -> tuple[Stream, Stream | None]:
    """The prompts, and the text that is mixed in."""
    limits = _limits(settings)
    asked = demonstrations_of(workshop.corpus(settings.prompts))
    material = encode_prompts(asked, writer, limits)
    prompts = Stream(material, workshop.recipe.data[settings.prompts].mix, site.seed)
    if settings.ptx is None:
        workshop.report(site.name, {"prompts": (asked, material)})
        return prompts, None
    mixed = demonstrations_of(workshop.corpus(settings.ptx.data))
    text = encode_demonstrations(mixed, writer, limits)
    workshop.report(site.name, {"prompts": (asked, material), "ptx.data": (mixed, text)})
    mix = workshop.recipe.data[settings.ptx.data].mix
    return prompts, Stream(text, mix, seed_of(site.seed, "ptx"))


def _critic(workshop: Workshop, settings: Sft, site: Site, writer: Writer) -> Critic | None:
    """What a reward model thinks of a network's replies to held-out prompts."""
    if settings.select.by != "reward":
        return None
    weights = workshop.weights(settings.select.reward)
    require_same_tokens(writer, workshop.writer(weights, "auto", ""))
    judge = open_reward(weights, workshop.device, workshop.dtype)
    part = RewardPart(model=settings.select.reward)
    reward = make_rewarder([part], {part.model: judge}, workshop.places, settings.micro_tokens)
    return partial(_mean_reward, reward, writer, settings, site.seed)


def _mean_reward(
    reward: Rewarder,
    writer: Writer,
    settings: Sft,
    seed: int,
    network: Network,
    held_out: Sequence[Entry],
) -> float:
    asked = list(held_out[:JUDGED])
    seeds = [seed_of(seed, "select", entry.prompt.source, entry.prompt.id) for entry in asked]
    prompts = [entry.document.prompt for entry in asked]
    how = Generation(settings.max_reply, temperature=1.0)
    replies = sample(network, writer, prompts, seeds, how, settings.micro_tokens)
    totals = [row[0] for row in reward(asked, [[reply] for reply in replies]).totals_GK]
    known = [total for total in totals if total is not None]
    return sum(known) / len(known) if known else float("nan")
