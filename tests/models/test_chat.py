"""Talking with a checkpoint: what the reply is, how the history is cut, what is refused."""

import json
import shutil
import threading

import pytest

from bench.cards import write_card
from bench.errors import ModelError, UsageError
from bench.models.chat import Sampling, check_speaks, fitting, reply_to
from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.types import Turn
from tests.cards import card
from tests.models import tiny

FP32 = ModelOptions(dtype="float32", device="cpu")
GREEDY = Sampling(temperature=0.0, max_tokens=24)
CAT = Turn("user", "the cat sat on")


def quiet(_: str) -> None:
    """Shows nothing."""


@pytest.mark.parametrize("text", ["the cat sat on", "what is the answer", "the dog"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
def test_temperature_0_is_transformers_greedy_continuation_of_the_plain_text(opened, family, text):
    model = opened(family)
    spoken = reply_to([Turn("user", text)], model, GREEDY, quiet)
    prompt = model.tokenizer(text)["input_ids"]
    ids = tiny.naive_greedy(tiny.build(family), prompt, 24, sorted(model.end_ids))
    assert spoken.text == model.tokenizer.decode(ids, skip_special_tokens=True)
    assert spoken.finish == ("length" if len(ids) == 24 else "stop")
    assert spoken.tokens == len(ids) + (spoken.finish == "stop")
    assert spoken.seconds > 0


def test_the_pieces_that_are_shown_are_the_reply(opened):
    pieces: list[str] = []
    spoken = reply_to([CAT], opened("llama"), Sampling(seed=3, max_tokens=60), pieces.append)
    assert "".join(pieces) == spoken.text


def test_a_seed_gives_the_same_reply_and_another_seed_another(opened):
    def said(seed: int) -> str:
        return reply_to([CAT], opened("llama"), Sampling(seed=seed, temperature=2.0), quiet).text

    assert said(1) == said(1)
    assert len({said(seed) for seed in range(4)}) > 1


def test_turns_without_a_template_are_continued_as_plain_text(opened):
    turns = [Turn("system", "be brief"), CAT, Turn("assistant", "the mat"), Turn("user", "and?")]
    model = opened("llama")
    prompt = fitting(turns, model, GREEDY).prompt
    text = "be brief\n\nthe cat sat on\n\nthe mat\n\nand?"
    assert model.tokenizer.decode(list(prompt)) == text


def test_a_chat_template_is_used_with_bos_once(checkpoint):
    model = HuggingFace(str(checkpoint("llama", bos=True, chat=True)), FP32)
    prompt = fitting([CAT], model, GREEDY).prompt
    assert model.tokenizer.decode(list(prompt)) == "<s>[user] the cat sat on\n[assistant]"


def test_a_template_that_knows_no_system_turn_says_what_to_leave_out(checkpoint):
    model = HuggingFace(str(checkpoint("llama", chat=True)), FP32)
    with pytest.raises(ModelError, match="no system turn") as caught:
        fitting([Turn("system", "be brief"), CAT], model, GREEDY)
    assert caught.value.remedy == "leave --system out"


def test_history_that_does_not_fit_loses_whole_exchanges_and_keeps_the_system_turn(opened):
    model = opened("llama")
    spoken = [
        turn
        for number in range(30)
        for turn in (Turn("user", f"question {number}"), Turn("assistant", f"answer {number}"))
    ]
    turns = [Turn("system", "be brief"), *spoken, CAT]
    prompt = fitting(turns, model, GREEDY).prompt
    parts = model.tokenizer.decode(list(prompt)).split("\n\n")
    kept = [turn.text for turn in turns][-len(parts) + 1 :]
    assert parts == ["be brief", *kept]
    assert kept[0].startswith("question ")
    assert 1 < len(kept) < len(spoken)
    assert len(prompt) + GREEDY.max_tokens <= tiny.READS


def test_a_message_that_is_too_long_by_itself_is_an_error(opened):
    with pytest.raises(UsageError, match="reads 256 tokens") as caught:
        fitting(
            [CAT, Turn("assistant", "the mat"), Turn("user", "what? " * 200)],
            opened("llama"),
            GREEDY,
        )
    assert "--max-tokens" in caught.value.remedy


def test_a_reply_may_take_half_of_what_the_model_reads(opened):
    asked = fitting([CAT], opened("llama"), Sampling(max_tokens=10_000))
    assert asked.generation.max_tokens == tiny.READS // 2


def test_an_interrupt_while_a_piece_is_shown_stops_the_generation(checkpoint, tmp_path):
    """The checkpoint would go on for half a million tokens."""
    model = HuggingFace(str(tiny.endless(tmp_path / "model")), FP32)

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        reply_to([CAT], model, Sampling(seed=0, max_tokens=10**6), interrupt)
    assert threading.active_count() == before


@pytest.fixture
def folder(checkpoint, tmp_path):
    """A copy of the tiny Llama that a test may change."""
    return shutil.copytree(checkpoint("llama"), tmp_path / "model")


@pytest.mark.parametrize(("stage", "refused"), [("rm", True), ("ppo", False), ("base", False)])
def test_a_card_decides_whether_a_checkpoint_speaks(folder, stage, refused):
    write_card(folder, card(stage=stage))
    model, told = HuggingFace(str(folder), FP32), ""
    try:
        check_speaks(model)
    except ModelError as error:
        told = error.cause
    assert ("is a reward model" in told, bool(told)) == (refused, refused)


def test_a_classifier_is_refused_by_its_architecture(folder):
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["LlamaForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="LlamaForSequenceClassification"):
        check_speaks(HuggingFace(str(folder), FP32))
