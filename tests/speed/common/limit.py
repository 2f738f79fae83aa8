"""A number that has a bound: what `tests.speed.limits` prints and keeps.

>>> Limit("bench --help", 0.21, "s", at_most=0.3).kept
True
"""

from dataclasses import dataclass

from tests.speed.common.report import rounded


@dataclass(frozen=True, slots=True)
class Limit:
    """`value` in `unit`, and its bound on one side, None where it is only told; `note` says what
    went into it."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the bound holds; None without one."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    @property
    def bound(self) -> str:
        """The bound as text."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    def numbers(self) -> dict[str, object]:
        """For the report."""
        told = {"value": rounded(self.value), "unit": self.unit, "bound": self.bound}
        return told | {"kept": self.kept, "note": self.note}
