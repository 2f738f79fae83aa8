"""A reply in the making: its tokens so far, where its randomness comes from, and what ends it.

Draft(0, Encoded((7, 9), generation=Generation(16)), tokens=[4, 12])   two tokens, greedy
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.models.model import Encoded
from bench.models.stops import Decode, StopWatch
from bench.types import Finish, Generation

NO_TOKENS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Generated:
    """The text before the first stop, the tokens made (an end token included), and why it ended."""

    text: str
    ids: tuple[int, ...]
    finish: Finish


@dataclass(slots=True)
class Draft:
    """`place` is the item's position among those asked. `dice`, seeded by the request alone, makes
    the draws, one number a token; None is greedy."""

    place: int
    item: Encoded
    settings: Generation
    dice: Random | None
    tokens: list[int] = field(default_factory=list)

    @property
    def most(self) -> int:
        """Tokens of prompt and reply, if no stop ends it."""
        return len(self.item.prompt) + self.settings.max_tokens


class Endings:
    """What ends a reply: an end-of-text token, one of its stop strings, its length.

    `special` holds the ids of special tokens by text: as texts are read without them, a stop string
    that is one is looked for among the tokens.
    """

    def __init__(
        self, end_ids: frozenset[int], decode: Decode, special: Mapping[str, int] = NO_TOKENS
    ) -> None:
        self.end_ids, self.decode, self.special = end_ids, decode, special
        self.watches: dict[tuple[str, ...], StopWatch] = {}

    def add(self, draft: Draft, token: int) -> Generated | None:
        """Add `token` to `draft`; what was generated if it has ended."""
        tokens, stops = draft.tokens, draft.settings.stops
        if token in self.end_ids or any(self.special.get(stop) == token for stop in stops):
            return Generated(self.decode(tokens), (*tokens, token), "stop")
        tokens.append(token)
        full = len(tokens) == draft.settings.max_tokens
        watch = self._watch(stops)
        if watch is not None:
            text = watch.before_stop(tokens) if full else watch.cut(tokens)
            if text is not None:
                return Generated(text, tuple(tokens), "stop")
        return Generated(self.decode(tokens), tuple(tokens), "length") if full else None

    def _watch(self, stops: tuple[str, ...]) -> StopWatch | None:
        if stops and stops not in self.watches:
            self.watches[stops] = StopWatch(stops, self.decode)
        return self.watches.get(stops)


def drafts_of(items: Sequence[Encoded]) -> list[Draft]:
    """An empty draft for each of `items`, all of which ask for text."""
    drafts = []
    for place, item in enumerate(items):
        settings = item.generation
        assert settings is not None
        dice = Random(settings.seed) if settings.temperature else None
        drafts.append(Draft(place, item, settings, dice))
    return drafts
