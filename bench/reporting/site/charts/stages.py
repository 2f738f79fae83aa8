"""How a stage of training looks: a colour (in charts.css), a shape and a word.

Called by every chart that shows models. Colours are Okabe & Ito's (2008, jfly.uni-koeln.de/color);
shape and word say the same to who does not see them.

    base circle, sft square, rm triangle, ppo diamond, ppo_ptx star, dpo four-pointed star
"""

from collections.abc import Mapping, Sequence
from math import cos, pi, sin

from bench.reporting.site.charts.say import spoken
from bench.reporting.site.charts.shapes import Point, circle, path

WORDS: Mapping[str, str] = {
    "base": "base",
    "sft": "SFT",
    "rm": "RM",
    "dpo": "DPO",
    "ppo": "PPO",
    "ppo_ptx": "PPO-ptx",
    "rloo": "RLOO",
    "grpo": "GRPO",
    "published": "published",
}


def _corners(*turns_and_radii: tuple[float, float]) -> tuple[Point, ...]:
    """Points at a share of a full turn from the top and a distance from the middle."""
    return tuple(
        (radius * sin(2 * pi * turn), -radius * cos(2 * pi * turn))
        for turn, radius in turns_and_radii
    )


def _star(points: int, inner: float, outer: float) -> tuple[Point, ...]:
    steps = 2 * points
    return _corners(*((at / steps, inner if at % 2 else outer) for at in range(steps)))


def _polygon(corners: int, radius: float, turn: float = 0.0) -> tuple[Point, ...]:
    return _corners(*((at / corners + turn, radius) for at in range(corners)))


def _cross(half: float, reach: float) -> tuple[Point, ...]:
    arm = ((-half, -reach), (half, -reach), (half, -half))
    turned: list[tuple[Point, ...]] = [arm]
    for _ in range(3):
        turned.append(tuple((-down, across) for across, down in turned[-1]))
    return tuple(corner for corners in turned for corner in corners)


# Corners around the middle of a shape of radius 1; what has none is a circle. Radii differ so that
# areas look alike.
SHAPES: Mapping[str, tuple[Point, ...]] = {
    "sft": _polygon(4, 1.27, 1 / 8),
    "rm": _polygon(3, 1.4),
    "ppo": _polygon(4, 1.3),
    "ppo_ptx": _star(5, 0.62, 1.5),
    "dpo": _star(4, 0.6, 1.6),
    "rloo": _polygon(6, 1.15),
    "grpo": _polygon(5, 1.2),
    "published": _cross(0.42, 1.25),
}


def stage_word(stage: str) -> str:
    """The stage for a reader; a model that does not say is "no stage"."""
    word = WORDS.get(stage, stage or "no stage")
    return spoken(word)


def mark(stage: str, x: float, y: float, radius: float = 5.0) -> str:
    """The shape of a stage around a point, in its colour."""
    style = f"mark {stage_class(stage)}"
    if stage not in SHAPES:
        return circle(style, x, y, radius)
    corners = [(x + radius * across, y + radius * down) for across, down in SHAPES[stage]]
    return path(style, corners, closed=True)


def stage_class(stage: str) -> str:
    """The class that colours a stage: `stage-sft`; `stage-none` for one that is not known."""
    return f"stage-{stage.replace('_', '-')}" if stage in WORDS else "stage-none"


def in_order(stages: Sequence[str]) -> list[str]:
    """Each of `stages` once, in the order of training."""
    known = list(WORDS)
    return sorted(set(stages), key=lambda one: (known.index(one) if one in known else 99, one))
