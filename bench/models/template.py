"""A chat as the text that a model reads: the tokenizer's chat template, without the weights.

Called by `bench.models.hf`, and by `bench rescore`, which asks whether a prompt is still the same.

    render = read_template(Path("checkpoints/demo/sft"))
    render((Turn("user", "Hello"),))        "<|user|>Hello<|assistant|>"
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from bench.errors import ModelError
from bench.models.load import load_tokenizer
from bench.models.weights import Weights
from bench.types import Turn

Render = Callable[[Sequence[Turn]], str]


def chat_text(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Turn], name: str) -> str:
    """`turns` through the chat template of the model `name`, ending where the assistant starts.

    Raises:
        ModelError: the template refuses the turns (some know no system role).
    """
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except (TemplateError, ValueError) as error:
        raise ModelError(
            f"{name}: the chat template refuses the prompt: {error}",
            "use --chat off, or leave --system out",
        ) from None
    return str(text)


def read_template(folder: Path, base: Path | None = None) -> Render:
    """The chat template of the checkpoint in `folder`; of an adapter without one that of its base.

    Raises:
        ModelError: there is no tokenizer that can be read.
    """
    parent = Weights(str(base), base, None, "") if base else None
    tokenizer = load_tokenizer(Weights(str(folder), folder, parent, ""))
    return lambda turns: chat_text(tokenizer, turns, str(folder))
