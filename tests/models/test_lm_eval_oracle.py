"""Our engine gives lm-evaluation-harness 0.4.13's recorded answers on the same prompts."""

import json
from pathlib import Path

import pytest

from bench.models.hf import HuggingFace, ModelOptions
from bench.types import Generation, Request

RECORDED = Path(__file__).parents[3] / "shared/reference/lm-eval-run"
CHOICES = ("arc0", "arc3", "arc2chat", "piqa0", "mmlu5")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RECORDED.is_dir(), reason=f"{RECORDED} is not here"),
]


@pytest.fixture(scope="module")
def model() -> HuggingFace:
    return HuggingFace("smollm2-135m", ModelOptions(dtype="float32"))


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", CHOICES)
def test_log_likelihoods_and_accuracies_are_lm_evals(model, name):
    rows = lines(name)
    encoded = model.encode(
        [Request(row["prompt"], tuple(row["continuations"]), special_tokens=False) for row in rows]
    )
    assert model._packs
    replies = dict(model.answer(encoded))
    for place, row in enumerate(rows):
        theirs = [float(pair[0][0]) for pair in row["resps"]]
        flags = [pair[0][1] == "True" for pair in row["resps"]]
        assert replies[place].logprobs == pytest.approx(theirs, abs=1e-3)
        assert list(replies[place].greedy) == flags
        gold = int(row["target"])
        best = max(range(len(theirs)), key=lambda i: replies[place].logprobs[i])
        assert float(best == gold) == row["acc"]
        if "acc_norm" in row:
            lengths = [len(text.removeprefix(" ")) for text in row["continuations"]]
            best = max(range(len(theirs)), key=lambda i: replies[place].logprobs[i] / lengths[i])
            assert float(best == gold) == row["acc_norm"]


def test_greedy_texts_are_lm_evals(model):
    rows = [row for row in lines("gsm8k5") if row["filter"] == "strict-match"]
    stops = ("Question:", "</s>", "<|im_end|>")
    requests = [Request(row["prompt"], generation=Generation(96, stops)) for row in rows]
    replies = dict(model.answer(model.encode(requests)))
    for place, row in enumerate(rows):
        assert replies[place].text == row["resps"][0][0]
