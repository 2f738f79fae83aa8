"""The figure of an ablation: panels one below the other over the same categories, as one SVG.

Called by `bench.reporting.ablation`. The SVG carries its own style, so it is whole as a file too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, BOTTOM = 560, 170, 44
LEFT, RIGHT, TOP, INSET = 76, 12, 26, 12
STYLE = """
.ablation { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --dot: #0a5bb5; --before: #b35900; font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .ablation { --ink: #e6edf3; --soft: #9da7b3; --line: #3a424c; --dot: #6cb6ff; --before: #f0a35e; } }
.ablation text { fill: var(--soft); } .ablation .title { fill: var(--ink); font-weight: 600; }
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
    labels = "".join(
        _text("middle", x, foot + 18, tick) for x, tick in zip(xs, ticks, strict=True)
    )
    said = f"{' and '.join(panel.title for panel in shown)} against {axis}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ablation" role="img" '
        f'aria-label="{escape(said)}" viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>'
        + "".join(_panel(panel, xs, PANEL * number) for number, panel in enumerate(shown))
        + labels
        + _text("middle", (LEFT + WIDTH - RIGHT) / 2, foot + 38, axis, "title")
        + "</svg>"
    )


def _panel(panel: Panel, xs: Sequence[float], top: float) -> str:
    low, high = min(_values(panel)), max(_values(panel))

    def y(value: float) -> float:
        share = 0.5 if low == high else (value - low) / (high - low)
        return round(top + PANEL - INSET - share * (PANEL - TOP - 2 * INSET), 1)

    places = [(x, y(d.estimate)) for x, d in zip(xs, panel.dots, strict=True) if d.estimate is not None]
    joined = "L".join(f"{x} {at}" for x, at in places)
    return (
        f'<path class="frame" d="M{LEFT} {top + TOP}V{top + PANEL}H{WIDTH - RIGHT}"/>'
        + _text("start", LEFT, top + 16, panel.title, "title")
        + _text("end", LEFT - 8, y(low) + 4, f"{low:.3g}")
        + (_text("end", LEFT - 8, y(high) + 4, f"{high:.3g}") if high > low else "")
        + _before(panel.before, y)
        + (f'<path class="joined" d="M{joined}"/>' if places else "")
        + "".join(_bar(x, d, y) for x, d in zip(xs, panel.dots, strict=True))
        + "".join(f'<circle class="point" cx="{x}" cy="{at}" r="5"/>' for x, at in places)
    )
