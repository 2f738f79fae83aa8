"""Did both programs answer alike? Where they did not, their times say nothing about each other.

In fp32 log-likelihoods agree to 1e-3 nats, and most texts are the same. In bf16 both round where
they split the work differently: log-likelihoods scatter, so most must be near, and texts part as
soon as two tokens are about as likely, so they are compared in fp32 only.

>>> print(agreement([[-23.5434, -34.063]], [[-23.5431, -34.065]], "float32"))
50% of 2 log-likelihoods alike, at most 0.002 nats apart
"""

from collections.abc import Sequence
from dataclasses import dataclass

Answer = list[float] | str  # log-likelihoods of the choices, or a text

NEAR = {"float32": (1e-3, 0.0), "bfloat16": (0.1, 0.03)}  # nats, and share of the value
SCORES_ALIKE = {"float32": 1.0, "bfloat16": 0.9}
TEXTS_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share `alike` of what was `compared`, and what share is needed; `furthest` is the largest
    difference of log-likelihoods in nats, None for texts."""

    kind: str
    compared: int
    alike: float
    needed: float
    furthest: float | None

    @property
    def enough(self) -> bool:
        return self.alike >= self.needed

    def __str__(self) -> str:
        apart = "" if self.furthest is None else f", at most {self.furthest:.2g} nats apart"
        return f"{self.alike:.0%} of {self.compared} {self.kind} alike{apart}"


def agreement(ours: Sequence[Answer], theirs: Sequence[Answer], dtype: str) -> Agreement:
    """How far answers to the same requests agree.

    Raises:
        ValueError: not as many answers, or choices, of one as of the other.
    """
    if isinstance(ours[0], str):
        same = [own == other for own, other in zip(ours, theirs, strict=True)]
        return Agreement("texts", len(same), sum(same) / len(same), TEXTS_ALIKE, None)
    pairs = [
        pair
        for own, other in zip(ours, theirs, strict=True)
        for pair in zip(own, other, strict=True)
    ]
    return _of_scores([(float(own), float(other)) for own, other in pairs], dtype)


def _of_scores(pairs: Sequence[tuple[float, float]], dtype: str) -> Agreement:
    nats, share = NEAR[dtype]
    apart = [abs(own - other) for own, other in pairs]
    near = [gap <= nats + share * abs(other) for gap, (_, other) in zip(apart, pairs, strict=True)]
    return Agreement(
        "log-likelihoods",
        len(pairs),
        sum(near) / len(near),
        SCORES_ALIKE[dtype],
        float(f"{max(apart):.4g}"),
    )
