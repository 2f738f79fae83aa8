"""`bench show`: prompts of a task as a model sees them, with the boundary of context and answer."""

from collections.abc import Sequence
from itertools import takewhile

from bench.evaluation.plan import Ask, Settings, make_plan
from bench.models.model import Encoded, Model
from bench.registry.folder import Task
from bench.types import Json

NEAR = 6  # tokens shown on each side of the boundary


def show_rows(task: Task, settings: Settings, model: Model, tokens: bool) -> list[dict[str, Json]]:
    """One document for each of the first rows: prompt, answers, digests, and token facts if asked.

    Raises:
        TaskError, UsageError: the task cannot be asked like this.
    """
    plan = make_plan(model, task, settings)
    shown = [_row(ask) for ask in plan.asks]
    if tokens:
        encoded = model.encode([ask.samples[0] for ask in plan.asks])
        for row, ask, item in zip(shown, plan.asks, encoded, strict=True):
            row["tokens"] = _tokens(model, ask, item)
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
        boundaries = tokens["boundaries"]
        lines += (
            [f"  {boundary}" for boundary in boundaries] if isinstance(boundaries, list) else []
        )
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


def _tokens(model: Model, ask: Ask, item: Encoded) -> dict[str, Json]:
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
        "error": item.error or "",
    }


def _quoted(pieces: Sequence[str]) -> str:
    return " ".join(repr(piece) for piece in pieces)
