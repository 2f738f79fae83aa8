"""Tiny networks and rows of random tokens for the stages that learn from data: SFT, reward, DPO."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest
import torch
from torch import Tensor

from bench.training.data.data_settings import Mix
from bench.training.data.encode import Entry, Material, Stream
from bench.training.networks.layout import Document
from bench.training.networks.network import Network, trained_parameters, with_adapter, with_head
from bench.training.networks.probe import packing_reach
from bench.training.settings import Dpo, Lora, Reward, Sft, Training
from bench.training.steps.log import LOG
from bench.training.steps.loop import Site
from bench.training.steps.outcome import Outcome
from bench.training.steps.processes import Processes
from bench.training.steps.watch import SilentWatcher
from bench.types import Json, Prompt, Turn
from tests.models import tiny

torch.set_num_threads(1)
CPU = torch.device("cpu")
END = 1
SCHEMAS: Mapping[str, type[Training]] = {"sft": Sft, "reward": Reward, "dpo": Dpo}


def network(
    family: str = "llama", calm: bool = False, lora: Lora | None = None, head: bool = False
) -> Network:
    """The tiny model of `family`; `calm` weights begin near a uniform prediction and learn soon."""
    model = deepcopy(tiny.build(family))
    if calm:
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(0.1 if weight.dim() >= 2 else 1.0)
    found = Network(model, None, "", None, packing_reach(model), None)
    if lora is not None:
        model.requires_grad_(False)
        found = with_adapter(found, lora, "policy", seed=1)
    return with_head(found, seed=2) if head else found


def draw(generator: torch.Generator, low: int, high: int) -> tuple[int, ...]:
    """Between `low` and `high` random token ids, none of them special."""
    count = int(torch.randint(low, high + 1, (1,), generator=generator))
    return tuple(torch.randint(10, tiny.WORDS, (count,), generator=generator).tolist())


def entry(number: int, replies: Sequence[Sequence[int]], ranks: Sequence[int] = (1,)) -> Entry:
    """A row of source a or b; its prompt is drawn by its number."""
    source, name = "ab"[number % 2], str(number)
    asked = draw(torch.Generator().manual_seed(number), 2, 9)
    prompt = Prompt(source, name, name, (Turn("user", name),), name, " ")
    document = Document(source, asked, tuple((*reply, END) for reply in replies))
    return Entry(prompt, document, tuple(map(str, replies)), tuple(ranks), "the mat")


def demonstrations(count: int) -> list[Entry]:
    """Rows with one reply of 1 to 8 tokens and an end."""
    generator = torch.Generator().manual_seed(100)
    return [entry(number, [draw(generator, 1, 8)]) for number in range(count)]


def rankings(count: int, ranks: Sequence[Sequence[int]] = ((1, 2, 3), (2, 1), (1, 2, 2))):
    """Rows with several replies, ranked in turn as in `ranks`."""
    generator = torch.Generator().manual_seed(200)
    places = [ranks[number % len(ranks)] for number in range(count)]
    return [
        entry(number, [draw(generator, 1, 6) for _ in row], row)
        for number, row in enumerate(places)
    ]


def stream(rows: Sequence[Entry], held_out: Sequence[Entry] = (), seed: int = 3) -> Stream:
    """`rows` by source, as a mixture draws them."""
    by_source: dict[str, tuple[tuple[Entry, ...], ...]] = {}
    for row in rows:
        by_source[row.prompt.source] = (*by_source.get(row.prompt.source, ()), (row,))
    digests = dict.fromkeys(by_source, "digest")
    return Stream(Material(by_source, tuple(held_out), digests), Mix(), seed)


def settings(kind: str, lr: float = 1e-3, **changes: Json) -> Training:
    """A stage whose rate is constant and whose gradient is not clipped."""
    optimizer = {"lr": lr, "schedule": "constant", "clip": 1e9}
    data = "data" if kind == "sft" else "rankings"
    made: dict[str, Json] = {"kind": kind, data: "d", "optimizer": optimizer, "batch": 3}
    return SCHEMAS[kind].model_validate(made | changes)


def site(folder: Path, watcher: SilentWatcher | None = None, inputs: str = "same") -> Site:
    return Site("warm", "sft", folder, 7, inputs, Processes(CPU), watcher or SilentWatcher())


def weights(trained: Network) -> dict[str, Tensor]:
    """A copy of all that is trained."""
    return {name: value.detach().clone() for name, value in trained_parameters(trained).items()}


def gradients(trained: Network) -> dict[str, Tensor]:
    """The gradients that have gathered, which are then dropped."""
    found = trained_parameters(trained)
    taken = {name: value.grad.clone() for name, value in found.items() if value.grad is not None}
    for value in found.values():
        value.grad = None
    return taken


def assert_same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Bit for bit."""
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def log_of(folder: Path) -> list[dict[str, float]]:
    """The lines of the log without what a clock says."""
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{name: line[name] for name in line if name != "seconds"} for line in lines]


class StoppedError(Exception):
    """Stands for a kill."""


class StopsAfter(SilentWatcher):
    """Stops the stage when it has reported `reports` times."""

    def __init__(self, reports: int) -> None:
        self.left = reports

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoppedError


Train = Callable[[Site], tuple[Outcome, Network]]


def assert_goes_on_bit_for_bit(train: Train, folder: Path) -> None:
    """Stopped at every report it makes, and after the last, and started again, `train` ends as when
    left alone."""
    outcome, trained = train(site(folder / "whole"))
    lines = log_of(folder / "whole")
    assert len(lines) > 4
    for reports in range(len(lines) + 1):
        place = folder / str(reports)
        with nullcontext() if reports == len(lines) else pytest.raises(StoppedError):
            train(site(place, StopsAfter(reports)))
        again, resumed = train(site(place))
        assert log_of(place) == lines
        assert again == outcome
        assert_same(weights(resumed), weights(trained))


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Within the block no file grows beyond `room` bytes."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))
