"""The runner of a rank stage: opens the checkpoint that replies and whatever ranks its replies."""

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.training.data.corpus import demonstrations_of
from bench.training.data.encode import Limits, Stream, encode_prompts
from bench.training.data.writer import Writer
from bench.training.networks.network import Network, open_network
from bench.training.ranking.judge import Judge
from bench.training.ranking.rank import rank
from bench.training.ranking.verdict import Ranker, by_reward
from bench.training.rewards.judges import open_judges
from bench.training.rewards.rewards import make_rewarder
from bench.training.settings import Rank, RewardPart
from bench.training.steps.loop import Site
from bench.training.workshop import Workshop


def run_rank(workshop: Workshop, settings: Rank, site: Site) -> dict[str, float]:
    """Sample and rank replies; what was found, for the stage's file."""
    weights = workshop.weights(settings.from_)
    writer = workshop.writer(weights, settings.chat, settings.system)
    network = open_network(weights, workshop.device, workshop.dtype, None, site.seed)
    corpus = demonstrations_of(workshop.corpus(settings.prompts))
    limits = Limits(settings.max_prompt, settings.max_reply)
    mix = workshop.recipe.data[settings.prompts].mix
    material = encode_prompts(corpus, writer, limits)
    workshop.report(site.name, {"prompts": (corpus, material)})
    stream = Stream(material, mix, site.seed)
    ranker = _ranker(workshop, settings, network, writer)
    return rank(settings, site, network, writer, stream, ranker).metrics


def _ranker(workshop: Workshop, settings: Rank, network: Network, writer: Writer) -> Ranker:
    by = settings.by
    if by.judge:
        options = ModelOptions(device=str(workshop.device))
        return Judge(HuggingFace(by.judge, options, workshop.weights(by.judge)))
    part = RewardPart(model=by.model, scorer=by.scorer)
    judges = open_judges(workshop, [part], network, workshop.weights(settings.from_), writer)
    return by_reward(make_rewarder([part], judges, workshop.places, settings.micro_tokens))
