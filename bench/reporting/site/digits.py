"""Numbers as a reader sees them: in points, with as many digits as their standard error supports.

Called by the pages, the sentences and the downloads of `bench.reporting.site`.

>>> shown(0.6134, 0.552, 0.672, scale=100.0)
Shown(value='61.3', interval='[55.2, 67.2]')
>>> shown(-0.041, -0.142, 0.06, scale=100.0, signed=True)
Shown(value='−4', interval='[−14, 6]')
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from bench.reporting.comparison.scores import Score
from bench.reporting.comparison.values import Contrast, Pooled, Share, Shift
from bench.reporting.results.schema import Metric

DASH = "–"
MINUS = "−"
POINTS = 1  # decimals of points at most
RAW = 3  # decimals of anything else at most
# Measures that are shares of the replies, shown in points.
SHARES = ("parsed", "refused", "cut_off", "probability", "correct")


@dataclass(frozen=True, slots=True)
class Shown:
    """A number and its interval as text; `interval` is "" where there is none."""

    value: str
    interval: str = ""


NOTHING = Shown(DASH)


def scale_of(metric: Metric) -> float:
    """100 for a metric between 0 and 1, which is shown in points; 1 for any other."""
    return 100.0 if (metric.low, metric.high) == (0.0, 1.0) else 1.0


def shown_score(score: Score) -> Shown:
    """A score; metrics over all items (F1, perplexity) stay in their own unit."""
    if score.estimate is None:
        return NOTHING
    if score.lo is None and not score.headline:
        return Shown(_number(score.estimate, RAW, signed=False))
    return shown(score.estimate, score.lo, score.hi, scale_of(score.metric), score.level)


def shown_contrast(contrast: Contrast) -> Shown:
    """child - parent, with its sign."""
    return shown(
        contrast.estimate,
        contrast.lo,
        contrast.hi,
        scale_of(contrast.metric),
        contrast.level,
        signed=True,
    )


def shown_share(share: Share, metric: Metric, level: float) -> Shown:
    """A part of a difference, with its sign."""
    return shown(share.estimate, share.lo, share.hi, scale_of(metric), level, signed=True)


def shown_shift(shift: Shift, level: float) -> Shown:
    """What a measure of the replies changed by."""
    scale = 100.0 if shift.measure in SHARES else 1.0
    return shown(shift.estimate, shift.lo, shift.hi, scale, level, signed=True)


def shown_pooled(pooled: Pooled, level: float) -> Shown:
    """All tasks in one number, in points of the range between guessing and perfect."""
    return shown(pooled.estimate, pooled.lo, pooled.hi, 100.0, level, signed=True)


def shown_macro(pooled: Pooled, level: float) -> str:
    """The plain mean over the same tasks, with its interval."""
    found = shown(pooled.macro, pooled.macro_lo, pooled.macro_hi, 100.0, level, signed=True)
    return f"{found.value} {found.interval}"


def shown(
    estimate: float | None,
    lo: float | None,
    hi: float | None,
    scale: float,
    level: float = 0.95,
    signed: bool = False,
) -> Shown:
    """`estimate` times `scale` and its interval, all with the same decimals.

    A bound that is not 0 is never rounded to 0: the side on which it lies is what it says.
    """
    if estimate is None:
        return NOTHING
    most = POINTS if scale == 100.0 else RAW
    if lo is None or hi is None:
        return Shown(_number(estimate * scale, most, signed))
    bounds = lo * scale, hi * scale
    error = (bounds[1] - bounds[0]) / 2 / NormalDist().inv_cdf((1 + level) / 2)
    places = decimals(error, most)
    while places < RAW and any(bound and not round(bound, places) for bound in bounds):
        places += 1
    low, high = (_number(bound, places, signed=False) for bound in bounds)
    return Shown(_number(estimate * scale, places, signed), f"[{low}, {high}]")


def decimals(error: float, most: int) -> int:
    """Decimals that a standard error supports, `most` at most.

    Two significant digits of the error where they lie below 35.5, else one (Particle Data Group,
    Review of Particle Physics, section 5.3 "Rounding").
    """
    if not error > 0 or not math.isfinite(error):
        return most
    exponent = math.floor(math.log10(error))
    digits = 2 if error / 10**exponent < 3.55 else 1
    return min(most, max(0, digits - 1 - exponent))


def shown_size(value: float | None, metric: Metric) -> str:
    """A distance in the unit of the metric, without a sign."""
    return shown(value, None, None, scale_of(metric)).value


def short(value: float) -> str:
    """A number to four significant digits, without zeros behind them: 0.02, 93.28, 1."""
    return f"{value:.4g}".replace("-", MINUS)


def probability(value: float | None) -> str:
    """A probability to two digits; never 0 or 1, of which nobody is that sure."""
    if value is None:
        return DASH
    return ">0.99" if value > 0.99 else "<0.01" if value < 0.01 else f"{value:.2f}"


def p_value(value: float | None) -> str:
    """A p-value to three digits."""
    if value is None:
        return DASH
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def percent(level: float) -> str:
    """A level of confidence: 95%."""
    return f"{100 * level:.4g}%"


def count(value: int) -> str:
    """A count with its thousands apart."""
    return f"{value:,}"


def _number(value: float, places: int, signed: bool) -> str:
    text = f"{value:+.{places}f}" if signed else f"{value:.{places}f}"
    if not float(text):
        return text.lstrip("+-")
    return text.replace("-", MINUS)
