"""The reward models that a stage is judged by, opened beside the policy.

A reward model is given the token ids that the policy wrote, so both must write the same text in the
same ids: vocabulary, chat template, system message and the token that ends a turn.

One that was trained as an adapter on the very weights that the policy starts from shares them: one
set of base weights in memory for both.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from bench.cards import read_card
from bench.errors import ModelError
from bench.models.batching import common_prefix
from bench.models.encode import Ids
from bench.models.weights import Weights
from bench.training.data.data_settings import Chat
from bench.training.data.writer import Writer
from bench.training.networks.checkpoint import ADAPTER, open_reward, share_reward
from bench.training.networks.network import Network
from bench.training.settings import RewardPart
from bench.training.workshop import Workshop
from bench.types import Prompt, Turn

PROBE = Prompt(
    source="probe",
    id="probe",
    group="probe",
    turns=(Turn("user", "2 + 2 ="), Turn("assistant", "4"), Turn("user", "3 + 3 =")),
    text="2 + 2 =\n\n4\n\n3 + 3 =",
    delimiter="\n",
)
SHOWN = 60  # characters of what two checkpoints write differently


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
        require_same_tokens(writer, workshop.writer(weights, "auto", ""))
        if policy.adapters is not None and _fits(weights.folder, parent):
            found[name] = share_reward(policy, weights.folder, f"reward{len(found)}")
        else:
            found[name] = open_reward(weights, policy.device, workshop.dtype)
    return found


def require_same_tokens(policy: Writer, judge: Writer) -> None:
    """Raise ModelError if the reward model that `judge` opened, as it is asked by itself, would
    read a policy's token ids as other text, or as a kind of text that it was not trained on."""
    _require_same_words(policy, judge)
    trained = _as_trained(policy, judge)
    if trained is not None:
        _require_same_chat(policy, trained)


def _require_same_words(policy: Writer, judge: Writer) -> None:
    own, other = policy.model.tokenizer.get_vocab(), judge.model.tokenizer.get_vocab()
    if own == other:
        return
    differing = sorted(own.items() ^ other.items(), key=lambda item: item[1])
    raise ModelError(
        f"{judge.model.name}: its tokenizer has {len(other)} words, that of {policy.model.name} "
        f"{len(own)}, and they differ ({differing[0][0]!r} for one): it would read replies wrongly",
        "use a reward model trained from the same base",
    )


def _as_trained(policy: Writer, judge: Writer) -> Writer | None:
    """`judge` as it wrote the texts that the reward model was trained on.

    Its card says how it was asked. Without one it is taken to have been asked as the policy is, if
    both have a chat template for that; else nothing is known: None.
    """
    card = judge.model.card
    if card is not None and card.stage == "rm":
        chat, system = card.settings.get("chat", "auto"), card.settings.get("system", "")
        return Writer(judge.model, cast(Chat, chat), str(system))
    if policy.chat and judge.chat:
        return Writer(judge.model, "on", "".join(turn.text for turn in policy.opening))
    return None


def _require_same_chat(policy: Writer, judge: Writer) -> None:
    own, other = (writer.prompt(PROBE) + writer.reply(PROBE, "6") for writer in (policy, judge))
    if own == other:
        return
    place = common_prefix([own, other])
    raise ModelError(
        f"{judge.model.name}: was trained on prompts and replies that read "
        f"{_shown(judge, other, place)} where {policy.model.name} writes "
        f"{_shown(policy, own, place)}: it would judge what it has not learned to",
        "give both stages the same chat and system, or use a reward model trained from the same "
        "base",
    )


def _shown(writer: Writer, ids: Ids, place: int) -> str:
    """The text from `place` on; special tokens are what often differs."""
    text = str(writer.model.tokenizer.decode(list(ids[place:])))
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def _fits(folder: Path, parent: Weights) -> bool:
    """Whether the reward model in `folder` is an adapter on the weights of `parent`."""
    card = read_card(folder)
    below = [known.digest for known in card.parents if known.role == "policy"] if card else []
    return (folder / ADAPTER).is_dir() and below == [parent.digest]
