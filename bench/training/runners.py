"""One runner for each kind of stage: opens its networks and data, trains, writes the checkpoint.

    run_sft(workshop, settings, site) -> Outcome

A runner leaves the stage's folder complete but for the card, which `bench.training.stages` writes.
"""

from collections.abc import Sequence
from functools import partial

from bench.models.weights import Weights
from bench.training.checkpoint import (
    open_reward,
    publish,
    require_classifier,
    save_policy,
    save_reward,
)
from bench.training.corpus import demonstrations_of, rankings_of
from bench.training.dpo import train_dpo
from bench.training.encode import (
    Entry,
    Limits,
    Material,
    Stream,
    encode_demonstrations,
    encode_prompts,
    encode_rankings,
)
from bench.training.grouped import train_grouped
from bench.training.judges import open_judges, require_same_tokens
from bench.training.loop import Site
from bench.training.network import Network, open_network, with_head, without_adapter
from bench.training.outcome import Outcome
from bench.training.ppo import train_ppo
from bench.training.reward import train_reward
from bench.training.rewards import Rewarder, make_rewarder
from bench.training.sampling import Sampling, sample
from bench.training.seeds import seed_of
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
from bench.training.sft import Critic, train_sft
from bench.training.value import open_value
from bench.training.workshop import Workshop
from bench.training.writer import Writer

JUDGED = 64  # held-out prompts that a reward model judges an epoch by


def run_sft(workshop: Workshop, settings: Sft, site: Site) -> Outcome:
    """Supervised finetuning."""
    weights, network, writer = _policy(workshop, settings, site)
    corpus = demonstrations_of(workshop.corpus(settings.data))
    material = _told(site, encode_demonstrations(corpus, writer, _limits(settings)))
    workshop.report(site.name, [corpus])
    stream = Stream(material, workshop.recipe.data[settings.data].mix, site.seed)
    critic = _critic(workshop, settings, site, writer)
    outcome = train_sft(settings, site, network, stream, critic)
    _publish_policy(site, network, writer, weights)
    return outcome


def run_reward(workshop: Workshop, settings: Reward, site: Site) -> Outcome:
    """The reward model."""
    weights, network, writer = _policy(workshop, settings, site)
    require_classifier(network.model.config)
    corpus = rankings_of(workshop.corpus(settings.rankings))
    material = _told(site, encode_rankings(corpus, writer, _limits(settings)))
    workshop.report(site.name, [corpus])
    scoring = with_head(network, seed_of(site.seed, site.name, "head"))
    stream = Stream(material, workshop.mix(settings.rankings), site.seed)
    outcome = train_reward(settings, site, scoring, stream, writer)
    if site.processes.main:
        tokenizer, parent = writer.model.tokenizer, str(weights.folder.resolve())
        publish(site.folder, lambda folder: save_reward(scoring, tokenizer, parent, folder))
    return outcome


def run_dpo(workshop: Workshop, settings: Dpo, site: Site) -> Outcome:
    """Direct preference optimisation; the reference is the parent."""
    weights, network, writer = _policy(workshop, settings, site)
    corpus = rankings_of(workshop.corpus(settings.rankings))
    material = _told(site, encode_rankings(corpus, writer, _limits(settings)))
    workshop.report(site.name, [corpus])
    stream = Stream(material, workshop.mix(settings.rankings), site.seed)
    outcome = train_dpo(settings, site, network, without_adapter(network), stream)
    _publish_policy(site, network, writer, weights)
    return outcome


def run_ppo(workshop: Workshop, settings: Ppo, site: Site) -> Outcome:
    """PPO, with pretraining text if `ptx` is set; the reference is the parent."""
    weights, policy, writer = _policy(workshop, settings, site)
    judges = open_judges(workshop, settings.reward, policy, weights, writer)
    first = next((judges[part.model] for part in settings.reward if part.model), None)
    value = open_value(settings, policy, first, site)
    prompts, ptx = _streams(workshop, settings, site, writer)
    reward = make_rewarder(settings.reward, judges, workshop.places, settings.micro_tokens)
    reference = without_adapter(policy)
    outcome = train_ppo(settings, site, policy, reference, value, reward, writer, prompts, ptx)
    _publish_policy(site, policy, writer, weights)
    return outcome


