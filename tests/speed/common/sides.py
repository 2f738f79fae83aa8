"""What one line of the evaluation benchmark found out about both programs.

Times are for a row, as lm-eval may be given fewer rows of a workload than `bench`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.speed.common.agreement import Agreement
from tests.speed.common.report import rounded


@dataclass(frozen=True, slots=True)
class Turn:
    """What one program took once for `rows` rows: seconds on the wall and on the processors (user +
    system), and the most memory it has held."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_gib: float


@dataclass(frozen=True, slots=True)
class Side:
    """Medians over the turns of one program."""

    rows: int
    seconds_a_row: float
    cpu_seconds_a_row: float
    peak_gib: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: `batch` is the size at which lm-eval was fastest, `survey` the seconds a
    row at each size that was tried; `written` the tokens that were written for a row, None where
    none were asked for."""

    name: str
    title: str
    target: float
    bench: Side
    lm_eval: Side
    batch: int
    survey: Mapping[int, float]
    agreement: Agreement
    written: float | None = None

    @property
    def times(self) -> float:
        """How many times as fast as lm-eval `bench` is, by the wall."""
        return self.lm_eval.seconds_a_row / self.bench.seconds_a_row

    @property
    def cpu_times(self) -> float:
        """The same by processor time."""
        return self.lm_eval.cpu_seconds_a_row / self.bench.cpu_seconds_a_row

    def numbers(self) -> dict[str, object]:
        """For the report; no ratio where the two did not answer alike."""
        alike = self.agreement.enough
        return {
            "title": self.title,
            "times_as_fast": rounded(self.times) if alike else None,
            "times_less_cpu": rounded(self.cpu_times) if alike else None,
            "target": self.target,
            "bench": _rounded(self.bench),
            "lm_eval": _rounded(self.lm_eval),
            "lm_eval_batch": self.batch,
            "lm_eval_survey": {size: rounded(taken) for size, taken in self.survey.items()},
            "agreement": str(self.agreement),
            "tokens_written_a_row": None if self.written is None else rounded(self.written),
        }


def middle(turns: Sequence[Turn]) -> Side:
    """The median of each number over the turns."""
    return Side(
        turns[0].rows,
        median(turn.seconds / turn.rows for turn in turns),
        median(turn.cpu_seconds / turn.rows for turn in turns),
        median(turn.peak_gib for turn in turns),
    )


def _rounded(side: Side) -> dict[str, float]:
    return {
        "rows": side.rows,
        "seconds_a_row": rounded(side.seconds_a_row),
        "cpu_seconds_a_row": rounded(side.cpu_seconds_a_row),
        "peak_gib": rounded(side.peak_gib),
    }
