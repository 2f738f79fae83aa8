"""Requests -> Replies: asks a model only what the ledger does not know, and keeps each answer.

The ledger key is the model's digest, the token ids and the generation settings, so whatever was
answered once is known to every task, shard and later run.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Protocol

from bench.evaluation.plan import Plan
from bench.models.model import Encoded, Model
from bench.store import Ledger, to_json
from bench.types import Reply

ENGINE = 5  # raised when the same request may get another reply, so that old ones are not served


class Progress(Protocol):
    """Told how a run goes; the command line draws bars, the default is silent."""

    def start(self, task: str, total: int, known: int) -> None:
        """A task begins: `total` requests, of which `known` need not be asked."""

    def advance(self) -> None:
        """One more request is answered."""

    def finish(self, task: str) -> None:
        """The task is scored."""


class Silent:
    """A Progress that says nothing."""

    def start(self, task: str, total: int, known: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""

    def finish(self, task: str) -> None:
        """Nothing."""


def ask_all(
    model: Model, plan: Plan, ledger: Ledger, progress: Progress
) -> tuple[list[list[Reply]], int]:
    """For each Ask the replies to its requests, and how many had to be asked."""
    requests = [request for ask in plan.asks for request in ask.requests]
    encoded = model.encode(requests)
    keys = [request_key(model.digest, item) for item in encoded]
    distinct = {key: item for key, item in zip(keys, encoded, strict=True) if item.error is None}
    replies = ledger.get(distinct)
    known = len(replies)
    progress.start(plan.task.name, len(distinct), known)
    for portion in _portions(distinct, model.portion):
        missing = {key: distinct[key] for key in portion if key not in replies}
        if missing:
            fresh = _ask(model, missing, progress)
            ledger.put(fresh)
            replies |= fresh
    answers = iter(
        Reply(error=item.error, finish="error")
        if item.error is not None
        else replace(replies[key], truncated=item.truncated)
        for key, item in zip(keys, encoded, strict=True)
    )
    return [[next(answers) for _ in ask.requests] for ask in plan.asks], len(distinct) - known


def _ask(model: Model, missing: Mapping[str, Encoded], progress: Progress) -> dict[str, Reply]:
    """Replies to `missing`, each with an equal share of the time that they took together."""
    keys = list(missing)
    replies: dict[str, Reply] = {}
    model.load()
    started = time.perf_counter()
    for place, reply in model.answer(list(missing.values())):
        replies[keys[place]] = reply
        progress.advance()
    share = (time.perf_counter() - started) / len(keys)
    return {key: replace(reply, seconds=share) for key, reply in replies.items()}


def _portions(distinct: Mapping[str, Encoded], size: int) -> Iterator[list[str]]:
    """Keys in groups of `size` that are asked and kept together, longest first: all that a kill can
    lose.

    A reply's last bits depend on its batch. The groups depend on the plan alone and are kept whole
    or not at all, so a run that was killed batches what is missing as it would have done anyway.
    """

    def length(key: str) -> int:
        return len(distinct[key].prompt) + sum(map(len, distinct[key].continuations))

    order = sorted(distinct, key=length, reverse=True)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def request_key(model_digest: str, encoded: Encoded) -> str:
    """SHA-256 over everything that the answer depends on."""
    content = [
        ENGINE,
        model_digest,
        encoded.prompt,
        encoded.continuations,
        asdict(encoded.generation) if encoded.generation else None,
    ]
    return hashlib.sha256(to_json(content).encode()).hexdigest()
