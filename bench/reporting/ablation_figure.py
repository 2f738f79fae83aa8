"""The figure of an ablation: panels one below the other over the same categories, as one SVG.

Called by `bench.reporting.ablation`. The SVG carries its own style, so it is whole as a file too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, BOTTOM = 420, 170, 44
LEFT, RIGHT, TOP, INSET = 52, 12, 34, 12
STYLE = """
.ablation { --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --dot: #0a5bb5; --before: #b35900; font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .ablation { --paper: #0d1117; --ink: #e6edf3; --soft: #9da7b3; --line: #3a424c; --dot: #6cb6ff; --before: #f0a35e; } }
.ablation .paper { fill: var(--paper); } .ablation text { fill: var(--soft); } .ablation .title { fill: var(--ink); font-weight: 600; }
.ablation .frame { fill: none; stroke: var(--line); } .ablation .joined { fill: none; stroke: var(--dot); stroke-width: 1.5; opacity: .6; }
.ablation .bar { stroke: var(--dot); stroke-width: 3; stroke-linecap: round; } .ablation .point { fill: var(--dot); }
.ablation .before { stroke: var(--before); stroke-width: 2; stroke-dasharray: 6 4; } .ablation .band { fill: var(--before); opacity: .14; }
.ablation .told { fill: var(--before); }
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate with its bounds; all None where nothing was measured."""

    estimate: float | None
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity: a Dot for each category, and what it was `before` the setting was varied."""

    title: str
    dots: tuple[Dot, ...]
    before: Dot


def figure_svg(panels: Sequence[Panel], ticks: Sequence[str], axis: str) -> str:
    """The panels that have a value, above `ticks` (one for each category) and the axis' name."""
    shown = [panel for panel in panels if _values(panel)]
    height = PANEL * len(shown) + BOTTOM
    xs = [_x(number, len(ticks)) for number in range(len(ticks))]
    foot = PANEL * len(shown)
    said = f"{' and '.join(panel.title for panel in shown)} against {axis}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ablation" role="img" '
        f'aria-label="{escape(said)}" viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>'
        + "".join(_panel(panel, xs, PANEL * number) for number, panel in enumerate(shown))
        + "".join(_text("middle", x, foot + 18, tick) for x, tick in zip(xs, ticks, strict=True))
        + _text("middle", (LEFT + WIDTH - RIGHT) / 2, foot + 38, axis, "title")
        + "</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """The vertical axis of a panel that begins at `top`."""

    top: float
    low: float
    high: float

    def y(self, value: float) -> float:
        """Where a value is drawn; what does not vary lies in the middle."""
        varies = self.high > self.low
        share = (value - self.low) / (self.high - self.low) if varies else 0.5
        return round(self.top + PANEL - INSET - share * (PANEL - TOP - 2 * INSET), 1)


def _panel(panel: Panel, xs: Sequence[float], top: float) -> str:
    values = _values(panel)
    scale = _Scale(top, min(values), max(values))
    ends = sorted({scale.low, scale.high})
    measured = [
        (x, dot, scale.y(dot.estimate))
        for x, dot in zip(xs, panel.dots, strict=True)
        if dot.estimate is not None
    ]
    joined = "L".join(f"{x} {y}" for x, _, y in measured)
    return (
        f'<path class="frame" d="M{LEFT} {top + TOP}V{top + PANEL}H{WIDTH - RIGHT}"/>'
        + _text("start", LEFT, top + 24, panel.title, "title")
        + "".join(_text("end", LEFT - 8, scale.y(end) + 4, f"{end:.3g}") for end in ends)
        + _before(panel.before, scale)
        + (f'<path class="joined" d="M{joined}"/>' if joined else "")
        + "".join(_bar(x, dot, scale) for x, dot, _ in measured)
        + "".join(f'<circle class="point" cx="{x}" cy="{y}" r="5"/>' for x, _, y in measured)
    )


def _before(before: Dot, scale: _Scale) -> str:
    if before.estimate is None:
        return ""
    right, y, band = WIDTH - RIGHT, scale.y(before.estimate), ""
    if before.lo is not None and before.hi is not None:
        top, bottom = scale.y(before.hi), scale.y(before.lo)
        height = round(bottom - top, 1)
        band = f'<rect class="band" x="{LEFT}" y="{top}" width="{right - LEFT}" height="{height}"/>'
    line = f'<line class="before" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
    return band + line + _text("end", right, y - 5, "before", "told")


def _bar(x: float, dot: Dot, scale: _Scale) -> str:
    if dot.lo is None or dot.hi is None:
        return ""
    return f'<line class="bar" x1="{x}" x2="{x}" y1="{scale.y(dot.lo)}" y2="{scale.y(dot.hi)}"/>'


def _values(panel: Panel) -> list[float]:
    return [
        value
        for dot in (*panel.dots, panel.before)
        for value in (dot.estimate, dot.lo, dot.hi)
        if value is not None
    ]


def _x(number: int, categories: int) -> float:
    """The middle of one of equally wide columns."""
    return round(LEFT + (number + 0.5) * (WIDTH - LEFT - RIGHT) / categories, 1)


def _text(anchor: str, x: float, y: float, text: str, style: str = "tick") -> str:
    return f'<text class="{style}" text-anchor="{anchor}" x="{x}" y="{y}">{escape(text)}</text>'
