"""What evaluation needs from a model: render a chat, turn Requests into token ids, answer them.

`bench.models.hf` implements it for Hugging Face checkpoints, `bench.models.fake` without weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.types import Generation, Reply, Request, Turn


@dataclass(frozen=True, slots=True)
class Encoded:
    """A Request as token ids: all that the answer depends on, so all that names it in the ledger.

    `truncated` counts prompt tokens cut on the left; with `error` set there is nothing to ask.
    """

    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...] = ()
    generation: Generation | None = None
    truncated: int = 0
    error: str | None = None

    @property
    def most(self) -> int:
        """Tokens that it may take in one row: prompt, continuations, what may be written."""
        made = self.generation.max_tokens if self.generation else 0
        return len(self.prompt) + sum(map(len, self.continuations)) + made


@dataclass(frozen=True, slots=True)
class Scored:
    """A continuation: its log-likelihood in nats, whether each of its tokens is the likeliest, and
    the log-probability of each, in fp32."""

    total: float
    greedy: bool
    tokens: tuple[float, ...]


def scored_reply(item: Encoded, found: Sequence[Scored]) -> Reply:
    """The Reply to a request for the scores of continuations."""
    return Reply(
        logprobs=tuple(one.total for one in found),
        greedy=tuple(one.greedy for one in found),
        token_counts=tuple(map(len, item.continuations)),
        tokens_in=len(item.prompt) + sum(map(len, item.continuations)),
        truncated=item.truncated,
        finish="scored",
    )


class Model(Protocol):
    """A checkpoint that can be asked."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def digest(self) -> str:
        """Identifies the weights, the adapter and the arithmetic: equal digest, equal answers."""

    @property
    def has_chat_template(self) -> bool:
        """Whether `chat` can render turns."""

    @property
    def description(self) -> dict[str, str | int | float]:
        """What `run.json` says about it: family, parameters, dtype, device, ..."""

    @property
    def portion(self) -> int:
        """How many requests to ask at once: enough to fill its batches, few enough to lose."""

    @property
    def bos_id(self) -> int | None:
        """The token that begins a text, None without one."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each token by itself."""

    def chat(self, turns: Sequence[Turn]) -> str:
        """The prompt that ends where the assistant's answer starts."""

    def encode(self, requests: Sequence[Request]) -> list[Encoded]:
        """Token ids of each request, truncated on the left to what the model reads."""

    def load(self) -> None:
        """Make ready to answer; `answer` does so by itself, but then its time counts."""

    def answer(self, asked: Sequence[Encoded]) -> Iterator[tuple[int, Reply]]:
        """(position in `asked`, Reply) for each, in the order in which batches finish."""
