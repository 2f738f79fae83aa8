"""The table of speed in README.md, from leaderboard/speed.json. A test holds the two together.

python -m tests.speed.common.table      prints it
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.speed.common.report import REPORT

HEAD = ("work", "lm-eval's time / ours", "target", "rows", "seconds a row", "peak GiB")


def speed_table(report: Mapping[str, Any]) -> list[str]:
    """Lines of Markdown: how many times as fast as lm-eval `bench` is at each kind of work."""
    lines = report["evaluation"]["lines"].values()
    rows = [
        (
            line["title"],
            f"**{line['times_as_fast']:.2f}**",
            f"{line['target']:g}" + ("" if line["times_as_fast"] >= line["target"] else ", missed"),
            _both(line, "rows", ""),
            _both(line, "seconds_a_row", ".3f"),
            _both(line, "peak_gib", ".2f"),
        )
        for line in lines
    ]
    return [_line(HEAD), _line(["---"] * len(HEAD)), *map(_line, rows)]


def _both(line: Mapping[str, Any], key: str, form: str) -> str:
    return f"{line['bench'][key]:{form}}, {line['lm_eval'][key]:{form}}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(speed_table(json.loads(REPORT.read_text("utf-8")))))
