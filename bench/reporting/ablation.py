"""An ablation: one setting at several values, and what becomes of capability and reward.

The figure of InstructGPT (arXiv 2203.02155, figures 33 and 34) for PPO-ptx is gamma against both:

    ablation.html   the figure and two tables; ablation.svg is the figure alone
    ablation.md, ablation.csv, ablation.json
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from markupsafe import Markup

from bench.errors import UsageError
from bench.reporting.ablation_figure import Dot, Panel, figure_svg
from bench.reporting.cells import headlines
from bench.reporting.export import DASH, dumps, rows_csv, show, table_markdown
from bench.reporting.page import render
from bench.store import write_atomic
from bench.types import Cell, Json

COLUMNS = ("gamma", "name", "capability", "lo", "hi", "reward", "kl")


class Estimate(Protocol):
    """A number with bounds, None where there are none: an Interval, a Cell, a Contrast."""

    @property
    def estimate(self) -> float | None:
        """The number."""

    @property
    def lo(self) -> float | None:
        """Its lower bound."""

    @property
    def hi(self) -> float | None:
        """Its upper bound."""


@dataclass(frozen=True, slots=True)
class AblationPoint:
    """One checkpoint: the `value` of the setting that it was trained with, and what it reached.

    `capability` is the mean of its headline metrics, `reward` the mean reward and `kl` the distance
    to the reference (nats a reply) on held-out prompts, None where not measured; `cells` are those
    of its run.
    """

    value: float
    name: str
    capability: Estimate
    reward: float | None
    kl: float | None
    cells: list[Cell]


def write_ablation(
    points: Sequence[AblationPoint],
    output: Path,
    baseline: Estimate | None = None,
    baseline_reward: float | None = None,
) -> Path:
    """Write all formats below `output`; the path of the page.

    `baseline` and `baseline_reward` are those of the checkpoint that all points started from.

    Raises:
        UsageError: no points.
        RunError: a file cannot be written.
    """
    if not points:
        raise UsageError("an ablation of no points", "train and evaluate one for each value")
    points = sorted(points, key=lambda point: point.value)
    figure = figure_svg(_panels(points, baseline, baseline_reward), _ticks(points), "gamma")
    started = _row("", "before", baseline, baseline_reward, None)
    rows = [
        *([started] if baseline is not None or baseline_reward is not None else []),
        *(_row(point.value, point.name, point.capability, point.reward, point.kl) for point in points),
    ]
    write_atomic(output / "ablation.svg", figure.encode())
    write_atomic(output / "ablation.csv", rows_csv(COLUMNS, rows).encode())
    write_atomic(output / "ablation.json", dumps(_document(points, baseline, baseline_reward)).encode())
    return output
