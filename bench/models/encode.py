"""Text -> token ids at the boundary of context and continuation, with BOS exactly once.

The boundary follows lm-evaluation-harness 0.4.13 (`api/model.py`, `_encode_pair`): white space at
the end of the context moves to the continuation, context + continuation are encoded together, and
the continuation is what follows the tokens of the context alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.models.model import Encoded
from bench.types import Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = tuple[int, ...]


@dataclass(slots=True)
class Encoder:
    """Tokenizes for one model. `max_length` counts the tokens that the model reads; what an
    encoder-decoder writes is bounded by `writes` (None: by nothing).

    `leading` and `trailing` are the special tokens that the tokenizer puts around a text (BOS, or
    none; T5's final </s>, kept for encoders only) and `empty` stands in for an empty context: BOS,
    else EOS.
    """

    tokenizer: "PreTrainedTokenizerBase"
    max_length: int
    encoder_decoder: bool
    writes: int | None = None
    leading: Ids = field(init=False)
    trailing: Ids = field(init=False)
    empty: Ids = field(init=False)

    def __post_init__(self) -> None:
        self.leading, self.trailing = surrounding_specials(self.tokenizer)
        fallback = self.tokenizer.bos_token_id
        fallback = self.tokenizer.eos_token_id if fallback is None else fallback
        self.empty = self.leading or (() if fallback is None else (fallback,))

    def encode(self, requests: Sequence[Request]) -> list[Encoded]:
        """Token ids of every request; texts are tokenized in one batch, each once."""
        ids = self._tokenized(text for request in requests for text in self._texts(request))
        return [self._encode(request, ids) for request in requests]

    def _texts(self, request: Request) -> list[str]:
        context = request.prompt
        essential = [context[-request.essential :]] if request.essential else []
        if not request.continuations:
            return [context, *essential]
        stem, moved = _stem(request)
        before = "" if self.encoder_decoder else stem
        return [stem, *(before + moved + text for text in request.continuations), *essential]

    def _tokenized(self, texts: Iterable[str]) -> dict[str, Ids]:
        distinct = sorted({text for text in texts if text})
        found: dict[str, Ids] = {"": ()}
        if distinct:
            ids = self.tokenizer(distinct, add_special_tokens=False)["input_ids"]
            found.update(zip(distinct, map(tuple, ids), strict=True))
        return found

    def _encode(self, request: Request, ids: Mapping[str, Ids]) -> Encoded:
        stem, moved = _stem(request)
        context = ids[stem]
        if self.encoder_decoder:
            prompt = self._with_all_specials(context, request.special_tokens)
            continuations = tuple(ids[moved + text] for text in request.continuations)
        else:
            prompt = self._with_leading(context, request.special_tokens)
            wholes = [ids[stem + moved + text] for text in request.continuations]
            continuations = tuple(whole[len(context) :] for whole in wholes)
        if request.continuations and not all(continuations):
            return Encoded(prompt, error="a continuation has no tokens")
        essential = ids[request.prompt[-request.essential :]] if request.essential else None
        return self._fit(request, prompt, continuations, 1 if essential is None else len(essential))

    def _with_leading(self, context: Ids, special_tokens: bool) -> Ids:
        if not context:
            return self.empty
        if not special_tokens or context[: len(self.leading)] == self.leading:
            return context
        return self.leading + context

    def _with_all_specials(self, ids: Ids, special_tokens: bool) -> Ids:
        """Encoder input keeps what the tokenizer adds at both ends (T5's final </s>)."""
        if not special_tokens:
            return ids or self.empty
        whole = ids if ids[: len(self.leading)] == self.leading else self.leading + ids
        ends = whole[len(whole) - len(self.trailing) :] == self.trailing
        return (whole if ends else whole + self.trailing) or self.empty

    def _fit(
        self, request: Request, prompt: Ids, continuations: tuple[Ids, ...], needed: int
    ) -> Encoded:
        """Cut the prompt on the left to what the model reads, keeping BOS and the question, which
        is the last `needed` tokens."""
        written = max(map(len, continuations), default=0)
        answer = written - 1  # the last token is predicted and never read
        if request.generation is not None:
            answer = written = request.generation.max_tokens
        room = self.max_length - (0 if self.encoder_decoder else answer)
        needed += len(self.trailing) if self.encoder_decoder and request.special_tokens else 0
        head = self.leading if prompt[: len(self.leading)] == self.leading else ()
        if not prompt:
            return Encoded(prompt, error="the prompt is empty and the tokenizer has no BOS or EOS")
        if self.writes is not None and written > self.writes:
            return Encoded(
                prompt[-1:],
                error=f"over-long answer: up to {written} tokens, the model writes {self.writes}",
            )
        if min(needed + len(head), len(prompt)) > room:
            return Encoded(
                prompt[-1:],
                error=f"over-long prompt: the question has {needed} tokens, the answer up to "
                f"{max(answer, 0)}, the model reads {self.max_length}",
            )
        cut = max(0, len(prompt) - room)
        kept = head + prompt[len(head) + cut :] if cut else prompt
        return Encoded(kept, continuations, request.generation, truncated=cut)


def _stem(request: Request) -> tuple[str, str]:
    """The prompt and the white space at its end that moves to the continuations."""
    stem = request.prompt.rstrip() if request.continuations else request.prompt
    return stem, request.prompt[len(stem) :]


def surrounding_specials(tokenizer: "PreTrainedTokenizerBase") -> tuple[Ids, Ids]:
    """The special tokens that `tokenizer` puts before and after a text."""
    bare = list(tokenizer("a", add_special_tokens=False)["input_ids"])
    full = list(tokenizer("a")["input_ids"])
    starts = (
        place
        for place in range(len(full) - len(bare) + 1)
        if full[place : place + len(bare)] == bare
    )
    start = next(starts, None)
    if start is None:
        return (), ()
    return tuple(full[:start]), tuple(full[start + len(bare) :])
