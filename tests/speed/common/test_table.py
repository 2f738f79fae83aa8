import json
from pathlib import Path

from tests.speed.common.report import REPORT
from tests.speed.common.table import speed_table

README = Path(__file__).parents[3] / "README.md"


def test_readme_shows_the_speed_that_was_measured():
    table = "\n".join(speed_table(json.loads(REPORT.read_text("utf-8"))))
    assert table in README.read_text("utf-8"), f"README.md should hold\n{table}"


def test_a_line_says_both_times_and_the_ratio():
    line = {
        "title": "letters",
        "times_as_fast": 8.44,
        "target": 8.0,
        "bench": {"rows": 120, "seconds_a_row": 0.0712, "peak_gib": 0.91},
        "lm_eval": {"rows": 12, "seconds_a_row": 0.6, "peak_gib": 1.5},
    }
    *_, row = speed_table({"evaluation": {"lines": {"mmlu": line}}})
    assert row == "| letters | **8.44** | 8 | 120, 12 | 0.071, 0.600 | 0.91, 1.50 |"
    missed = {**line, "times_as_fast": 7.996}
    *_, row = speed_table({"evaluation": {"lines": {"mmlu": missed}}})
    assert row.startswith("| letters | **8.00** | 8, missed |")
