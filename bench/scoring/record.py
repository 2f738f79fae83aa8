"""A Reply scored against its Example: the one place where Records are made."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bench.errors import BenchError, SandboxError
from bench.scoring.choice import predicted, probabilities
from bench.scoring.extract import extract
from bench.types import Example, Record, Reply

Scorers = Mapping[str, Callable[[Example, Reply], float]]


def to_record(
    example: Example, reply: Reply, scorers: Scorers, sample: int = 0, prompt_digest: str = ""
) -> Record:
    """`reply` scored by each of `scorers`; a scorer that raises makes the Record a failed one.

    Raises:
        SandboxError: code cannot be executed safely here, so no row of the task can be scored.
    """
    if reply.error is not None:
        return failed(example, reply, reply.error, sample, prompt_digest)
    try:
        found = _prediction(example, reply)
        shown = reply if example.generation is None else replace(reply, text=found or "")
        scores = {name: _unit(name, score(example, shown)) for name, score in scorers.items()}
        odds = probabilities(reply)
    except SandboxError:
        raise
    except (Exception, SystemExit) as error:  # a task's own scorer may do anything
        cause = error.cause if isinstance(error, BenchError) else repr(error)
        return failed(example, reply, f"scoring: {cause}", sample, prompt_digest)
    return _record(example, reply, sample, prompt_digest, scores, found, odds)


def failed(
    example: Example, reply: Reply, reason: str, sample: int = 0, prompt_digest: str = ""
) -> Record:
    """A Record without scores, and the reason."""
    reason = reason or "no reason was given"  # a reason is what marks a Record as failed
    return _record(example, reply, sample, prompt_digest, {}, None, (), reason)


def _record(
    example: Example,
    reply: Reply,
    sample: int,
    prompt_digest: str,
    scores: dict[str, float],
    prediction: str | None,
    odds: tuple[float, ...],
    reason: str = "",
) -> Record:
    return Record(
        task=example.task,
        id=example.id,
        cluster=example.cluster,
        digest=example.digest,
        prompt_digest=prompt_digest,
        variant=example.variant,
        sample=sample,
        status="failed" if reason else "scored",
        scores=scores,
        prediction=prediction,
        gold=example.answers[0] if example.answers else "",
        answers=example.answers,
        choices=example.choices,
        probabilities=odds,
        reply=reply,
        reason=reason,
    )


def _prediction(example: Example, reply: Reply) -> str | None:
    if example.generation is not None:
        return extract(reply.text or "", example.extract, example.choices)
    place = predicted(example, reply, example.normalise)
    return None if place is None else example.choices[place]


def _unit(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} gave {value}, outside [0, 1]")
    return float(value)
