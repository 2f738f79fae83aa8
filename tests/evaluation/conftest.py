"""A tiny random Llama on disk, written once; no task or data folders of the user."""

import pytest

from tests.evaluation.folders import save_tiny_llama


@pytest.fixture(autouse=True)
def _no_folders_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BENCH_TASKS", "BENCH_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint that answers nonsense, always the same."""
    import torch

    torch.set_num_threads(1)  # as in the subprocesses that records are compared with
    return str(save_tiny_llama(tmp_path_factory.mktemp("tiny-llama")))
