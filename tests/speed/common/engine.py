"""How near scoring and decoding come to what the machine can do, and what keeping answers costs."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.evaluation.ask import Silent, ask_all, request_key
from bench.evaluation.plan import Plan
from bench.models.hf import HuggingFace
from bench.store import LEDGER, Ledger
from bench.types import Generation, Reply, Request
from tests.speed.common.limit import Limit
from tests.speed.common.roofline import (
    Shape,
    layer_rate,
    product_rate,
    read_rate,
    shape_of,
    work_of,
)
from tests.speed.common.workloads import Place, plans_of, requests_of, scaled, workload_of

ROUNDS = 3
SCORED = ("arc", "arc_fixed", "mmlu")
PRODUCT_TOKENS = 2048  # of one batch, for the products of a layer
DECODED = 64  # tokens, after the first
STORY = "Once upon a time, in a village by the sea, there lived {} children who"


class TimedLedger(Ledger):
    """A Ledger that knows how long it was at work."""

    seconds = 0.0

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        with self._timed():
            return super().get(keys)

    def put(self, replies: dict[str, Reply]) -> None:
        with self._timed():
            super().put(replies)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun


def engine_limits(model: HuggingFace, place: Place, scale: float) -> list[Limit]:
    """Scoring, decoding and the ledger, with a loaded model."""
    kind = model.placement.dtype
    products, layer, read = product_rate(kind), layer_rate(model.model, PRODUCT_TOKENS), read_rate()
    shape = shape_of(model.model)
    return [
        Limit("product of matrices", products / 1e9, "GFLOP/s", note=f"{kind}, 2048 x 2048"),
        Limit("products of a layer", layer / 1e9, "GFLOP/s", note=f"{PRODUCT_TOKENS} tokens"),
        Limit("reading memory", read / 1e9, "GB/s"),
        *_scoring_limits(model, place, shape, products, layer, scale),
        *(_decoding_limit(model, shape, read, rows) for rows in (1, 16)),
    ]


def _scoring_limits(
    model: HuggingFace, place: Place, shape: Shape, products: float, layer: float, scale: float
) -> Iterator[Limit]:
    """The share of the product rate that the distinct tokens of a workload come to."""
    for workload in map(workload_of, SCORED):
        plans = plans_of(workload, place, scaled(workload.rows, scale), model)
        encoded = [model.encode(requests_of([plan])) for plan in plans]
        works = [work_of(items, shape) for items in encoded]
        seconds, ledger = answered(model, plans)
        rate = sum(work.flops for work in works) / seconds
        tokens = sum(work.tokens for work in works)
        told = f"{tokens} distinct tokens in {seconds:.2f} s; {rate / layer:.0%} of a layer's"
        yield Limit(
            f"{workload.name}: share of the product rate",
            rate / products,
            "",
            at_least=0.6,
            note=told,
        )
        keys = _key_seconds(model, plans)
        share = (ledger + keys) / seconds
        yield Limit(f"{workload.name}: share of the ledger", share, "", at_most=0.02)


def answered(
    model: HuggingFace, plans: Sequence[Plan], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Seconds until all requests of `plans` are answered, and those spent in the ledger; medians.
    A first round is not counted."""
    found = [_answered(model, plans) for _ in range(rounds + 1)][1:]
    return median(whole for whole, _ in found), median(kept for _, kept in found)


def _answered(model: HuggingFace, plans: Sequence[Plan]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as made:
        ledger = TimedLedger(Path(made) / LEDGER)
        begun = time.perf_counter()
        for plan in plans:
            ask_all(model, plan, ledger, Silent())
        seconds = time.perf_counter() - begun
        ledger.close()
    return seconds, ledger.seconds


def _key_seconds(model: HuggingFace, plans: Sequence[Plan]) -> float:
    encoded = model.encode(requests_of(plans))
    begun = time.perf_counter()
    for item in encoded:
        request_key(model.digest, item)
    return time.perf_counter() - begun


def _decoding_limit(model: HuggingFace, shape: Shape, read: float, rows: int) -> Limit:
    """Bytes that steps must read, weights and cache, against the rate of reading memory."""
    first, _ = _generated(model, rows, 1)
    whole, replies = _generated(model, rows, 1 + DECODED)
    steps = max(reply.tokens_out for reply in replies) - 1
    step = (whole - first) / steps
    held = sum(reply.tokens_in + reply.tokens_out / 2 for reply in replies)
    rate = (shape.weight_bytes + shape.cache_bytes * held) / step
    note = f"{1e3 * step:.1f} ms a step, {steps} steps"
    return Limit(f"decoding {rows} rows: share of reading memory", rate / read, "", note=note)


def _generated(model: HuggingFace, rows: int, tokens: int) -> tuple[float, list[Reply]]:
    """The median seconds and the replies of so many stories."""
    generation = Generation(tokens)
    asked = [Request(STORY.format(number + 2), generation=generation) for number in range(rows)]
    encoded, taken, replies = model.encode(asked), [], []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        replies = [reply for _, reply in model.answer(encoded)]
        taken.append(time.perf_counter() - begun)
    return median(taken[1:]), replies


def with_requests(plan: Plan, requests: Sequence[Request]) -> Plan:
    """`plan` with other requests: what it asks is then no task, only work."""
    asks = tuple(
        replace(plan.asks[number % len(plan.asks)], samples=(request,), baseline=None)
        for number, request in enumerate(requests)
    )
    return replace(plan, asks=asks)
