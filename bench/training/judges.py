"""The reward models that a stage is judged by, opened beside the policy.

A reward model that was trained as an adapter on the very weights that the policy starts from shares
them: one set of base weights in memory for both.
"""

from collections.abc import Sequence
from pathlib import Path

from bench.cards import read_card
from bench.errors import ModelError
from bench.models.weights import Weights
from bench.training.checkpoint import ADAPTER, open_reward, share_reward
from bench.training.network import Network
from bench.training.settings import RewardPart
from bench.training.workshop import Workshop
from bench.training.writer import Writer


def open_judges(
    workshop: Workshop,
    parts: Sequence[RewardPart],
    policy: Network,
    parent: Weights,
    writer: Writer,
) -> dict[str, Network]:
    """The reward models that `parts` name, by name; those that can share the policy's base do.

    Raises:
        ModelError: one is missing, is no reward model, or reads other tokens than the policy.
    """
    found: dict[str, Network] = {}
    for name in dict.fromkeys(part.model for part in parts if part.model):
        weights = workshop.weights(name)
        require_same_tokens(writer, workshop.writer(weights, "off", ""))
        if policy.adapters is not None and _fits(weights.folder, parent):
            found[name] = share_reward(policy, weights.folder, f"reward{len(found)}")
        else:
            found[name] = open_reward(weights, policy.device, workshop.dtype)
    return found


def require_same_tokens(policy: Writer, judge: Writer) -> None:
    """Raise ModelError if a reward model would read a policy's token ids as other text."""
    own, other = policy.model.tokenizer.get_vocab(), judge.model.tokenizer.get_vocab()
    if own == other:
        return
    differing = sorted(own.items() ^ other.items(), key=lambda item: item[1])
    raise ModelError(
        f"{judge.model.name}: its tokenizer has {len(other)} words, that of {policy.model.name} "
        f"{len(own)}, and they differ ({differing[0][0]!r} for one): it would read replies wrongly",
        "use a reward model trained from the same base",
    )


def _fits(folder: Path, parent: Weights) -> bool:
    """Whether the reward model in `folder` is an adapter on the weights of `parent`."""
    card = read_card(folder)
    below = [known.digest for known in card.parents if known.role == "policy"] if card else []
    return (folder / ADAPTER).is_dir() and below == [parent.digest]
