"""A conversation with a checkpoint: the reply to some turns, piece by piece as it is made.

`bench chat` calls it. transformers' own generation makes the reply, in a thread, so that the
caller can show each piece and can stop it.

>>> Sampling(temperature=0.0).greedy
True
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import torch
from torch import Tensor
from transformers import StoppingCriteria, TextIteratorStreamer

from bench.errors import ModelError, UsageError
from bench.models.hf import HuggingFace
from bench.models.model import Encoded
from bench.types import Finish, Generation, Request, Turn

BETWEEN = "\n\n"  # the turns of a model without a chat template
COLDEST = 1e-4  # below, the sampler of transformers divides to infinity; it is greedy as well
HEADS = ("SequenceClassification", "TokenClassification", "RewardModel")
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How replies are made; `seed` None draws anew each time. Temperature 0 is greedy."""

    temperature: float = 0.7
    top_k: int = 50
    top_p: float = 0.95
    max_tokens: int = 256
    seed: int | None = None

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply, the tokens it took (the one that ends it included), why it ended, its seconds."""

    text: str
    tokens: int
    finish: Finish
    seconds: float


class Stopped(StoppingCriteria):
    """Ends generation at the next token once the event is set."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        """One flag a row [batch]."""
        return torch.full((len(input_ids),), self.event.is_set(), device=input_ids.device)


class Pieces(TextIteratorStreamer):
    """The text of a reply in pieces, without the token that ends it, special or not."""

    def __init__(self, model: HuggingFace) -> None:
        super().__init__(model.tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.end_ids = model.end_ids

    def put(self, value: Tensor) -> None:
        """First the prompt [1, tokens], then each token [1]."""
        if self.next_tokens_are_prompt or int(value) not in self.end_ids:
            super().put(value)  # type: ignore[no-untyped-call]


def check_speaks(model: HuggingFace) -> None:
    """A reward model has a score where a language model has words.

    Raises:
        ModelError: the card says it is a reward model, or the architecture is a classifier.
    """
    heads = [name for name in model.config.architectures or () if name.endswith(HEADS)]
    if heads or (model.card is not None and model.card.stage == "rm"):
        kind = heads[0] if heads else "the card says stage rm"
        raise ModelError(
            f"{model.name}: is a reward model ({kind}), which scores replies and writes none",
            "name the policy that was trained with it: bench lineage shows its parents",
        )


def reply_to(turns: Sequence[Turn], model: HuggingFace, sampling: Sampling, show: Show) -> Spoken:
    """The reply to the last of `turns`; `show` is given each piece of it as soon as it is text.

    With a seed, the reply depends on it and the prompt alone. Where the turns do not fit, whole
    exchanges after the system turn are left out, the oldest first.

    Raises:
        UsageError: the last turn alone does not fit.
        ModelError: the chat template refuses the turns.
        KeyboardInterrupt: as it came, with generation stopped.
    """
    started = time.perf_counter()
    job = _Job(model, fitting(turns, model, sampling), sampling, Pieces(model), Event())
    pieces: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(_generate, job)
        try:
            for piece in job.streamer:
                pieces.append(piece)
                show(piece)
        finally:
            job.stop.set()
    ids = made.result()
    ended: Finish = "stop" if ids and ids[-1] in model.end_ids else "length"
    return Spoken("".join(pieces), len(ids), ended, time.perf_counter() - started)


def fitting(turns: Sequence[Turn], model: HuggingFace, sampling: Sampling) -> Encoded:
    """The token ids of as many of `turns` as fit, with the room that is left to the reply.

    A reply may take half of what the model reads, so that there is room for the question.

    Raises:
        UsageError: the last turn alone does not fit.
        ModelError: the chat template refuses the turns.
    """
    generation = Generation(min(sampling.max_tokens, max(1, model.encoder.max_length // 2)))
    opening = [turn for turn in turns[:1] if turn.role == "system"]
    spoken = list(turns[len(opening) :])
    while True:
        text = _written([*opening, *spoken], model)
        request = Request(text, generation=generation, special_tokens=not model.has_chat_template)
        (encoded,) = model.encode([request])
        if not encoded.truncated and not encoded.error:
            return encoded
        questions = [place for place, turn in enumerate(spoken) if turn.role == "user"]
        if len(questions) < 2:
            raise _too_long(model, encoded, generation)
        spoken = spoken[questions[1] :]


def _too_long(model: HuggingFace, encoded: Encoded, generation: Generation) -> UsageError:
    room = f"a reply of up to {generation.max_tokens} and this message do not fit together"
    return UsageError(
        f"{model.name}: reads {model.encoder.max_length} tokens; {room}"
        + (f": {encoded.truncated} are too many" if encoded.truncated else ""),
        "shorten the message, or ask for a shorter reply with --max-tokens",
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """What the generating thread is given."""

    model: HuggingFace
    asked: Encoded
    sampling: Sampling
    streamer: Pieces
    stop: Event


def _generate(job: _Job) -> list[int]:
    """The tokens of the reply; the streamer ends whatever happens, or its reader would wait."""
    try:
        return _generated(job)
    finally:
        job.streamer.end()  # type: ignore[no-untyped-call]


def _generated(job: _Job) -> list[int]:
    network, sampling = job.model.model, job.sampling
    ids = torch.tensor([job.asked.prompt], device=network.device)
    _seed(sampling, job.asked)
    assert job.asked.generation is not None
    made = network.generate(  # type: ignore[operator]
        ids,
        attention_mask=torch.ones_like(ids),
        streamer=job.streamer,
        stopping_criteria=[Stopped(job.stop)],
        max_new_tokens=job.asked.generation.max_tokens,
        do_sample=not sampling.greedy,
        temperature=max(sampling.temperature, COLDEST) if sampling.temperature else 1.0,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        eos_token_id=sorted(job.model.end_ids) or None,
        pad_token_id=min(job.model.end_ids, default=0),
    )
    skipped = 1 if network.config.is_encoder_decoder else len(job.asked.prompt)
    return [int(token) for token in made[0, skipped:]]


def _seed(sampling: Sampling, asked: Encoded) -> None:
    if sampling.seed is None:
        torch.seed()
        return
    named = f"{sampling.seed}:{','.join(map(str, asked.prompt))}".encode()
    torch.manual_seed(int.from_bytes(hashlib.sha256(named).digest()[:8], "little"))


def _written(turns: Sequence[Turn], model: HuggingFace) -> str:
    """The turns through the chat template, or one after the other where there is none."""
    if not model.has_chat_template:
        return BETWEEN.join(turn.text for turn in turns)
    try:
        return model.chat(turns)
    except ModelError as error:
        raise ModelError(error.cause, "leave --system out") from None
