"""SFT updates of `bench`: what `bench.training.objectives.sft.train_sft` does for each of them.

python -m tests.speed.workers.train_bench THREADS
"""

from tests.speed.workers.answer import Line

line = Line()  # before the imports that are measured

import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.models.install import prepare_local  # noqa: E402

prepare_local()

import torch  # noqa: E402

from bench.training.networks.layout import Document  # noqa: E402
from bench.training.networks.network import Network, open_network, trained_parameters  # noqa: E402
from bench.training.settings import Sft  # noqa: E402
from bench.training.steps.gradients import add_nll_gradient  # noqa: E402
from bench.training.steps.loop import Loop, Site  # noqa: E402
from bench.training.steps.meter import Meter  # noqa: E402
from bench.training.steps.processes import Processes  # noqa: E402
from bench.training.steps.updates import Group  # noqa: E402
from bench.training.steps.watch import SilentWatcher  # noqa: E402
from tests.speed.workers.rows import BATCH, OPTIMIZER, UPDATES, draw_rows, find_model  # noqa: E402

CPU = torch.device("cpu")
SETTINGS = {"optimizer": {**OPTIMIZER, "schedule": "constant"}, "batch": BATCH, "save_every": 10**6}


def main(threads: int, apart: bool, folder: Path) -> None:
    torch.set_num_threads(threads)
    rows = [begun_apart(place, row) if apart else row for place, row in enumerate(draw_rows())]
    network = open_network(find_model(), CPU, torch.float32, None, seed=0)
    settings = Sft.model_validate({"kind": "sft", "data": "speed", **SETTINGS})
    site = Site("speed", "sft", folder, 0, "", Processes(CPU), SilentWatcher())
    loop = Loop(site, settings, [Group(trained_parameters(network))], UPDATES)
    line.ready()
    steps = loop.steps()
    for count in line.asks():
        tokens, losses = 0, []
        for _, step in zip(range(count), steps, strict=False):
            documents = rows[step * BATCH : (step + 1) * BATCH]
            losses.append(update(loop, network, settings, step, documents))
            tokens += sum(document.length for document in documents)
        line.answer(tokens=tokens, losses=losses)


def update(loop: Loop, network: Network, settings: Sft, step: int, documents) -> float:
    """One update; its loss."""
    loop.count(documents)
    meter = Meter()
    add_nll_gradient(network, documents, settings.micro_tokens, loop.site.processes, meter)
    means = meter.means(loop.site.processes)
    loop.update(step, means)
    return means["loss"]


def begun_apart(place: int, row: Document) -> Document:
    """The row with a first token that no other row of its update has."""
    return replace(row, prompt=(1000 + place % BATCH, *row.prompt[1:]))


with tempfile.TemporaryDirectory() as made:
    main(int(sys.argv[1]), json.loads(sys.argv[2])["apart"], Path(made))
