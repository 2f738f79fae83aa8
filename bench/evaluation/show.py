"""`bench show`: prompts of a task as a model sees them, with the boundary of context and answer."""

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile, zip_longest
from typing import cast

from bench.evaluation.plan import Ask, Settings, make_plan
from bench.models.model import Encoded, Model
from bench.registry.folder import Task
from bench.types import Json

NEAR = 6  # tokens shown on each side of the boundary
Weigh = Callable[[Sequence[Encoded]], Iterator[tuple[int, list[tuple[float, ...]]]]]


def show_rows(
    task: Task, settings: Settings, model: Model, tokens: bool, weigh: Weigh | None = None
) -> list[dict[str, Json]]:
    """One document for each of the first rows: prompt, answers, digests, and token facts if asked.

    `weigh` gives (position, log-probabilities of each token of each continuation) of requests, as
    `bench.models.hf` does; they stand beside the tokens then.

    Raises:
        TaskError, UsageError: the task cannot be asked like this.
    """
    plan = make_plan(model, task, settings)
    shown = [_row(ask) for ask in plan.asks]
    if tokens:
        encoded = model.encode([ask.samples[0] for ask in plan.asks])
        for row, item in zip(shown, encoded, strict=True):
            row["tokens"] = _tokens(model, item, _weights(item, weigh))
    return shown


def shown_text(row: dict[str, Json]) -> str:
    """The document as text for a terminal."""
    lines = [f"--- {row['id']}  item {row['digest']}  prompt {row['prompt_digest']}", ""]
    lines += [str(row["prompt"]), "", f"target: {row['target']!r}"]
    choices, tokens = row["choices"], row.get("tokens")
    if isinstance(choices, list) and choices:
        lines.append(f"choices: {choices}")
    if isinstance(tokens, dict):
        lines.append(
            f"tokens: {tokens['prompt_tokens']} in the prompt, {tokens['bos']} BOS at the start, "
            f"{tokens['truncated']} cut on the left"
        )
        boundaries = cast("list[str]", tokens["boundaries"])
        weights = cast("list[list[float]]", tokens["logprobs"])
        for boundary, logprobs in zip_longest(boundaries, weights):
            lines += [f"  {boundary}", *([f"    {_summed(logprobs)}"] if logprobs else [])]
        if tokens["error"]:
            lines.append(f"cannot be asked: {tokens['error']}")
    return "\n".join(lines)


def _row(ask: Ask) -> dict[str, Json]:
    example = ask.example
    return {
        "id": example.id,
        "digest": example.digest,
        "prompt_digest": ask.prompt_digest,
        "prompt": ask.samples[0].prompt,
        "target": example.target,
        "answers": list(example.answers),
        "choices": list(example.choices),
    }


def _weights(item: Encoded, weigh: Weigh | None) -> list[tuple[float, ...]]:
    """The log-probabilities of the tokens of each continuation; none where nobody asks for them."""
    if weigh is None or item.error is not None or not item.continuations:
        return []
    ((_, found),) = weigh([item])
    return found


def _tokens(model: Model, item: Encoded, weights: list[tuple[float, ...]]) -> dict[str, Json]:
    """Counts, and for each continuation `...'context'|'continuation'...` around the boundary."""
    last = model.pieces(item.prompt[-NEAR:])
    boundaries: list[Json] = [
        f"{_quoted(last)} | {_quoted(model.pieces(branch[:NEAR]))}" for branch in item.continuations
    ]
    return {
        "prompt_tokens": len(item.prompt),
        "bos": len(list(takewhile(lambda token: token == model.bos_id, item.prompt))),
        "truncated": item.truncated,
        "boundaries": boundaries or [f"{_quoted(last)} | (generated)"],
        "logprobs": [list(one) for one in weights],
        "error": item.error or "",
    }


def _summed(logprobs: Sequence[float]) -> str:
    """`-3.21 nats: -2.10 -1.11`."""
    return f"{sum(logprobs):.2f} nats: {' '.join(f'{one:.2f}' for one in logprobs)}"


def _quoted(pieces: Sequence[str]) -> str:
    return " ".join(repr(piece) for piece in pieces)
