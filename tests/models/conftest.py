"""Checkpoints of tiny models on disk, shared by the tests of this room."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from tests.models import tiny

torch.set_num_threads(1)  # tiny models only wait for threads


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """checkpoint(family, **tokenizer variant): its folder, written once."""

    @cache
    def folder(family: str, **variant: bool | str) -> Path:
        return tiny.save(family, tmp_path_factory.mktemp(family), **variant)

    return folder


@pytest.fixture(scope="session")
def opened(checkpoint: Callable[..., Path]) -> Callable[..., HuggingFace]:
    """opened(family): the checkpoint as bench opens it, fp32, loaded once."""

    @cache
    def model(family: str, batch_tokens: int = 0) -> HuggingFace:
        options = ModelOptions(dtype="float32", device="cpu", batch_tokens=batch_tokens)
        return HuggingFace(str(checkpoint(family)), options)

    return model
