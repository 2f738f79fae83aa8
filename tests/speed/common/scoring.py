"""A workload, answered by `bench` and by lm-eval in turns: time in the calls, without starting up.

Each program is a process that stays for the whole workload and answers two rows first that are not
counted. lm-eval is tried at a few batch sizes on some of its rows; the fastest is used. Texts are
compared in fp32: where that is not the arithmetic that is timed, both write a few once more in it.
"""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.models.fake import open_fake
from bench.types import Request
from tests.speed.common.agreement import Agreement, agreement
from tests.speed.common.dialogue import Told, Worker, start_worker
from tests.speed.common.sides import Line, Turn, middle
from tests.speed.common.workloads import Place, Workload, plans_of, requests_of, scaled, spread

WARM = [0, 1]  # the rows that are not counted
TRIES = 2
TRIED = 0.25  # share of lm-eval's rows on which batch sizes are tried, texts aside
REWRITTEN = 4  # texts that are written once more in fp32
EXACT = "float32"


@dataclass(frozen=True, slots=True)
class Means:
    """How to measure: lm-eval's Python, the model as `bench` is told of it and its folder, device,
    arithmetic, threads, rounds, the share of the rows, and how many times larger the batches are
    that lm-eval is tried with."""

    rival: Path
    model: str
    folder: Path
    device: str
    dtype: str
    threads: int
    rounds: int
    scale: float
    same_rows: bool
    batch_scale: int


def measure(workload: Workload, place: Place, means: Means) -> Line:
    """The line of `workload`.

    Raises:
        WorkerError: a program ended early.
    """
    wanted = scaled(workload.rows, means.scale)
    plans = plans_of(workload, place, wanted, open_fake("fake:empty", {}))
    requests = requests_of(plans)
    rows = list(range(len(requests)))
    some = len(rows) if means.same_rows else scaled(workload.rival_rows, means.scale)
    file = place.folder.parent / f"{workload.name}.json"
    file.write_text(json.dumps([plain(request) for request in requests]))
    asked = _Asked(workload, place, wanted, file, rows, spread(len(rows), some))
    with _workers(asked, means) as (bench, rival):
        line = _line(asked, bench, rival, means)
    if workload.generation is None or means.dtype == EXACT:
        return line
    with _workers(asked, replace(means, dtype=EXACT)) as (bench, rival):
        return replace(line, agreement=_rewritten(asked, bench, rival, line.batch))


def plain(request: Request) -> dict[str, object]:
    """The request as JSON."""
    if request.generation is None:
        return {"prompt": request.prompt, "continuations": list(request.continuations)}
    made = request.generation
    stops = list(made.stops)
    return {"prompt": request.prompt, "stops": stops, "max_tokens": made.max_tokens}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A workload with the rows that `bench` makes of it and those that each program answers."""

    workload: Workload
    place: Place
    wanted: int
    file: Path  # the requests, for lm-eval
    rows: list[int]
    rival_rows: list[int]


@contextmanager
def _workers(asked: _Asked, means: Means) -> Iterator[tuple[Worker, Worker]]:
    """`bench` and lm-eval, started."""
    with (
        start_worker(_bench(asked, means), means.threads) as bench,
        start_worker(_lm_eval(asked, means), means.threads) as rival,
    ):
        yield bench, rival


def _line(asked: _Asked, bench: Worker, rival: Worker, means: Means) -> Line:
    workload = asked.workload
    bench.ask({"rows": WARM})
    sizes = [size * means.batch_scale for size in workload.sizes]
    rival.ask({"rows": WARM, "batch": sizes[0]})
    survey = _survey(workload, sizes, rival, asked.rival_rows)
    batch = min(survey, key=lambda size: survey[size])
    asks = {"bench": (bench, asked.rows), "lm_eval": (rival, asked.rival_rows)}
    turns: dict[str, list[Told]] = defaultdict(list)
    for number in range(means.rounds):
        for name in sorted(asks, reverse=bool(number % 2)):  # each is first in turn
            worker, rows = asks[name]
            turns[name].append(worker.ask({"rows": rows, "batch": batch}))
    last = turns["bench"][-1]
    ours, theirs = last["results"], turns["lm_eval"][-1]["results"]
    return Line(
        name=workload.name,
        title=workload.title,
        target=workload.target,
        bench=middle([turn_of(told) for told in turns["bench"]]),
        lm_eval=middle([turn_of(told) for told in turns["lm_eval"]]),
        batch=batch,
        survey=survey,
        agreement=agreement([ours[row] for row in asked.rival_rows], theirs, means.dtype),
        written=last["written"] / len(ours) if workload.generation else None,
    )


def _survey(
    workload: Workload, sizes: Sequence[int], rival: Worker, rows: Sequence[int]
) -> dict[int, float]:
    """Seconds a row at each batch size, of the faster of two tries."""
    if workload.generation is None:
        rows = [rows[at] for at in spread(len(rows), max(4, round(TRIED * len(rows))))]
    seconds: dict[int, float] = dict.fromkeys(sizes, math.inf)
    for _ in range(TRIES):
        for size in sizes:
            told = rival.ask({"rows": rows, "batch": size})
            seconds[size] = min(seconds[size], told["seconds"] / len(rows))
    return seconds


def _rewritten(asked: _Asked, bench: Worker, rival: Worker, batch: int) -> Agreement:
    rows = spread(len(asked.rows), REWRITTEN)
    both = (worker.ask({"rows": rows, "batch": batch})["results"] for worker in (bench, rival))
    return replace(agreement(*both, EXACT), kind="texts in fp32")


def turn_of(told: Told) -> Turn:
    """An answer of a worker as a Turn."""
    return Turn(len(told["results"]), told["seconds"], told["cpu_seconds"], told["peak_gib"])


def _bench(asked: _Asked, means: Means) -> list[str]:
    place, module = asked.place, "tests.speed.workers.evaluate_bench"
    told = [asked.workload.name, str(place.folder), str(place.mirror or "")]
    return [sys.executable, "-m", module, *told, str(asked.wanted), *_opened(means, means.model)]


def _lm_eval(asked: _Asked, means: Means) -> list[str]:
    module = "tests.speed.workers.evaluate_lm_eval"
    return [str(means.rival), "-m", module, str(asked.file), *_opened(means, str(means.folder))]


def _opened(means: Means, model: str) -> list[str]:
    return [model, means.dtype, means.device]
