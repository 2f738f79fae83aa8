"""Prompts, replies and a tiny random checkpoint: what tests of rewards and rankings start from."""

from collections.abc import Sequence
from pathlib import Path

import torch

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.training.data.data_settings import Source
from bench.training.data.encode import Entry
from bench.training.data.sources import Places, load_source
from bench.training.data.writer import Writer
from bench.training.networks.layout import Document
from bench.training.networks.network import Network, open_network
from bench.training.objectives.sampling import Sampled
from bench.types import Prompt, Turn
from tests.models import tiny

CPU = torch.device("cpu")
HERE = Places(Path())


def entry(text: str, identity: str = "0", source: str = "plain", ids: Sequence[int] = (9, 8, 7)):
    """An Entry of plain data."""
    prompt = Prompt(source, identity, identity, (Turn("user", text),), text, " ")
    return Entry(prompt, Document(source, tuple(ids), ()), target="gold")


def entries_of(task: str, count: int = 1, places: Places = HERE, **source) -> list[Entry]:
    """The first `count` training rows of a task, whose tokens do not matter."""
    loaded = load_source(Source(task=task, limit=count, **source), places)
    return [
        Entry(row[0].prompt, Document(task, (9, 8, 7), ()), target=row[0].target)
        for row in loaded.rows
    ]


def said(*texts: str, ended: bool = True) -> list[Sampled]:
    """Replies whose tokens do not matter."""
    return [Sampled((*range(20, 21 + len(text)), 1), text, ended) for text in texts]


def open_tiny(folder: Path, **variant: bool | str) -> tuple[HuggingFace, Network]:
    """A random llama as it is asked, and as it is trained."""
    options = ModelOptions(dtype="float32", device="cpu")
    model = HuggingFace(str(tiny.save("llama", folder, **variant)), options)
    return model, open_network(model.weights, CPU, torch.float32, None, seed=0)


def plain_writer(model: HuggingFace) -> Writer:
    return Writer(model, "off", "")
