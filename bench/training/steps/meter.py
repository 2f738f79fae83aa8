"""Means over the micro-batches and processes of an update, each with its own denominator.

>>> meter = Meter()
>>> meter.add("loss", 6.0, 3)
>>> meter.add("loss", 2.0, 1)
>>> meter.means()
{'loss': 2.0}
"""

from collections import defaultdict

from bench.training.steps.processes import Processes


class Meter:
    """Sums and counts by name; a name with nothing counted has no mean."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.counts: dict[str, float] = defaultdict(float)

    def add(self, name: str, total: float, count: float) -> None:
        """`total` is the sum over `count` things."""
        self.sums[name] += total
        self.counts[name] += count

    def means(self, processes: Processes | None = None) -> dict[str, float]:
        """The mean of each name, over all processes if given."""
        parts = [(dict(self.sums), dict(self.counts))]
        if processes is not None:
            parts = processes.gather(parts)
        whole = Meter()
        for sums, counts in parts:
            for name, total in sums.items():
                whole.add(name, total, counts[name])
        return {name: whole.sums[name] / n for name, n in whole.counts.items() if n}
