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
from bench.reporting.export import (
    DASH,
    cell_json,
    dumps,
    markdown_text,
    rows_csv,
    show,
    table_markdown,
)
from bench.reporting.page import render
from bench.store import write_atomic
from bench.types import Cell, Json

COLUMNS = ("value", "name", "capability", "lo", "hi", "reward", "kl")
HEADINGS = ("name", "capability", "reward", "KL")


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
    axis: str,
    before: AblationPoint | None = None,
) -> Path:
    """Write all formats below `output`; the path of the page. Points are ordered by value.

    `axis` is the setting that was varied, such as "ptx.gamma". `before` is the checkpoint that all
    points started from; its value means nothing.

    Raises:
        UsageError: no points.
        RunError: a file cannot be written.
    """
    if not points:
        raise UsageError("an ablation of no points", "train and evaluate a checkpoint per value")
    told = _told(points, before)
    figure = _figure(told, axis, before)
    values = {
        "axis": axis,
        "figure": Markup(figure),
        "headings": HEADINGS,
        "rows": _summary(told),
        "names": [tick for tick, _ in told],
        "tasks": _tasks(told),
    }
    content: dict[str, Json] = {"axis": axis, "points": [_json(one) for one in told]}
    write_atomic(output / "ablation.svg", figure.encode())
    write_atomic(output / "ablation.csv", rows_csv(COLUMNS, map(_csv_row, told)).encode())
    write_atomic(output / "ablation.json", dumps(content).encode())
    write_atomic(output / "ablation.md", _markdown(told, axis).encode())
    write_atomic(output / "ablation.html", render("ablation.html", values).encode())
    return output / "ablation.html"


Told = tuple[str, AblationPoint]  # what the axis calls a point, "before" or its value; the point


def _told(points: Sequence[AblationPoint], before: AblationPoint | None) -> list[Told]:
    """`before` first, then the points by value."""
    ordered = sorted(points, key=lambda point: point.value)
    first = [("before", before)] if before is not None else []
    return [*first, *((f"{point.value:g}", point) for point in ordered)]


def _figure(told: Sequence[Told], axis: str, before: AblationPoint | None) -> str:
    points = told[1:] if before is not None else told
    capability = before.capability if before is not None else Dot(None)
    reward = before.reward if before is not None else None
    panels = [
        Panel(
            "capability (mean of headlines)",
            tuple(_dot(point.capability) for _, point in points),
            _dot(capability),
        ),
        Panel("reward", tuple(Dot(point.reward) for _, point in points), Dot(reward)),
    ]
    return figure_svg(panels, [tick for tick, _ in points], axis)


def _dot(value: Estimate) -> Dot:
    return Dot(value.estimate, value.lo, value.hi)


def _summary(told: Sequence[Told]) -> list[tuple[str, list[str]]]:
    """(value, cells under HEADINGS) of each point."""
    return [
        (tick, [point.name, _bounded(point.capability), _shown(point.reward), _shown(point.kl)])
        for tick, point in told
    ]


def _tasks(told: Sequence[Told]) -> list[tuple[str, list[str]]]:
    """(task and metric, the headline of each point), in the order of the tasks."""
    found: dict[str, dict[int, Cell]] = {}
    for place, (_, point) in enumerate(told):
        for cell in headlines(point.cells):
            found.setdefault(f"{cell.task} ({cell.metric})", {})[place] = cell
    return [
        (name, [show(cells.get(place)) for place in range(len(told))])
        for name, cells in found.items()
    ]


def _markdown(told: Sequence[Told], axis: str) -> str:
    rows = [(tick, [markdown_text(name), *rest]) for tick, (name, *rest) in _summary(told)]
    return (
        f"# Ablation of {axis}\n\nEstimate [95% interval].\n\n"
        + table_markdown(HEADINGS, rows)
        + "\n## By task\n\n"
        + table_markdown([tick for tick, _ in told], _tasks(told))
    )


def _csv_row(told: Told) -> dict[str, object]:
    tick, point = told
    found = point.capability
    values = (tick, point.name, found.estimate, found.lo, found.hi, point.reward, point.kl)
    return dict(zip(COLUMNS, values, strict=True))


def _json(told: Told) -> dict[str, Json]:
    tick, point = told
    found = point.capability
    return {
        "value": None if tick == "before" else point.value,
        "name": point.name,
        "capability": {"estimate": found.estimate, "lo": found.lo, "hi": found.hi},
        "reward": point.reward,
        "kl": point.kl,
        "cells": [cell_json(cell) for cell in point.cells],
    }


def _bounded(value: Estimate) -> str:
    bounds = "" if value.lo is None or value.hi is None else f" [{value.lo:.3f}, {value.hi:.3f}]"
    return _shown(value.estimate) + bounds


def _shown(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"
