"""What both trainers learn: the same rows of embedded tasks as the same token ids.

A row is a document of one reply, as `bench` encodes it for SmolLM2-135M-Instruct, in the order in
which its mixture draws the rows: 16 to an update.
"""

from pathlib import Path

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.models.weights import Weights, find_weights
from bench.training.data.corpus import demonstrations_of, load_corpus
from bench.training.data.data_settings import Data, Source
from bench.training.data.encode import Limits, Stream, encode_demonstrations
from bench.training.data.sources import Places
from bench.training.data.writer import Writer
from bench.training.networks.layout import Document

MODEL = "smollm2-135m"
TASKS = ("topic", "sentiment", "intent", "constraints", "refusal", "reading")
BATCH = 16  # rows in an update
UPDATES = 60  # for which rows are drawn
LONGEST = 512  # tokens; no row has as many
OPTIMIZER = {"lr": 2e-5, "betas": (0.9, 0.95), "eps": 1e-8, "clip": 1.0}  # constant, no decay


def find_model() -> Weights:
    """The checkpoint that is trained."""
    return find_weights(MODEL)


def draw_rows() -> list[Document]:
    """The rows of all updates, in order."""
    weights = find_model()
    model = HuggingFace(weights.name, ModelOptions(dtype="float32", device="cpu"), weights)
    data = Data(sources=tuple(Source(task=task) for task in TASKS))
    corpus = demonstrations_of(load_corpus("speed", data, Places(Path()), seed=0))
    material = encode_demonstrations(corpus, Writer(model, "auto", ""), Limits(LONGEST, LONGEST))
    drawn = Stream(material, data.mix, seed=0).take(0, UPDATES * BATCH)
    return [entry.document for entry in drawn]
