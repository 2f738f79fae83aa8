"""P-values of many comparisons on one page, adjusted for being many.

Called by the reports. The family is what the reader sees on a page: `holm` for the contrasts of a
lineage that were declared beforehand, `benjamini_hochberg` for tables to explore. Raw values stay
beside the adjusted ones. Intervals that hold all at once are in `simultaneous`.

>>> [round(p, 3) for p in holm([0.001, 0.011, 0.02, 0.039, 0.2, 0.6])]
[0.006, 0.055, 0.08, 0.117, 0.4, 0.6]
"""

from collections.abc import Callable, Sequence

import numpy as np

from bench.statistics.covariance import Array


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted for the chance of any false positive (Holm 1979), in the order given.

    None (no comparison was possible) stays None and is not counted.

    Raises:
        ValueError: a p-value lies outside [0, 1].
    """
    return _adjusted(p_values, _step_down)


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted for the share of false ones among positives (Benjamini & Hochberg 1995).

    In the order given. None (no comparison was possible) stays None and is not counted.

    Raises:
        ValueError: a p-value lies outside [0, 1].
    """
    return _adjusted(p_values, _step_up)


def _step_down(p: Array) -> Array:
    """m p_(1), (m - 1) p_(2), ..., never falling."""
    return np.maximum.accumulate(np.arange(p.size, 0, -1) * p)


def _step_up(p: Array) -> Array:
    """m p_(1), m p_(2) / 2, ..., m p_(m) / m, each no larger than the next."""
    return np.minimum.accumulate((p * (p.size / np.arange(1, p.size + 1)))[::-1])[::-1]


def _adjusted(
    p_values: Sequence[float | None], rule: Callable[[Array], Array]
) -> list[float | None]:
    """`rule` on the known p-values from small to large, put back where they came from."""
    places = [place for place, p in enumerate(p_values) if p is not None]
    known = np.array([p for p in p_values if p is not None], dtype=np.float64)
    if not ((known >= 0) & (known <= 1)).all():
        raise ValueError(f"p-values outside [0, 1]: {known.tolist()}")
    order = np.argsort(known, kind="stable")
    found: list[float | None] = [None] * len(p_values)
    for at, p in zip(order, np.minimum(1.0, rule(known[order])), strict=True):
        found[places[at]] = float(p)
    return found
