"""Prompts and replies -> token ids, exactly as evaluation asks and reads them.

A prompt is encoded by `bench.models.hf` with the settings of an evaluation, so that what was
trained is what is asked. A reply ends with the token that ends an assistant's turn: where a chat
template writes another token than EOS there (Gemma's <end_of_turn>), that one.
"""

from collections.abc import Sequence
from typing import Literal

from bench.errors import UsageError
from bench.models.hf import HuggingFace
from bench.training.layout import Ids
from bench.types import Generation, Prompt, Request, Turn

Chat = Literal["auto", "on", "off"]
PROBE = "bench"  # a reply whose end shows what the template writes after it


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
        text = self.model.chat((*self.opening, *prompt.turns)) if self.chat else prompt.text
        generation = Generation(max_tokens=1)
        (encoded,) = self.model.encode(
            [Request(text, generation=generation, special_tokens=not self.chat)]
        )
        return () if encoded.error or encoded.truncated else encoded.prompt

    def reply(self, prompt: Prompt, text: str) -> Ids:
        """The token ids of a whole reply to `prompt`, its end included."""
        written = text if self.chat else prompt.delimiter + text
        ids = self.model.tokenizer(written, add_special_tokens=False)["input_ids"]
        return (*ids, self.end)

    def read(self, ids: Sequence[int]) -> str:
        """The text of a reply, special tokens left out."""
        return str(self.model.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _find_end(self) -> int:
        eos = self.model.tokenizer.eos_token_id
        if self.chat:
            turns = [{"role": "user", "content": PROBE}, {"role": "assistant", "content": PROBE}]
            whole = str(self.model.tokenizer.apply_chat_template(turns, tokenize=False))
            after = whole.rpartition(PROBE)[2]
            ids = self.model.tokenizer(after, add_special_tokens=False)["input_ids"]
            special = [token for token in ids if token in self.model.tokenizer.all_special_ids]
            eos = special[0] if special else eos
        if not isinstance(eos, int):
            raise UsageError(
                f"{self.model.name}: its tokenizer has no EOS, so no reply could ever end",
                "train a model whose tokenizer has an eos_token",
            )
        return eos
