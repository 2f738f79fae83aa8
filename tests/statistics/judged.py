"""Judgments that several tests use: the table of statistics.md S12, and PandaLM's people."""

import os
from pathlib import Path

import numpy as np
import pytest

from bench.statistics.judgments import Judgments

HUB = Path(os.environ.get("BENCH_DATA_ROOT") or Path(__file__).parents[3] / "shared" / "hub")
NAMES = ("base", "sft", "ppo", "ptx")
# (i, j): wins of i, ties, wins of j.
TABLE = {
    (0, 1): (12, 8, 80), (0, 2): (8, 7, 85), (0, 3): (6, 8, 86),
    (1, 2): (28, 14, 58), (1, 3): (25, 15, 60), (2, 3): (40, 18, 42),
}  # fmt: skip


def judgments_of(table, names=NAMES, **columns) -> Judgments:
    """One judgment a count of `table`."""
    rows = [
        (i, j, outcome)
        for (i, j), counts in table.items()
        for outcome, count in zip((1.0, 0.5, 0.0), counts, strict=True)
        for _ in range(count)
    ]
    first, second, outcomes = (list(column) for column in zip(*rows, strict=True))
    return Judgments(list(names), first, second, outcomes, **columns)


def drawn(random, theta, n, annotators=6, slot=0.0, ties=0.15) -> Judgments:
    """`n` judgments of models with these ratings, three a prompt, with a slot bias and ties."""
    first = random.integers(0, len(theta), n)
    second = (first + random.integers(1, len(theta), n)) % len(theta)
    odds = np.asarray(theta)[first] - np.asarray(theta)[second] + slot
    outcomes = (random.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    outcomes[random.random(n) < ties] = 0.5
    return Judgments(
        [f"m{at}" for at in range(len(theta))],
        first.tolist(),
        second.tolist(),
        outcomes.tolist(),
        prompts=[f"p{at // 3}" for at in range(n)],
        annotators=[f"a{at}" for at in random.integers(0, annotators, n)],
        covariates={"slot": [1.0] * n},
    )


def panda():
    """PandaLM's test set as a frame: 999 pairs of answers by five models, three annotators each."""
    pandas = pytest.importorskip("pandas")
    folder = HUB / "WeOpenML" / "PandaLM-testset"
    if not folder.is_dir():
        pytest.skip("BENCH_DATA_ROOT holds no WeOpenML/PandaLM-testset")
    return pandas.read_parquet(folder)


def panda_judgments() -> Judgments:
    """Its 2,997 judgments, with the difference in length as a covariate."""
    rows = panda()
    pairs = [key.split("_") for key in rows.cmp_key]
    names = sorted({name for pair in pairs for name in pair})
    people = ["annotator1", "annotator2", "annotator3"]
    votes = {"0": 0.5, "1": 1.0, "2": 0.0}
    outcomes = [votes[str(vote)] for person in people for vote in rows[person]]
    lengths = (rows.response1.str.len() - rows.response2.str.len()).to_numpy(float)
    return Judgments(
        names,
        [names.index(pair[0]) for pair in pairs] * 3,
        [names.index(pair[1]) for pair in pairs] * 3,
        outcomes,
        prompts=[
            f"{asked} {given}" for asked, given in zip(rows.instruction, rows.input, strict=True)
        ]
        * 3,
        annotators=[person for person in people for _ in pairs],
        covariates={"length": np.tile(np.tanh(lengths / lengths.std()), 3).tolist()},
    )
