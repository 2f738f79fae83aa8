"""The learning rate of an update.

>>> [round(rate_at(Optimizer(lr=1.0, warmup=2, final=0.1), step, 4), 3) for step in range(4)]
[0.0, 0.5, 1.0, 0.55]
"""

import math

from bench.training.settings import Optimizer


def rate_at(settings: Optimizer, step: int, total: int) -> float:
    """The rate of update `step` (from 0) of `total`.

    Linear from `warmup_from` to 1 over the warmup, then constant, or to `final` along a line or
    half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5), all times `lr`.
    """
    if step < settings.warmup:
        share = settings.warmup_from + (1 - settings.warmup_from) * step / settings.warmup
        return settings.lr * share
    done = (step - settings.warmup) / max(1, total - settings.warmup)
    if settings.schedule == "constant":
        return settings.lr
    if settings.schedule == "linear":
        return settings.lr * (1 - (1 - settings.final) * done)
    fall = (1 + math.cos(math.pi * done)) / 2
    return settings.lr * (settings.final + (1 - settings.final) * fall)
