"""Writer: what is trained is what an evaluation asks, and a reply ends as the model ends it."""

from copy import deepcopy

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers import PreTrainedTokenizerFast

from bench.errors import UsageError
from bench.evaluation.plan import Settings, make_plan
from bench.models.hf import HuggingFace
from bench.models.options import ModelOptions
from bench.registry.folder import Task, select
from bench.training.data.data_settings import Source
from bench.training.data.sources import load_source
from bench.training.data.writer import Writer
from bench.types import Prompt, Turn
from tests.models import tiny
from tests.training.rows import TRAIN, write_task

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}<|assistant|>"
)
SYSTEM = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]"


def prompt(text: str, delimiter: str = " ") -> Prompt:
    return Prompt("plain", "0", "0", (Turn("user", text),), text, delimiter)


def capitals(places) -> Task:
    ((task, _),) = select(["capitals"], places.task_folders)
    return task


def with_tokenizer(asked, change, **variant) -> HuggingFace:
    """A model whose tokenizer is a changed copy."""
    model = HuggingFace(str(asked("llama", **variant).weights.folder), ModelOptions(device="cpu"))
    model.tokenizer = change(deepcopy(model.tokenizer))
    return model


@pytest.mark.parametrize(
    "variant", [{}, {"bos": True}, {"chat": True}, {"chat": True, "bos": True}]
)
def test_prompts_are_those_of_an_evaluation(asked, tmp_path, variant):
    places = write_task(tmp_path, test=TRAIN)
    model, writer = asked("llama", **variant), Writer(asked("llama", **variant), "auto", "")
    plan = make_plan(model, capitals(places), Settings())
    evaluated = model.encode([ask.samples[0] for ask in plan.asks])
    rows = load_source(Source(task="capitals"), places).rows
    assert [writer.prompt(row[0].prompt) for row in rows] == [item.prompt for item in evaluated]
    assert plan.chat == writer.chat == ("chat" in variant)


def test_chat_off_asks_a_chat_model_as_an_evaluation_does_with_chat_off(asked, tmp_path):
    places, model = write_task(tmp_path, test=TRAIN), asked("llama", chat=True)
    plan = make_plan(model, capitals(places), Settings(chat="off"))
    (row, *_) = load_source(Source(task="capitals"), places).rows
    (evaluated,) = model.encode([plan.asks[0].samples[0]])
    assert Writer(model, "off", "").prompt(row[0].prompt) == evaluated.prompt


def test_a_system_message_opens_the_chat_as_in_an_evaluation(asked, tmp_path):
    def teach(tokenizer):
        tokenizer.chat_template = SYSTEM
        return tokenizer

    model, places = with_tokenizer(asked, teach, chat=True), write_task(tmp_path, test=TRAIN)
    plan = make_plan(model, capitals(places), Settings(system="Be brief."))
    (row, *_) = load_source(Source(task="capitals"), places).rows
    (evaluated,) = model.encode([plan.asks[0].samples[0]])
    writer = Writer(model, "auto", "Be brief.")
    assert writer.prompt(row[0].prompt) == evaluated.prompt
    assert "Be brief." in writer.read(evaluated.prompt)


@pytest.mark.parametrize("delimiter", [" ", "\n", ""])
def test_a_plain_reply_follows_the_delimiter_and_ends_with_eos(asked, delimiter):
    writer = Writer(asked("llama"), "auto", "")
    ids = writer.reply(prompt("the question?", delimiter), "the answer")
    assert ids[-1] == writer.end == 1
    assert writer.read(ids) == f"{delimiter}the answer"


def test_a_chat_reply_follows_the_template_directly(asked):
    writer = Writer(asked("llama", chat=True), "auto", "")
    ids = writer.reply(prompt("the question?"), "the answer")
    assert writer.read(ids) == "the answer"
    assert ids[-1] == 1


def test_an_empty_reply_is_its_end(asked):
    assert Writer(asked("llama", chat=True), "auto", "").reply(prompt("what?"), "") == (1,)


def test_no_space_comes_between_prompt_and_reply_where_the_tokenizer_begins_texts_with_one(asked):
    """Llama 2's tokenizer does."""
    pieces = ["▁", *"Qabcx:\n", "</s>"]
    core = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, []))
    core.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    spaced = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>")
    writer = Writer(with_tokenizer(asked, lambda _: spaced), "off", "")
    found = [spaced.convert_ids_to_tokens(writer.reply(prompt("Q:", d), "ab")) for d in (" ", "\n")]
    assert found == [["▁", "a", "b", "</s>"], ["\n", "a", "b", "</s>"]]


def test_a_reply_whose_first_letters_merge_with_the_prompt_is_read_by_itself(asked):
    writer = Writer(asked("llama"), "auto", "")
    ids = writer.reply(prompt("the questi", ""), "on the mat")
    assert writer.read(ids) == "on the mat"


@pytest.mark.parametrize("known", [True, False])
def test_a_turn_ends_with_the_token_that_the_template_writes(asked, known):
    """Gemma's <end_of_turn> is among the named special tokens, Phi-3's <|end|> is only special."""

    def teach(tokenizer):
        if known:
            tokenizer.add_special_tokens({"extra_special_tokens": ["<|end|>"]})
        else:
            tokenizer.add_tokens([AddedToken("<|end|>", special=True)])
        tokenizer.chat_template = TEMPLATE
        return tokenizer

    model = with_tokenizer(asked, teach, chat=True)
    end = model.tokenizer.convert_tokens_to_ids("<|end|>")
    assert Writer(model, "on", "").end == end != 1
    assert Writer(model, "on", "").reply(prompt("what?"), "this")[-1] == end
    assert Writer(model, "off", "").end == 1


def test_the_end_is_no_text(asked):
    writer = Writer(asked("llama"), "auto", "")
    assert writer.read((*writer.reply(prompt("a", ""), "the cat"), 0, 2)) == "the cat"


def test_a_prompt_longer_than_the_model_reads_is_empty(asked):
    writer = Writer(asked("llama"), "auto", "")
    whole = writer.prompt(prompt("x" * (tiny.READS - 1)))
    assert len(whole) == tiny.READS - 1
    assert writer.prompt(prompt("x" * tiny.READS)) == ()


def test_an_empty_prompt_without_bos_begins_with_eos_as_in_an_evaluation(asked):
    assert Writer(asked("llama"), "auto", "").prompt(prompt("")) == (1,)


def test_a_tokenizer_without_eos_is_an_error(tmp_path):
    model = HuggingFace(str(tiny.endless(tmp_path)), ModelOptions(device="cpu"))
    with pytest.raises(UsageError, match="no EOS"):
        Writer(model, "auto", "")


@pytest.mark.parametrize(("chat", "system"), [("on", ""), ("auto", "Be brief."), ("off", "x")])
def test_chat_and_system_need_a_template(asked, chat, system):
    with pytest.raises(UsageError, match=r"chat template|asked as a chat"):
        Writer(asked("llama"), chat, system)


@pytest.mark.parametrize("chat", ["on", "off"])
def test_plain_text_begins_where_a_text_begins_whatever_the_template(asked, chat):
    model = asked(bos=True, chat=True)
    writer = Writer(model, chat, "")
    plain = Prompt("text", "0", "0", (), "", "")
    assert writer.prompt(plain) == (model.bos_id,)
    ids = tuple(model.tokenizer("the cat sat", add_special_tokens=False)["input_ids"])
    assert writer.reply(plain, "the cat sat") == (*ids, writer.end)
