"""Hugging Face checkpoints as Models: causal, encoder-decoder, adapters.

Opening reads configuration and tokenizer only; the weights are loaded at the first question, so a
run whose answers are all in the ledger never loads them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bench.cards import read_card
from bench.models.adapters import SharedBase, forget_base, shared_base
from bench.models.batching import Budget
from bench.models.capacity import tokens_held
from bench.models.decode import generate
from bench.models.draft import Generated
from bench.models.encode import Encoder
from bench.models.load import (
    Placement,
    choose_placement,
    load_config,
    load_model,
    load_tokenizer,
    reading_length,
    vocabulary_size,
    writing_length,
)
from bench.models.memory import Allowance, opening, within_memory
from bench.models.model import Encoded, Scored, scored_reply
from bench.models.naive import answer_naively, score_naively
from bench.models.options import ModelOptions
from bench.models.prefix import KeptPrefix, packs, score_packed
from bench.models.reach import reach, rope_switch
from bench.models.rows import score_rows
from bench.models.size import parameter_count
from bench.models.template import chat_text
from bench.models.weights import Weights, find_weights
from bench.types import Parent, Reply, Request, Turn

LOGIT_BYTES = 256 * 2**20  # fp32 logits held at a time
TOKENS_AT_ONCE = {"cpu": 2048, "cuda": 32768, "mps": 4096}
ROWS_WRITTEN = {"cpu": 64, "cuda": 256, "mps": 32}  # texts in the making at a time
BATCHES_ASKED = 4  # at a time: the rows of the last one end without others in their place


class HuggingFace:
    """A Model (see `bench.models.model`) over a transformers checkpoint."""

    def __init__(
        self, name: str, options: ModelOptions = ModelOptions(), weights: Weights | None = None
    ) -> None:
        self.name = name
        self.options = options
        self.weights = weights or find_weights(
            name, options.revision, options.base, options.allow_pickle
        )
        self.placement: Placement = choose_placement(options.dtype, options.device)
        self.card = read_card(self.weights.folder)
        self.config = load_config(self.weights)
        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(self.weights)
        self.encoder = Encoder(
            self.tokenizer,
            reading_length(self.config, self.tokenizer),
            bool(self.config.is_encoder_decoder),
            writing_length(self.config),
        )
        self.kept = KeptPrefix()

    @property
    def digest(self) -> str:
        """Weights, dtype and engine: rounding differs between them, so answers do."""
        naive = "-naive" if self.options.engine == "naive" else ""
        return f"{self.weights.digest}-{self.placement.dtype_name}{naive}"

    @property
    def has_chat_template(self) -> bool:
        """Whether the tokenizer brings a chat template."""
        return bool(getattr(self.tokenizer, "chat_template", None))

    @property
    def description(self) -> dict[str, str | int | float]:
        """Family, size, dtype, device, reading length and descent, for run.json.

        `name`, `recipe` and `stage` are "" without a card; `parent` is the digest of the weights
        that training started from, `reward` that of the reward model, "" without.
        """
        policy, reward = self._parent("policy"), self._parent("reward")
        return {
            "family": str(self.config.model_type),
            "folder": str(self.weights.folder),
            "base": str(self.weights.base.folder) if self.weights.base else "",
            "weights": self.weights.digest,
            "dtype": self.placement.dtype_name,
            "device": str(self.placement.device),
            "reads_tokens": self.encoder.max_length,
            "revision": self.options.revision,
            "engine": self.options.engine,
            "batch_tokens": self.options.batch_tokens,
            "allow_pickle": self.options.allow_pickle,
            "parameters": parameter_count(self.weights),
            "name": f"{self.card.recipe}/{self.card.name}".strip("/") if self.card else "",
            "recipe": self.card.recipe if self.card else "",
            "stage": self.card.stage if self.card else "",
            "parent": policy.digest if policy else "",
            "parent_name": policy.name if policy else "",
            "reward": reward.digest if reward else "",
            "reward_name": reward.name if reward else "",
        }

    @property
    def portion(self) -> int:
        """Some batches of texts."""
        return BATCHES_ASKED * self._rows_written

    @property
    def bos_id(self) -> int | None:
        """The tokenizer's BOS."""
        found = self.tokenizer.bos_token_id
        return found if isinstance(found, int) else None

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each token by itself."""
        return [str(self.tokenizer.decode([token])) for token in ids]

    def chat(self, turns: Sequence[Turn]) -> str:
        """The tokenizer's chat template, ending where the assistant starts.

        Raises:
            ModelError: the template refuses the turns (some know no system role).
        """
        return chat_text(self.tokenizer, turns, self.name)

    def encode(self, requests: Sequence[Request]) -> list[Encoded]:
        """Token ids of each request, truncated on the left to what the model reads."""
        return self.encoder.encode(requests)

    def load(self) -> None:
        """Load the weights, and find out whether they can be asked packed."""
        _ = self.model
        if self.options.engine == "fast":
            _ = self._packs

    def answer(self, asked: Sequence[Encoded]) -> Iterator[tuple[int, Reply]]:
        """Scores first, then generations, by batch; one by one with the naive engine."""
        if self.options.engine == "naive":
            yield from answer_naively(
                self.model, asked, self.end_ids, self._decode, self.special_ids
            )
            return
        generated = [place for place, item in enumerate(asked) if item.generation is not None]
        for place, found in self._score(asked):
            yield place, scored_reply(asked[place], found)
        if generated:
            yield from self._generate(asked, generated)

    def token_logprobs(
        self, asked: Sequence[Encoded]
    ) -> Iterator[tuple[int, list[tuple[float, ...]]]]:
        """(position in `asked`, the log-probability in nats of each token of each continuation)."""
        if self.options.engine == "naive":
            scores = score_naively(self.model, asked)
        else:
            scores = self._score(asked)
        for place, found in scores:
            yield place, [one.tokens for one in found]

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """The ids of the special tokens by text."""
        tokens, ids = self.tokenizer.all_special_tokens, self.tokenizer.all_special_ids
        return dict(zip(map(str, tokens), ids, strict=True))

    @property
    def model(self) -> PreTrainedModel:
        """The loaded model. That of an adapter is merged anew after another of its base was."""
        with opening(self.name):
            return self._whole if self._base is None else self._base.wear(self.weights)

    @cached_property
    def _whole(self) -> PreTrainedModel:
        forget_base()
        return load_model(self.weights, self.placement, self.options.allow_pickle)

    @cached_property
    def _base(self) -> SharedBase | None:
        if self.weights.base is None:
            return None
        return shared_base(self.weights.base, self.placement, self.options.allow_pickle)

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end a text: those of the generation configuration and the tokenizer."""
        stated = getattr(self.model.generation_config, "eos_token_id", None)
        ids = [*(stated if isinstance(stated, list) else [stated]), self.tokenizer.eos_token_id]
        return frozenset(token for token in ids if token is not None)

    def _parent(self, role: str) -> Parent | None:
        parents = self.card.parents if self.card else ()
        return next((parent for parent in parents if parent.role == role), None)

    @cached_property
    def _packs(self) -> bool:
        with opening(self.name):
            return not self.config.is_encoder_decoder and packs(self.model)

    @cached_property
    def _allowance(self) -> Allowance:
        kind = self.placement.device.type
        tokens = self.options.batch_tokens or TOKENS_AT_ONCE.get(kind, 2048)
        positions = max(64, LOGIT_BYTES // (4 * vocabulary_size(self.model)))
        return Allowance(Budget(tokens, positions, rows=10_000))

    @cached_property
    def _writing(self) -> Allowance:
        """Tokens: what the keys and values of a batch of texts may hold."""
        rows = self._rows_written
        default = 8 * TOKENS_AT_ONCE.get(self.placement.device.type, 2048)
        tokens = self.options.batch_tokens or tokens_held(self.model) or default
        return Allowance(Budget(tokens, rows, rows))

    @property
    def _rows_written(self) -> int:
        return ROWS_WRITTEN.get(self.placement.device.type, 32)

    def _near(self, asked: Sequence[Encoded], places: Sequence[int]) -> list[int]:
        """Those whose tokens may be packed behind a shared prefix."""
        longest = reach(self.config) if self._packs else 0
        return [place for place in places if asked[place].most <= longest]

    def _alone(self, budget: Budget) -> Budget:
        """`budget` for rows beyond the model's reach."""
        return budget if rope_switch(self.config) is None else replace(budget, rows=1)

    def _score(self, asked: Sequence[Encoded]) -> Iterator[tuple[int, list[Scored]]]:
        """Those with continuations: what may be packed first, then the others."""
        places = [place for place, item in enumerate(asked) if item.continuations]
        near = self._near(asked, places)
        far = sorted(set(places) - set(near))
        for group, score in ((near, self._score_near), (far, self._score_far)):
            items = [asked[place] for place in group]
            for number, found in within_memory(score, items, self._allowance):
                yield group[number], found

    def _score_near(
        self, items: Sequence[Encoded], budget: Budget
    ) -> Iterator[tuple[int, list[Scored]]]:
        return score_packed(self.model, items, budget, self.kept)

    def _score_far(
        self, items: Sequence[Encoded], budget: Budget
    ) -> Iterator[tuple[int, list[Scored]]]:
        return score_rows(self.model, items, self._alone(budget))

    def _generate(self, asked: Sequence[Encoded], places: list[int]) -> Iterator[tuple[int, Reply]]:
        longest = reach(self.config)
        near = [place for place in places if asked[place].most <= longest]
        far = sorted(set(places) - set(near))
        for group, write in ((near, self._write_near), (far, self._write_far)):
            items = [asked[place] for place in group]
            for number, made in within_memory(write, items, self._writing):
                item = items[number]
                yield (
                    group[number],
                    Reply(
                        text=made.text,
                        tokens_in=len(item.prompt),
                        tokens_out=len(made.ids),
                        truncated=item.truncated,
                        finish=made.finish,
                    ),
                )

    def _write_near(
        self, items: Sequence[Encoded], budget: Budget
    ) -> Iterator[tuple[int, Generated]]:
        return self._write(items, budget, share=True)

    def _write_far(
        self, items: Sequence[Encoded], budget: Budget
    ) -> Iterator[tuple[int, Generated]]:
        return self._write(items, self._alone(budget), share=False)

    def _write(
        self, items: Sequence[Encoded], budget: Budget, share: bool
    ) -> Iterator[tuple[int, Generated]]:
        ends, kept, special = self.end_ids, self.kept, self.special_ids
        return generate(self.model, items, budget, ends, self._decode, share, kept, special)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
