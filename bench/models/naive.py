"""The slow engine that the fast one is checked against: `bench eval --engine naive`.

Every prompt + continuation is one forward pass of one row with all its logits, and texts are
generated one row at a time, by the library's own cache where that gives what a whole pass gives.
Nothing is shared, padded, packed or masked by this code, so where both engines agree the fast one's
bookkeeping is right.

    Encoded(prompt=(9, 4), continuations=((7, 5), (8,)))   reads 9 4 7, then 9 4
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from bench.models.attention import CANNOT
from bench.models.draft import NO_TOKENS
from bench.models.draw import COLDEST
from bench.models.memory import raise_if_short
from bench.models.model import Encoded, Scored, scored_reply
from bench.models.reach import rope_switch
from bench.models.whole import near, row_of, whole_logits
from bench.types import Finish, Generation, Reply

Decode = Callable[[Sequence[int]], str]
# The longest prompt that was looked at, and whether it was continued as if read whole.
_CONTINUES: "WeakKeyDictionary[PreTrainedModel, tuple[int, bool]]" = WeakKeyDictionary()


def answer_naively(
    model: PreTrainedModel,
    asked: Sequence[Encoded],
    end_ids: frozenset[int],
    decode: Decode,
    special: Mapping[str, int] = NO_TOKENS,
) -> Iterator[tuple[int, Reply]]:
    """(position in `asked`, Reply) for each that can be asked: scores first, then texts."""
    for place, found in score_naively(model, asked):
        yield place, scored_reply(asked[place], found)
    for place, item in enumerate(asked):
        if item.generation is not None:
            stops = {special[stop] for stop in item.generation.stops if stop in special}
            yield place, _generated(model, item, item.generation, end_ids | stops, decode)


def score_naively(
    model: PreTrainedModel, asked: Sequence[Encoded]
) -> Iterator[tuple[int, list[Scored]]]:
    """(position in `asked`, the scores of its continuations) for each that has some, in order."""
    for place, item in enumerate(asked):
        if item.continuations:
            yield place, [_scored(model, item.prompt, branch) for branch in item.continuations]


@torch.inference_mode()
def _scored(model: PreTrainedModel, prompt: Sequence[int], continuation: Sequence[int]) -> Scored:
    logits = whole_logits(model, prompt, continuation[:-1])[-len(continuation) :].float().cpu()
    tokens = torch.tensor(continuation)
    chosen = logits.log_softmax(-1).gather(1, tokens.unsqueeze(1)).squeeze(1)
    total, greedy = float(chosen.double().sum()), bool((logits.argmax(-1) == tokens).all())
    return Scored(total, greedy, tuple(chosen.tolist()))


@torch.inference_mode()
def _generated(
    model: PreTrainedModel,
    item: Encoded,
    settings: Generation,
    end_ids: frozenset[int],
    decode: Decode,
) -> Reply:
    text, made, finish = "", 0, "length"
    tokens: list[int] = []
    for token in _tokens(model, item.prompt, settings):
        made += 1
        if token in end_ids:
            finish = "stop"
            break
        tokens.append(token)
        text = decode(tokens)
        ends = [found for stop in settings.stops if (found := text.find(stop)) >= 0]
        if ends:
            text, finish = text[: min(ends)], "stop"
            break
    ended: Finish = "stop" if finish == "stop" else "length"
    return Reply(
        text=text,
        tokens_in=len(item.prompt),
        tokens_out=made,
        truncated=item.truncated,
        finish=ended,
    )


def _tokens(model: PreTrainedModel, prompt: Sequence[int], settings: Generation) -> Iterator[int]:
    """At most `max_tokens` tokens, each the most likely or a draw."""
    dice = Random(settings.seed)
    forced = getattr(model.generation_config, "forced_bos_token_id", None)
    continued = Continued(model) if _continues(model, prompt) else None
    made: list[int] = []
    while len(made) < settings.max_tokens:
        if forced is not None and model.config.is_encoder_decoder and not made:
            token = int(forced)
            dice.random()  # a draw among one token is a draw
        elif continued:
            token = _choose(continued.read(made[-1:] or prompt), settings, dice)
        else:
            token = _choose(whole_logits(model, prompt, made)[-1], settings, dice)
        made.append(token)
        yield token


def _choose(logits: Tensor, settings: Generation, dice: Random) -> int:
    """The most likely token, or a draw from the nucleus (Holtzman et al. 2020, arXiv 1904.09751):
    the first token, by id, at which the sum of probabilities passes a random share of the whole."""
    if settings.temperature == 0.0:
        return int(logits.argmax())
    probability = (logits.float().cpu() / max(settings.temperature, COLDEST)).softmax(-1)
    if settings.top_p < 1.0:
        ordered, _ = probability.sort(descending=True)
        kept = ordered[ordered.cumsum(-1) - ordered < settings.top_p]
        probability[probability < kept[-1]] = 0.0  # what is as likely as the last stays
    reached = probability.cumsum(-1)
    return int((reached > dice.random() * reached[-1]).int().argmax())


class Continued:
    """A row that is read on from the library's cache."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.length = 0
        self.past: Cache | None = None
        # A cache of recurrent layers may not know how long it is.
        self.placed = "position_ids" in inspect.signature(model.forward).parameters

    def read(self, ids: Sequence[int]) -> Tensor:
        """Logits [vocabulary] after `ids`, which follow what was read before."""
        places = row_of(self.model, range(self.length, self.length + len(ids)))
        where = {"position_ids": places} if self.placed else {}
        reply = self.model(
            input_ids=row_of(self.model, ids), past_key_values=self.past, use_cache=True, **where
        )
        self.length += len(ids)
        self.past = getattr(reply, "past_key_values", None)  # some take one and give none
        return reply.logits[0, -1]  # type: ignore[no-any-return]


def _continues(model: PreTrainedModel, prompt: Sequence[int]) -> bool:
    """Whether the model goes on from a cache as if it had read `prompt` whole: some place tokens
    otherwise then, or lose sight of some. Looked at again where a prompt is longer than any yet.
    """
    if model.config.is_encoder_decoder or rope_switch(model.config) is not None:
        return False
    if "past_key_values" not in inspect.signature(model.forward).parameters:
        return False
    known = _CONTINUES.get(model, (0, True))
    if known[1] and len(prompt) > known[0]:
        known = _CONTINUES[model] = len(prompt), _goes_on(model, [*prompt, prompt[0]])
    return known[1]


def _goes_on(model: PreTrainedModel, row: Sequence[int]) -> bool:
    continued = Continued(model)
    try:
        continued.read(row[:-1])
        return near(continued.read(row[-1:]), whole_logits(model, row, ())[-1])
    except CANNOT as error:
        raise_if_short(error)
        return False
