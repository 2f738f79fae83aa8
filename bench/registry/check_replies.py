"""Rules of `bench check` about replies: gold scores 1, nothing scores 0, chance is as stated."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.registry.data import Row
from bench.registry.finding import Finding, Loaded, Rule
from bench.scoring.record import to_record
from bench.types import Example, Record, Reply

SAMPLED = 150  # rows whose random reply is scored
FEW = 20  # rows below which means say nothing


def _gold(loaded: Loaded) -> Iterator[Finding]:
    """The target, given as the reply, scores 1 on the headline."""
    pairs = list(loaded.pairs())
    records = _score(loaded, [example for _, example in pairs], [_say] * len(pairs))
    yield from _unexpected("gold", pairs, records, 1.0)


def _blank(loaded: Loaded) -> Iterator[Finding]:
    """A reply that says nothing scores 0 on every scorer."""
    pairs = list(zip(loaded.rows["test"], loaded.examples["test"], strict=True))
    records = _score(loaded, [example for _, example in pairs], [lambda example: ""] * len(pairs))
    yield from _unexpected("empty reply", pairs, records, 0.0)


def _chance(loaded: Loaded) -> Iterator[Finding]:
    """Random replies score about what `chance` says."""
    stated = loaded.task.spec.chance
    test = loaded.examples["test"]
    if not test:
        return
    if test[0].generation is None:
        found = sum(len(example.right) / len(example.choices) for example in test) / len(test)
        tolerance = 0.01
    else:
        found, tolerance = _random_score(loaded, test)
    if abs(found - stated) > tolerance:
        yield Finding(
            "chance",
            f"{loaded.file}: chance",
            f"found {stated}, random replies score {found:.3f} (tolerance {tolerance:.3f})",
        )


def _random_score(loaded: Loaded, test: Sequence[Example]) -> tuple[float, float]:
    """Mean headline of other rows' targets, and three standard errors of it (at least 0.03)."""
    draw = random.Random(0)
    asked = draw.sample(list(test), min(SAMPLED, len(test)))
    targets = sorted({example.target for example in test})
    if len(targets) < 2:
        return loaded.task.spec.chance, 1.0
    says = [_other(example, targets, draw) for example in asked]
    values = [
        next(iter(record.scores.values()))
        for record in _score(loaded, asked, says)
        if record.status == "scored"
    ]
    if len(values) < FEW:
        return loaded.task.spec.chance, 1.0
    mean = sum(values) / len(values)
    spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return mean, max(0.03, 3 * spread / len(values) ** 0.5)


def _other(
    example: Example, targets: Sequence[str], draw: random.Random
) -> Callable[[Example], str]:
    said = draw.choice([target for target in targets if target != example.target])
    return lambda _: said


def _say(example: Example) -> str:
    return example.target


def _score(
    loaded: Loaded, examples: Sequence[Example], says: Sequence[Callable[[Example], str]]
) -> list[Record]:
    """Each Example scored with the reply that its `says` gives; code runs on all cores."""

    def one(pair: tuple[Example, Callable[[Example], str]]) -> Record:
        example, say = pair
        return to_record(example, _reply(example, say(example)), loaded.scorers)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one, zip(examples, says, strict=True)))


def _reply(example: Example, said: str) -> Reply:
    """`said` as generated text, or as a preference for the right choice (nothing: for none)."""
    if example.generation is not None:
        return Reply(text=said)
    if not said:
        return Reply(finish="scored")
    logprobs = tuple(
        0.0 if place in example.right else -9.0 for place in range(len(example.choices))
    )
    return Reply(
        logprobs=logprobs,
        baseline=(-1.0,) * len(logprobs),
        token_counts=(1,) * len(logprobs),
        finish="scored",
    )


def _unexpected(
    rule: str, pairs: Sequence[tuple[Row, Example]], records: Sequence[Record], wanted: float
) -> Iterator[Finding]:
    for (row, _), record in zip(pairs, records, strict=True):
        if record.status == "failed":
            yield Finding(rule, row.where, record.reason)
            continue
        judged = record.scores if wanted == 0.0 else dict(list(record.scores.items())[:1])
        for name, value in judged.items():
            if value != wanted:
                yield Finding(rule, row.where, f"{name} gives {value:.3f}, expected {wanted:.0f}")


REPLY_RULES: dict[str, Rule] = {"gold": _gold, "empty reply": _blank, "chance": _chance}
