"""What `bench` takes by itself, against bounds that do not depend on any other program.

    make speed                                 or, from the repository:
    python -m tests.speed.limits --only starts --only board

    engine    distinct tokens of scoring against the rate of matrix products; decoding against the
              rate of reading memory; what the ledger costs
    growth    time against rows, choices, shots and the length of prompts
    starts    help, a list of 200 tasks, the first request of an evaluation
    board     bootstrap intervals of 30 tasks, the board of 20 models with its site

The numbers are kept as the section `limits` of leaderboard/speed.json, the charts of `growth` as
leaderboard/speed.html. Bounds on time need a quiet machine.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.speed.common.board_limits import board_limits
from tests.speed.common.limit import Limit
from tests.speed.common.report import REPORT, chosen_dtype, machine, write_section
from tests.speed.common.starts import start_limits

if TYPE_CHECKING:
    from bench.models.hf import HuggingFace

GROUPS = ("board", "starts", "engine", "growth")
PACKAGES = ("torch", "transformers", "numpy")
MODEL = "smollm2-135m"


def main() -> None:
    chosen = read_options()
    groups = chosen.only or GROUPS
    limits: list[Limit] = []
    with TemporaryDirectory() as made:
        folder = Path(made)
        if "board" in groups:
            limits += board_limits(folder / "site", chosen.threads)
        if "starts" in groups:
            limits += start_limits(folder / "many", chosen.threads)
        if "engine" in groups:
            limits += measure_engine(folder / "engine", chosen)
        grown = measure_growth(folder / "growth", chosen) if "growth" in groups else {}
    show(limits, grown)
    if chosen.rows_scale == 1:
        write(limits, grown, chosen)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group; repeatable")
    parser.add_argument("--rows-scale", type=float, default=1.0, help="times the rows that are run")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--dtype", default="", help="float32 or bfloat16; default as bench chooses")
    chosen = parser.parse_args()
    chosen.dtype = chosen.dtype or chosen_dtype()
    return chosen


def measure_engine(folder: Path, chosen: argparse.Namespace) -> list[Limit]:
    from tests.speed.common.engine import engine_limits
    from tests.speed.common.workloads import find_place

    return engine_limits(open_loaded(chosen), find_place(folder), chosen.rows_scale)


def measure_growth(folder: Path, chosen: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds by size for each thing that grows; writes the page unless rows are scaled."""
    from tests.speed.common.growth import growths, write_page
    from tests.speed.common.workloads import find_place

    model = open_loaded(chosen)
    found = growths(model, find_place(folder), chosen.rows_scale)
    if chosen.rows_scale == 1:
        write_page(REPORT.with_suffix(".html"), found, chosen.dtype)
    return {growth.name: growth.numbers() for growth in found}


def open_loaded(chosen: argparse.Namespace) -> "HuggingFace":
    """The small model, its weights loaded."""
    import torch

    from bench.models.hf import HuggingFace
    from bench.models.options import ModelOptions

    torch.set_num_threads(chosen.threads)
    model = HuggingFace(MODEL, ModelOptions(dtype=chosen.dtype, device="cpu"))
    model.load()
    return model


def show(limits: Sequence[Limit], grown: dict[str, dict[str, float]]) -> None:
    """Both tables."""
    if limits:
        table = Table("what", "found", "bound", "kept", "of that")
        for limit in limits:
            kept = {None: "", True: "yes", False: "NO"}[limit.kept]
            found = f"{limit.value:.3g} {limit.unit}"
            table.add_row(limit.name, found, limit.bound, kept, limit.note)
        Console(width=150).print(table)
    if grown:
        table = Table("seconds against", "size: seconds")
        for name, numbers in grown.items():
            told = (f"{size}: {taken:.3g}" for size, taken in numbers.items())
            table.add_row(name, "   ".join(told))
        Console(width=150).print(table)


def write(
    limits: Sequence[Limit], grown: dict[str, dict[str, float]], chosen: argparse.Namespace
) -> None:
    """Put the numbers into the report; what was measured alike before and not now stays."""
    section = {
        "what": "bench by itself, on SmolLM2-135M-Instruct where a model is asked",
        "threads": chosen.threads,
        "dtype": chosen.dtype,
        "machine": machine(),
        "versions": {"python": platform.python_version()} | {k: version(k) for k in PACKAGES},
        "found": {limit.name: limit.numbers() for limit in limits}
        | {f"seconds by {name}": numbers for name, numbers in grown.items()},
    }
    write_section("limits", section, parts="found")


if __name__ == "__main__":
    main()
