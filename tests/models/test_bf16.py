"""Choices in bf16: packed rows agree with fp32 as often as rows asked one by one."""

from pathlib import Path

import pytest
import torch

import bench
from bench.models.gguf import smollm2_folder
from bench.models.load import choose_placement
from bench.models.options import ModelOptions

TASKS = ("facts", "topic", "entailment")
ROWS = 60  # of each
SLACK = 0.02  # of the rows: what rounding the other way does to so many


@pytest.mark.slow
def test_packed_choices_in_bf16_are_those_of_fp32_as_often_as_plain_ones(tmp_path: Path):
    if choose_placement("auto", "cpu").dtype != torch.bfloat16:
        pytest.skip("this processor does not multiply bf16")
    smollm2_folder()

    def chosen(dtype, engine):
        options = ModelOptions(dtype=dtype, device="cpu", engine=engine)
        (run,) = bench.evaluate(
            "smollm2-135m", TASKS, limit=ROWS, output=tmp_path / engine / dtype, options=options
        )
        return {(one.task, one.id): one.prediction for one in run.records}

    exact = chosen("float32", "naive")
    plain, packed = (chosen("bfloat16", engine) for engine in ("naive", "fast"))
    shares = [
        sum(found[key] == answer for key, answer in exact.items()) / len(exact)
        for found in (plain, packed)
    ]
    print(f"agree with fp32: one by one {shares[0]:.3f}, packed {shares[1]:.3f}")
    assert len(exact) == ROWS * len(TASKS)
    assert shares[1] >= shares[0] - SLACK
