"""Rollouts: a policy's replies to a batch of prompts, judged, with all that is learned from them.

PPO, RLOO and GRPO draw them anew for every batch, and measure on held-out prompts with them. Each
process replies to its share of the prompts; then all hold the whole batch, so that what is taken
over it (whitening, the order of minibatches, metrics) does not depend on how many there are.

    rollouts = roll_out(team, settings, site, entries, moment=12, group=4)
    rollouts.scores_B    tensor([0.5000, 1.0000, nan, -1.0000, ...])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from bench.training.data.encode import Entry
from bench.training.data.writer import Writer
from bench.training.networks.forward import Grids, Rows, by_reply, predict, reply_logprobs, values
from bench.training.networks.layout import Batch, Document
from bench.training.networks.network import Network, prepare
from bench.training.objectives.losses import kl_k1
from bench.training.objectives.sampling import Sampled, sample
from bench.training.rewards.rewards import RewardFunction
from bench.training.settings import Reinforcement
from bench.training.steps.loop import Site
from bench.training.steps.seeds import seed_of
from bench.types import Generation, Json


@dataclass(frozen=True, slots=True)
class Team:
    """Who makes rollouts and what judges them. `value` is None where no values are wanted."""

    policy: Network
    reference: Network
    value: Network | None
    reward: RewardFunction
    writer: Writer


@dataclass(frozen=True, slots=True)
class Rollouts:
    """G prompts with K replies each: B = G K replies, prompt by prompt, of up to T tokens. On CPU.

    `scores_B` is what each reply is worth, NaN where that could not be judged, and `reasons` say
    why ("" elsewhere); `terms` are the parts of it, by name. `tokens_BT` is True where there is a
    token. Log-probabilities of policy and reference, entropies and values are those before any
    update, 0 where there is no token.
    """

    entries: tuple[Entry, ...]
    replies: tuple[tuple[Sampled, ...], ...]
    terms: dict[str, tuple[float | None, ...]]
    reasons: tuple[str, ...]
    scores_B: Tensor
    tokens_BT: Tensor
    old_BT: Tensor
    entropy_BT: Tensor
    reference_BT: Tensor
    values_BT: Tensor

    @property
    def group(self) -> int:
        """K: replies a prompt."""
        return len(self.replies[0])

    @property
    def learned(self) -> Tensor:
        """[B, T]: tokens that are learned from; a reply that could not be judged has none."""
        return self.tokens_BT & ~self.scores_B.isnan().unsqueeze(1)

    @property
    def kl(self) -> Tensor:
        """[B]: the estimate of KL to the reference, log p - log q summed over each reply."""
        return kl_k1(self.old_BT, self.reference_BT, self.tokens_BT).sum(1)

    def documents(self, places: Sequence[int]) -> list[Document]:
        """The prompts at `places` with their replies."""
        return [_document(self.entries[place], self.replies[place]) for place in places]

    def rows(self, places: Sequence[int]) -> list[int]:
        """Where the replies to the prompts at `places` stand among the B."""
        return [place * self.group + number for place in places for number in range(self.group)]


@dataclass(frozen=True, slots=True)
class _Made:
    """What one process has made of one prompt; `rows` are those of each reply: log-probability
    of the policy, entropy, log-probability of the reference, value."""

    replies: tuple[Sampled, ...]
    totals: tuple[float | None, ...]
    terms: dict[str, tuple[float | None, ...]]
    reasons: tuple[str, ...]
    rows: tuple[Rows, ...]


def roll_out(
    team: Team,
    settings: Reinforcement,
    site: Site,
    entries: Sequence[Entry],
    moment: Json,
    group: int,
) -> Rollouts:
    """`group` replies to each of `entries`.

    Each reply is drawn by a seed of its own, from `moment`, the prompt, and its places in the batch
    and the group. Where `missing_eos` is set, a reply that does not end is worth that, whatever the
    reward says of it.
    """
    asked = [
        (entry, tuple(_seed(site, moment, place, entry, number) for number in range(group)))
        for place, entry in enumerate(entries)
    ]
    own = site.processes.share(asked)
    made = site.processes.gather(_make(team, settings, own) if own else [])
    rows = [row for part in made for row in part.rows]
    columns = [pad_sequence(list(column), batch_first=True) for column in zip(*rows, strict=True)]
    old_BT, entropy_BT, reference_BT, values_BT = columns
    lengths = torch.tensor([len(row[0]) for row in rows])
    return Rollouts(
        entries=tuple(entries),
        replies=tuple(part.replies for part in made),
        terms={
            name: tuple(value for part in made for value in part.terms[name])
            for name in made[0].terms
        },
        reasons=tuple(reason for part in made for reason in part.reasons),
        scores_B=torch.tensor(
            [worth for part in made for worth in _worth(part, settings.missing_eos)]
        ),
        tokens_BT=torch.arange(int(lengths.max())) < lengths.unsqueeze(1),
        old_BT=old_BT,
        entropy_BT=entropy_BT,
        reference_BT=reference_BT,
        values_BT=values_BT,
    )


def cut(grid_BT: Tensor, rows: Sequence[int], batch: Batch) -> Tensor:
    """The `rows` of a grid on the CPU, as wide as `batch` and where it is."""
    width = batch.mask_BT.shape[1]
    return grid_BT[list(rows), :width].to(batch.mask_BT.device)


def _seed(site: Site, moment: Json, place: int, entry: Entry, number: int) -> int:
    prompt = entry.prompt
    return seed_of(site.seed, site.name, moment, prompt.source, prompt.id, place, number)


def _make(
    team: Team, settings: Reinforcement, asked: Sequence[tuple[Entry, tuple[int, ...]]]
) -> list[_Made]:
    """Reply to a share of the prompts, judge the replies, and run the networks on them."""
    entries = [entry for entry, _ in asked]
    replies = _reply(team, settings, asked)
    documents = [_document(*pair) for pair in zip(entries, replies, strict=True)]
    prepare(team.policy, documents, settings.micro_tokens)
    scored = team.reward(entries, replies)
    rows = _run(team, settings, documents)
    return [
        _Made(
            replies=made,
            totals=tuple(scored.totals_GK[place]),
            terms={name: tuple(term[place]) for name, term in scored.terms.items()},
            reasons=tuple(scored.reasons_GK[place]),
            rows=tuple(next(rows) for _ in made),
        )
        for place, made in enumerate(replies)
    ]


def _reply(
    team: Team, settings: Reinforcement, asked: Sequence[tuple[Entry, tuple[int, ...]]]
) -> list[tuple[Sampled, ...]]:
    drawn = sample(
        team.policy,
        team.writer,
        [entry.document.prompt for entry, seeds in asked for _ in seeds],
        [seed for _, seeds in asked for seed in seeds],
        Generation(settings.max_reply, temperature=settings.temperature),
        settings.micro_tokens,
    )
    group = len(asked[0][1])
    return [tuple(drawn[start : start + group]) for start in range(0, len(drawn), group)]


def _run(team: Team, settings: Reinforcement, documents: Sequence[Document]) -> Iterator[Rows]:
    """For each reply what `_Made.rows` holds of it."""
    value = team.value

    def policy(batch: Batch) -> Grids:
        found = predict(team.policy, batch, settings.temperature)
        return found.logprobs_BT, found.entropy_BT

    def reference(batch: Batch) -> Grids:
        return (reply_logprobs(team.reference, batch, settings.temperature),)

    def worth(batch: Batch) -> Grids:
        found = torch.zeros_like(batch.mask_BT, dtype=torch.float32)
        return (found if value is None else values(value, batch),)

    runs = ((team.policy, policy), (team.reference, reference), (value or team.policy, worth))
    found = [by_reply(documents, network, settings.micro_tokens, run) for network, run in runs]
    for parts in zip(*found, strict=True):
        yield tuple(row for part in parts for row in part)


def _document(entry: Entry, replies: Sequence[Sampled]) -> Document:
    return Document(
        entry.document.source, entry.document.prompt, tuple(reply.ids for reply in replies)
    )


def _worth(made: _Made, missing_eos: float | None) -> list[float]:
    """What each reply is worth; NaN where that could not be judged."""
    judged = [float("nan") if total is None else total for total in made.totals]
    if missing_eos is None:
        return judged
    return [
        total if reply.ended else missing_eos
        for total, reply in zip(judged, made.replies, strict=True)
    ]