def run_grouped(workshop: Workshop, settings: Rloo | Grpo, site: Site) -> Outcome:
    """RLOO or GRPO; the reference is the parent."""
    weights, policy, writer = _policy(workshop, settings, site)
    judges = open_judges(workshop, settings.reward, policy, weights, writer)
    prompts, ptx = _streams(workshop, settings, site, writer)
    reward = make_rewarder(settings.reward, judges, workshop.places, settings.micro_tokens)
    reference = without_adapter(policy)
    outcome = train_grouped(settings, site, policy, reference, reward, writer, prompts, ptx)
    _publish_policy(site, policy, writer, weights)
    return outcome


def _policy(workshop: Workshop, settings: Training, site: Site) -> tuple[Weights, Network, Writer]:
    weights = workshop.weights(settings.from_)
    writer = workshop.writer(weights, settings.chat, settings.system)
    seed = seed_of(site.seed, site.name, "adapter")
    network = open_network(weights, workshop.device, workshop.dtype, settings.lora, seed)
    return weights, network, writer


def _limits(settings: Training) -> Limits:
    return Limits(settings.max_prompt, settings.max_reply)


def _told(site: Site, material: Material) -> Material:
    """`material`; the user is told what it leaves out."""
    if material.losses:
        site.watcher.note(f"{site.name}: longer than max_prompt or max_reply: {material.losses}")
    return material


def _streams(
    workshop: Workshop, settings: Reinforcement, site: Site, writer: Writer
) -> tuple[Stream, Stream | None]:
    """The prompts, and the text that is mixed in."""
    limits = _limits(settings)
    asked = demonstrations_of(workshop.corpus(settings.prompts))
    mix = workshop.recipe.data[settings.prompts].mix
    prompts = Stream(_told(site, encode_prompts(asked, writer, limits)), mix, site.seed)
    if settings.ptx is None:
        workshop.report(site.name, [asked])
        return prompts, None
    mixed = demonstrations_of(workshop.corpus(settings.ptx.data))
    workshop.report(site.name, [asked, mixed])
    material = _told(site, encode_demonstrations(mixed, writer, limits))
    mix = workshop.recipe.data[settings.ptx.data].mix
    return prompts, Stream(material, mix, seed_of(site.seed, "ptx"))


def _critic(workshop: Workshop, settings: Sft, site: Site, writer: Writer) -> Critic | None:
    """What a reward model thinks of a network's replies to held-out prompts."""
    if settings.select.by != "reward":
        return None
    weights = workshop.weights(settings.select.reward)
    require_same_tokens(writer, workshop.writer(weights, "off", ""))
    judge = open_reward(weights, workshop.device, workshop.dtype)
    part = RewardPart(model=settings.select.reward)
    reward = make_rewarder([part], {part.model: judge}, workshop.places, settings.micro_tokens)
    return partial(_mean_reward, reward, writer, settings.max_reply, site.seed)


def _mean_reward(
    reward: Rewarder,
    writer: Writer,
    max_reply: int,
    seed: int,
    network: Network,
    held_out: Sequence[Entry],
) -> float:
    asked = list(held_out[:JUDGED])
    seeds = [seed_of(seed, "select", entry.prompt.source, entry.prompt.id) for entry in asked]
    prompts = [entry.document.prompt for entry in asked]
    replies = sample(network, writer, prompts, seeds, Sampling(max_reply))
    totals = [row[0] for row in reward(asked, [[reply] for reply in replies]).totals_GK]
    known = [total for total in totals if total is not None]
    return sum(known) / len(known) if known else float("nan")


def _publish_policy(site: Site, network: Network, writer: Writer, parent: Weights) -> None:
    if site.processes.main:
        tokenizer, below = writer.model.tokenizer, str(parent.folder.resolve())
        publish(
            site.folder, lambda folder: save_policy(network, tokenizer, writer.end, below, folder)
        )
