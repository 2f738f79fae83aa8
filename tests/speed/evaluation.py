"""How many times as fast as lm-evaluation-harness 0.4.13 `bench` answers the same requests.

    make speed                                 or, from the repository:
    python -m tests.speed.evaluation --rounds 3 --rows-scale 1 --only arc_fixed --only gsm8k
    python -m tests.speed.common.random_model big && python -m tests.speed.evaluation --model big \\
        --device cuda --rows-scale 8 --batch-scale 8

Both ask SmolLM2-135M-Instruct, in the arithmetic that `bench` chooses for this processor, the same
texts: real rows where BENCH_DATA_ROOT (or ../shared/hub) holds them, else embedded tasks. lm-eval
runs in a virtual environment of its own with our versions of torch and transformers, at its fastest
batch size of a few that are tried. The two take turns, each on all cores; medians of the turns
count. What else runs on the machine troubles both.

All lines but the last measure the calls that answer requests, from text to log-likelihood or reply:
`bench.evaluation.ask` with a fresh ledger against `loglikelihood` and `generate_until`. Where shots
are the same for many rows lm-eval gets fewer rows, spread evenly over ours, as its time grows in
step with them and ours does not (`--same-rows` gives it all). The last line measures command lines.

Where the two do not answer alike (`tests.speed.common.agreement`) no ratio is printed. The table is
kept as the section `evaluation` of leaderboard/speed.json unless it has fewer rows or rounds; that
of another model or device is a section of its own. Memory is that of the GPU there.
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.errors import BenchError
from bench.models.gguf import smollm2_folder
from tests.speed.common.commands import BATCH, NAME, measure_commands
from tests.speed.common.dialogue import WorkerError
from tests.speed.common.report import chosen_dtype, machine, write_section
from tests.speed.common.rival import LM_EVAL, SHARED, NoRivalError, rival_python
from tests.speed.common.scoring import Means, measure
from tests.speed.common.sides import Line, Side
from tests.speed.common.workloads import WORKLOADS, Place, find_place

ROUNDS = 3  # fewer are no medians
SMALL = "smollm2-135m"
NAMES = (*(workload.name for workload in WORKLOADS), NAME)


def main() -> None:
    chosen = read_options()
    try:
        folder = Path(chosen.model).resolve() if chosen.model else smollm2_folder()
        rival = rival_python(chosen.rival)
    except (NoRivalError, BenchError) as error:
        print(f"no comparison with lm-eval {LM_EVAL}, it cannot be run here: {error}")
        return
    means = Means(
        rival=rival,
        model=str(folder) if chosen.model else SMALL,
        folder=folder,
        device=chosen.device,
        dtype=chosen.dtype,
        threads=chosen.threads,
        rounds=chosen.rounds,
        scale=chosen.rows_scale,
        same_rows=chosen.same_rows,
        batch_scale=chosen.batch_scale,
    )
    with TemporaryDirectory() as made:
        place = find_place(Path(made) / "tasks")
        try:
            lines = measure_all(chosen.only or NAMES, place, means)
        except WorkerError as error:
            sys.exit(str(error))
    show(lines, place, means)
    if chosen.rows_scale >= 1 and chosen.rounds >= ROUNDS:
        write(lines, place, means)
    else:
        print(f"not kept: that takes {ROUNDS} rounds and all rows")
    if not all(line.agreement.enough for line in lines):
        sys.exit("no ratio where the two do not answer alike")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=NAMES, help="a line; repeatable")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each program")
    parser.add_argument("--rows-scale", type=float, default=1.0, help="times the rows of each line")
    parser.add_argument("--same-rows", action="store_true", help="lm-eval gets all rows")
    parser.add_argument("--model", default="", help="a folder instead of SmolLM2-135M-Instruct")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-scale", type=int, default=1, help="times lm-eval's batch sizes")
    parser.add_argument("--rival", type=Path, help="a Python that has lm-eval; else one is made")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--dtype", default="", help="float32 or bfloat16; default as bench chooses")
    chosen = parser.parse_args()
    chosen.dtype = chosen.dtype or chosen_dtype(chosen.device)
    return chosen


def measure_all(names: Sequence[str], place: Place, means: Means) -> list[Line]:
    """The lines of `names`, in the order of the table."""
    lines: list[Line] = []
    for workload in WORKLOADS:
        if workload.name in names:
            lines.append(measure(workload, place, means))
            tell(lines[-1])
    if NAME in names:
        found = [line.batch for line in lines if line.name == "arc"]
        lines.append(measure_commands(place, means, *(found or [BATCH])))
        tell(lines[-1])
    return lines


def tell(line: Line) -> None:
    """One line while the others are still to come."""
    print(f"{line.name}: {ratio(line.times, line)} as fast; {line.agreement}", flush=True)


def show(lines: Sequence[Line], place: Place, means: Means) -> None:
    """The table."""
    source = "real rows" if place.mirror else "embedded tasks, as no mirror of the Hub was found"
    title = f"{source}; {means.dtype}, {means.threads} threads, {means.rounds} rounds; per row"
    table = Table(
        *("line", "target", "as fast", "less CPU", "rows", "bench", "lm-eval", "batch"),
        *("peak GiB", "tokens written", "agreement"),
        title=title,
    )
    for line in lines:
        table.add_row(
            f"{line.name}: {line.title}",
            f">= {line.target:g} x",
            ratio(line.times, line),
            ratio(line.cpu_times, line),
            f"{line.bench.rows} / {line.lm_eval.rows}",
            seconds(line.bench),
            seconds(line.lm_eval),
            str(line.batch),
            f"{line.bench.peak_gib:.2f} / {line.lm_eval.peak_gib:.2f}",
            "" if line.written is None else f"{line.written:.0f}",
            str(line.agreement),
        )
    Console(width=170).print(table)


def ratio(times: float, line: Line) -> str:
    return f"{times:.2f} x" if line.agreement.enough else "none"


def seconds(side: Side) -> str:
    return f"{side.seconds_a_row:.3f} s ({side.cpu_seconds_a_row:.3f} CPU)"


def write(lines: Sequence[Line], place: Place, means: Means) -> None:
    """Put the numbers into the report; lines measured alike before and not now stay."""
    asked = means.folder.name if means.model != SMALL else "SmolLM2-135M-Instruct"
    usual = means.device == "cpu" and means.model == SMALL
    section = {
        "what": f"{asked}, bench against lm-eval {LM_EVAL}; medians, for a row",
        "rounds": means.rounds,
        "threads": means.threads,
        "dtype": means.dtype,
        "rows": "real" if place.mirror else "embedded tasks",
        "same_rows": means.same_rows,
        "machine": machine(means.device),
        "versions": {
            "python": platform.python_version(),
            "lm_eval": LM_EVAL,
            **{name: version(name) for name in SHARED},
        },
        "lines": {line.name: line.numbers() for line in lines},
    }
    name = "evaluation" if usual else f"evaluation of {asked} on {means.device}"
    write_section(name, section, parts="lines")


if __name__ == "__main__":
    main()
