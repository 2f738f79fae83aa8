"""Examples, replies and records that the scoring tests start from."""

from dataclasses import replace

from bench.types import Example, Extract, Generation, Normalise, Record, Reply

GENERATED = Example(
    task="t",
    id="1",
    cluster="1",
    variant="",
    instruction="",
    shots=(),
    question="q",
    delimiter=" ",
    target="",
    answers=("gold",),
    choices=(),
    right=(),
    normalise="none",
    extract=Extract(),
    generation=Generation(max_tokens=8),
    samples=1,
    check={},
    digest="d",
)


def generated(*answers: str, extract: Extract = GENERATED.extract) -> Example:
    """An example whose reply is text."""
    return replace(GENERATED, answers=answers, extract=extract)


def choice(
    choices: tuple[str, ...], right: tuple[int, ...] = (0,), normalise: Normalise = "none"
) -> Example:
    """An example whose reply is log-likelihoods of its choices."""
    return replace(
        GENERATED,
        answers=tuple(choices[place] for place in right),
        choices=choices,
        right=right,
        normalise=normalise,
        generation=None,
    )


def preferring(*logprobs: float, tokens: tuple[int, ...] = (), alone: tuple[float, ...] = ()):
    """A reply of log-likelihoods; `alone` are those without the question."""
    return Reply(logprobs=logprobs, token_counts=tokens, baseline=alone, finish="scored")


def record(
    gold: str = "a",
    prediction: str | None = "a",
    choices: tuple[str, ...] = (),
    probabilities: tuple[float, ...] = (),
    answers: tuple[str, ...] = (),
    id: str = "1",
    score: float = 1.0,
) -> Record:
    """A scored record of the one scorer `exact_match`."""
    return Record(
        task="t",
        id=id,
        cluster=id,
        digest="d",
        prompt_digest="p",
        variant="",
        sample=0,
        status="scored",
        scores={"exact_match": score},
        prediction=prediction,
        gold=gold,
        answers=answers or (gold,),
        choices=choices,
        probabilities=probabilities,
        reply=Reply(text=prediction),
    )
