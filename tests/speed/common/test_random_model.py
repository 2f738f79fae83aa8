"""The checkpoint of random weights is one that both programs open, the same each time."""

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.types import Request
from tests.speed.common.random_model import write_model


def test_it_answers_and_is_the_same_each_time(tmp_path):
    counts = {write_model(tmp_path / name, layers=1, width=64) for name in ("one", "again")}
    assert len(counts) == 1
    models = [
        HuggingFace(str(tmp_path / name), ModelOptions(dtype="bfloat16", device="cpu"))
        for name in ("one", "again")
    ]
    assert models[0].weights.digest == models[1].weights.digest
    (encoded,) = models[0].encode([Request("The capital of France is", (" Paris", " Rome"))])
    ((_, reply),) = models[0].answer([encoded])
    assert len(reply.logprobs) == 2
