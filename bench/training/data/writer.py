"""Prompts and replies -> token ids, exactly as evaluation asks and reads them.

A prompt is encoded by `bench.models.hf` with the settings of an evaluation, so that what was
trained is what is asked. A reply ends with the token that ends an assistant's turn: where a chat
template writes another token than EOS there (Gemma's <end_of_turn>), that one. One that was cut off
has none: it would teach that replies end anywhere.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from bench.errors import UsageError
from bench.models.encode import Ids
from bench.models.hf import HuggingFace
from bench.training.data.data_settings import Chat
from bench.types import Generation, Prompt, Request, Turn

PROBE = "bench"  # a reply whose end shows what the template writes after it
TURNS = [{"role": "user", "content": PROBE}, {"role": "assistant", "content": PROBE}]


class Writer:
    """Tokenizes for one checkpoint. `end` is the id that ends a reply.

    Raises:
        UsageError: chat or a system message for a model without a chat template.
    """

    def __init__(self, model: HuggingFace, chat: Chat, system: str) -> None:
        if chat == "on" and not model.has_chat_template:
            raise UsageError(f"{model.name} has no chat template", "set chat: auto or off")
        self.chat = chat != "off" and model.has_chat_template
        if system and not self.chat:
            raise UsageError(
                f"system: a message is given, but {model.name} is not asked as a chat",
                "leave system out, or set chat: on with a chat model",
            )
        self.model = model
        self.opening = (Turn("system", system),) if system else ()
        self.end = self._find_end()

    def prompt(self, prompt: Prompt) -> Ids:
        """The token ids of a prompt; empty when it is longer than the model reads."""
        plain = not self._is_chat(prompt)
        request = Request(
            self._asked(prompt), generation=Generation(max_tokens=1), special_tokens=plain
        )
        (encoded,) = self.model.encode([request])
        return () if encoded.error or encoded.truncated else encoded.prompt

    def reply(self, prompt: Prompt, text: str, ended: bool = True) -> Ids:
        """The token ids of a reply to `prompt`, its end included if it `ended`."""
        asked = self._asked(prompt)
        written = text if self._is_chat(prompt) else prompt.delimiter + text
        texts = [asked, asked + written, written]
        before, whole, alone = self.model.tokenizer(texts, add_special_tokens=False)["input_ids"]
        # Llama 2's tokenizer puts a space before every text, but not before one behind a prompt.
        continues = whole[: len(before)] == before
        end = (self.end,) if ended else ()
        return (*(whole[len(before) :] if continues else alone), *end)

    def read(self, ids: Sequence[int]) -> str:
        """The text of a reply, special tokens left out."""
        return str(self.model.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _asked(self, prompt: Prompt) -> str:
        asks = self._is_chat(prompt)
        return self.model.chat((*self.opening, *prompt.turns)) if asks else prompt.text

    def _is_chat(self, prompt: Prompt) -> bool:
        """Plain text of a pretraining mix has no turns: it begins where a text begins."""
        return self.chat and bool(prompt.turns)

    def _find_end(self) -> int:
        tokenizer = self.model.tokenizer
        closing = turn_end(tokenizer) if self.chat else None
        eos = tokenizer.eos_token_id if closing is None else closing
        if not isinstance(eos, int):
            raise UsageError(
                f"{self.model.name}: its tokenizer has no EOS, so no reply could ever end",
                "train a model whose tokenizer has an eos_token",
            )
        return eos


def turn_end(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The special token that the chat template writes behind a reply; None without one."""
    if not tokenizer.chat_template:
        return None
    after = str(tokenizer.apply_chat_template(TURNS, tokenize=False)).rpartition(PROBE)[2]
    special = set(special_ids(tokenizer))
    ids = tokenizer(after, add_special_tokens=False)["input_ids"]
    return next((token for token in ids if token in special), None)


def special_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that stand for no text, those without a role (Phi-3's <|end|>) last."""
    added = tokenizer.added_tokens_decoder
    others = [number for number, token in added.items() if token.special]
    return list(dict.fromkeys([*map(int, tokenizer.all_special_ids), *others]))
