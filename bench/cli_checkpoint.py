"""The verbs around training: where a checkpoint comes from, and talking with it.

`bench.cli` adds `VERBS` to its own. Imports that take time stay inside the verbs.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli_options import AsJson, Device, DType, print_json
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.models.chat import Sampling
    from bench.models.hf import HuggingFace
    from bench.types import Turn


def lineage(
    checkpoint: Annotated[str, typer.Argument(help="A folder that bench trained, or a name.")],
    as_json: AsJson = False,
) -> None:
    """Show where a checkpoint comes from: its stages, data, costs and parents."""
    from dataclasses import asdict

    from bench.models.lineage import lineage_of
    from bench.terminal_lineage import print_lineage

    node = lineage_of(checkpoint)
    if as_json:
        print_json(asdict(node))
    else:
        print_lineage(node)


def chat(
    checkpoint: Annotated[str, typer.Argument(help="Name, folder or Hub id.")],
    system: Annotated[str, typer.Option(help="System message.")] = "",
    prompt: Annotated[
        str | None, typer.Option(help="Reply to this alone, on stdout; default: converse.")
    ] = None,
    context: Annotated[str, typer.Option(help="Text put before the prompt.")] = "",
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.7,
    top_k: Annotated[int, typer.Option(min=0, help="Likeliest tokens drawn from; 0: all.")] = 50,
    top_p: Annotated[float, typer.Option(min=0.0, max=1.0, help="Nucleus drawn from.")] = 0.95,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest reply.")] = 256,
    seed: Annotated[int | None, typer.Option(help="Same seed, same reply.")] = None,
    dtype: DType = "auto",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Talk with a checkpoint, or get one reply; standard input is the prompt when piped."""
    if prompt is None and not (sys.stdin and sys.stdin.isatty()):
        prompt = _standard_input()
    _check_message(checkpoint, prompt, context, as_json)
    model = _open_language_model(checkpoint, dtype, device)
    from bench.models.chat import Sampling
    from bench.types import Turn

    sampling = Sampling(temperature, top_k, top_p, max_tokens, seed)
    opening = [Turn("system", system)] if system else []
    if prompt is None:
        _converse(model, opening, sampling)
        return
    message = "\n\n".join(part for part in (context.strip(), prompt.strip()) if part)
    _reply_once(model, [*opening, Turn("user", message)], sampling, as_json)


VERBS: dict[str, Callable[..., None]] = {"lineage": lineage, "chat": chat}


def _standard_input() -> str:
    """All of it; empty where there is none."""
    try:
        return sys.stdin.buffer.read().decode() if sys.stdin else ""
    except UnicodeDecodeError as error:
        raise UsageError(
            f"standard input is not UTF-8: {error}", "convert it: iconv -t UTF-8"
        ) from None


def _check_message(checkpoint: str, prompt: str | None, context: str, as_json: bool) -> None:
    example = f'bench chat {checkpoint} --prompt "What is a lighthouse?"'
    if checkpoint.startswith("fake:"):
        raise UsageError(f"{checkpoint!r} has no weights to talk with", "bench chat smollm2-135m")
    if prompt is not None and not prompt.strip():
        raise UsageError("the prompt is empty", example)
    if prompt is None and (context or as_json):
        given = "--context" if context else "--json"
        raise UsageError(f"{given} goes with a single reply, and there is no --prompt", example)


def _open_language_model(checkpoint: str, dtype: DType, device: str) -> "HuggingFace":
    """The checkpoint with its weights loaded.

    Raises:
        ModelError: it cannot be found or read, or is a reward model.
    """
    from bench.models.install import prepare_local
    from bench.models.options import ModelOptions
    from bench.models.weights import find_weights

    prepare_local()
    weights = find_weights(checkpoint)  # before torch, so that a wrong name is answered at once
    from bench.models.chat import check_speaks
    from bench.models.hf import HuggingFace

    model = HuggingFace(checkpoint, ModelOptions(dtype=dtype, device=device), weights)
    check_speaks(model)
    _ = model.model
    return model


def _converse(model: "HuggingFace", opening: "list[Turn]", sampling: "Sampling") -> None:
    from bench.models.chat import reply_to
    from bench.terminal_chat import converse

    converse(lambda turns, show: reply_to(turns, model, sampling, show), opening)


def _reply_once(
    model: "HuggingFace", turns: "list[Turn]", sampling: "Sampling", as_json: bool
) -> None:
    from bench.models.chat import reply_to
    from bench.terminal_chat import show_piece

    spoken = reply_to(turns, model, sampling, (lambda _: None) if as_json else show_piece)
    if as_json:
        print_json(
            {
                "reply": spoken.text,
                "tokens": spoken.tokens,
                "finish": spoken.finish,
                "seconds": round(spoken.seconds, 3),
            }
        )
    else:
        typer.echo()
