"""Scores on a scale where guessing is 0 and the best possible is 1, to be averaged over tasks.

Called by the reports before `bench.statistics.pooling`, with the raw score beside it. Half right
of four choices is a third of the way from guessing to perfect:

>>> round(Scale(chance=0.25).score(0.5), 4)
0.3333
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """What a guesser gets on a metric and, by direction and `bounds`, the best possible.

    Raises:
        ValueError: the bounds are not in order, or chance lies outside them or is the best.
    """

    chance: float = 0.0
    lower_is_better: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not self.bounds[0] <= self.chance <= self.bounds[1] or self.chance == self.best:
            raise ValueError(f"chance {self.chance} with best {self.best} in {self.bounds}")

    @property
    def best(self) -> float:
        """The best possible score."""
        return self.bounds[0] if self.lower_is_better else self.bounds[1]

    def score(self, raw: float) -> float:
        """(s - c) / (best - c): 1 is perfect, 0 is guessing, less is worse than guessing.

        Raises:
            ValueError: the score lies outside the bounds.
        """
        if not self.bounds[0] <= raw <= self.bounds[1]:
            raise ValueError(f"score {raw} outside {self.bounds}")
        return (raw - self.chance) / (self.best - self.chance)

    def change(self, raw: float) -> float:
        """A difference of two scores; above 0 is better, also where lower scores are."""
        return raw / (self.best - self.chance)

    def error(self, raw: float) -> float:
        """The standard error of a score or of a difference."""
        return raw / abs(self.best - self.chance)
