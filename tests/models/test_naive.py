"""The naive engine gives what the library gives, and the fast one the same under another name."""

from functools import wraps
from pathlib import Path

import pytest
import torch

import bench
from bench.evaluation.ask import request_key
from bench.models.gguf import smollm2_folder
from bench.models.hf import HuggingFace
from bench.models.model import Encoded
from bench.models.naive import _CONTINUES
from bench.models.options import ModelOptions
from bench.types import Generation
from tests.models import tiny

NAIVE = ModelOptions(dtype="float32", device="cpu", engine="naive")
PROMPT = tuple(range(40, 75))
COUNTS = (90, 51, 45, 38, 30, 12)
ITEMS = (
    Encoded(PROMPT, ((5,), (6, 7, 8), (6, 9))),
    Encoded(PROMPT[:1], ((11, 12),)),
    Encoded((*PROMPT, 9), ((5,), (5,)), truncated=3),
)


@pytest.fixture(scope="module")
def naive(checkpoint):
    return lambda family: HuggingFace(str(checkpoint(family)), NAIVE)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_scores_are_those_of_the_librarys_forwards(naive, family):
    model = tiny.build(family)
    replies = dict(naive(family).answer(ITEMS))
    assert sorted(replies) == list(range(len(ITEMS)))
    for place, reply in replies.items():
        item = ITEMS[place]
        expected = [tiny.naive(model, item.prompt, branch) for branch in item.continuations]
        assert reply.logprobs == pytest.approx([total for total, _ in expected], abs=1e-5)
        assert reply.greedy == tuple(greedy for _, greedy in expected)
        assert reply.token_counts == tuple(map(len, item.continuations))
        assert (reply.truncated, reply.finish) == (item.truncated, "scored")


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_greedy_texts_are_those_of_the_librarys_generation(naive, family):
    model = naive(family)
    settings = Generation(max_tokens=12)
    ((_, reply),) = model.answer([Encoded(PROMPT, generation=settings)])
    expected = tiny.naive_greedy(tiny.build(family), PROMPT, 12)
    assert reply.text == model.tokenizer.decode(expected, skip_special_tokens=True)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_both_engines_give_each_token_the_same_log_probability(naive, opened, family):
    slow, fast = (dict(model(family).token_logprobs(ITEMS)) for model in (naive, opened))
    sums = {place: reply.logprobs for place, reply in opened(family).answer(ITEMS)}
    for place, item in enumerate(ITEMS):
        assert list(map(len, fast[place])) == list(map(len, item.continuations))
        for ours, theirs, total in zip(fast[place], slow[place], sums[place], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)
            assert sum(ours) == pytest.approx(total)


@pytest.mark.parametrize("family", ["llama", "mamba", "t5"])
def test_what_has_nothing_to_score_has_no_log_probabilities(naive, opened, family):
    asked = [Encoded((), error="x"), ITEMS[0], Encoded(PROMPT, generation=Generation(2))]
    for model in (naive(family), opened(family)):
        assert [place for place, _ in model.token_logprobs(asked)] == [1]
        assert list(model.token_logprobs(asked[:1])) == []


def test_a_model_that_continues_otherwise_is_read_whole(naive, monkeypatch):
    """Its cache loses its place: with it every token after the first would be another."""
    model = naive("llama")
    whole = dict(model.answer([Encoded(PROMPT, generation=Generation(9))]))
    forward = model.model.forward

    def shifted(*args, position_ids=None, **inputs):
        places = None if position_ids is None else position_ids + 40 * (position_ids > 3)
        return forward(*args, position_ids=places, **inputs)

    _CONTINUES.pop(model.model)
    monkeypatch.setattr(model.model, "forward", wraps(forward)(shifted))
    assert dict(model.answer([Encoded(PROMPT, generation=Generation(9))])) == whole
    _CONTINUES.pop(model.model)


def test_between_two_answers_the_caller_may_differentiate(naive):
    asked, given = [*ITEMS, Encoded(PROMPT, generation=Generation(1))], 0
    for _ in naive("llama").answer(asked):
        assert not torch.is_inference_mode_enabled()
        given += 1
    assert given == len(asked)


def test_requests_that_cannot_be_asked_are_asked_by_neither_engine(naive, opened):
    broken = Encoded((), error="too long")
    for model in (naive("llama"), opened("llama")):
        assert [place for place, _ in model.answer([broken, ITEMS[0]])] == [1]


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize(
    "settings",
    [
        Generation(max_tokens=9, stops=("a", "e")),
        Generation(max_tokens=9, temperature=1.0, seed=4),
        Generation(max_tokens=9, temperature=0.7, top_p=0.8, seed=5, stops=("t",)),
    ],
)
def test_both_engines_generate_the_same(naive, opened, family, settings):
    items = [Encoded(PROMPT[:count], generation=settings) for count in (3, 20, 35)]
    slow, fast = dict(naive(family).answer(items)), dict(opened(family).answer(items))
    assert slow == fast


@pytest.mark.parametrize("family", tiny.ODD)
def test_both_engines_answer_alike_for_models_with_ways_of_their_own(naive, opened, family):
    """Attention by the place in a row, caches that refuse, heads that are called otherwise."""
    prompts = [tuple((7 * at + 31 * count) % 280 + 3 for at in range(count)) for count in COUNTS]
    asked = [Encoded(prompt, ((5,), (6, 7, 8))) for prompt in prompts]
    if family != "prophetnet":  # with a cache the library itself writes other texts
        asked += [Encoded(prompt, generation=Generation(9)) for prompt in prompts]
    slow, fast = dict(naive(family).answer(asked)), dict(opened(family).answer(asked))
    assert sorted(slow) == sorted(fast) == list(range(len(asked)))
    for place in slow:
        assert fast[place].text == slow[place].text
        assert fast[place].logprobs == pytest.approx(slow[place].logprobs, abs=1e-4)


def test_the_ledger_does_not_serve_one_engines_replies_to_the_other(naive, opened):
    keys = {request_key(model.digest, ITEMS[0]) for model in (naive("llama"), opened("llama"))}
    assert len(keys) == 2


def test_each_engine_answers_for_itself_in_one_folder_and_run_json_says_which(checkpoint, tmp_path):
    folder = str(checkpoint("llama"))
    runs = {}
    for engine in ("naive", "fast"):
        options = ModelOptions(dtype="float32", device="cpu", engine=engine)
        (runs[engine],) = bench.evaluate(
            folder, ["topic", "reading"], limit=3, output=tmp_path, options=options
        )
        assert runs[engine].run.reused == 0
        assert runs[engine].run.model_description["engine"] == engine
    assert runs["naive"].folder != runs["fast"].folder
    assert scores(runs["naive"]) == pytest.approx(scores(runs["fast"]), abs=1e-4)


@pytest.mark.slow
def test_both_engines_give_the_smoke_suite_the_same_scores(tmp_path: Path):
    found = []
    for engine in ("naive", "fast"):
        options = ModelOptions(dtype="float32", engine=engine)
        (run,) = bench.evaluate(str(smollm2_folder()), ["smoke"], output=tmp_path, options=options)
        found.append(scores(run))
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def scores(run):
    return {(cell.task, cell.metric): cell.estimate for cell in run.cells}
