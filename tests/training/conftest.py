"""Checkpoints of tiny models on disk, shared by the tests of this room."""

from collections.abc import Callable
from functools import cache

import pytest
import torch

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.models.weights import Weights, find_weights
from tests.models import tiny

torch.set_num_threads(1)  # tiny models only wait for threads


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Weights]:
    """weights(family, **tokenizer variant): its checkpoint, written once."""

    @cache
    def found(family: str = "llama", **variant: bool | str) -> Weights:
        folder = tmp_path_factory.mktemp(family)
        return find_weights(str(tiny.save(family, folder, **variant)))

    return found


@pytest.fixture(scope="session")
def asked(weights: Callable[..., Weights]) -> Callable[..., HuggingFace]:
    """asked(family, **tokenizer variant): the checkpoint as an evaluation opens it, fp32."""

    @cache
    def model(family: str = "llama", **variant: bool | str) -> HuggingFace:
        options = ModelOptions(dtype="float32", device="cpu")
        return HuggingFace(str(weights(family, **variant).folder), options)

    return model
