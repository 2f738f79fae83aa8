"""Text -> token ids: the boundary, BOS once, truncation on the left, room to generate."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.models.encode import Encoder
from bench.types import Generation, Request, Turn
from tests.models import tiny

TEXT = st.text("the catqus?\n é日", max_size=30)
SOME = TEXT.filter(str.strip)


def encoder(reads: int = 10_000, encoder_decoder: bool = False, **variant) -> Encoder:
    return Encoder(tiny.tokenizer(**variant), reads, encoder_decoder)


def ids(text: str) -> tuple[int, ...]:
    return tuple(tiny.tokenizer()(text, add_special_tokens=False)["input_ids"])


def one(made: Encoder, *request, **settings):
    return made.encode([Request(*request, **settings)])[0]


@given(context=TEXT, continuation=SOME)
def test_prompt_and_continuation_are_the_tokens_of_the_joined_text(context, continuation):
    stem = context.rstrip()
    whole = ids(context + continuation)
    assume(whole[: len(ids(stem))] == ids(stem) and stem)
    made = one(encoder(), context, (continuation,))
    assert made.prompt + made.continuations[0] == whole


@given(context=SOME, continuation=SOME)
def test_a_merge_across_the_boundary_is_split_as_lm_eval_splits_it(context, continuation):
    """Its `_encode_pair`: the context's own tokens, then what is left of the joined text."""
    stem = context.rstrip()
    rest = ids(context + continuation)[len(ids(stem)) :]
    made = one(encoder(), context, (continuation,))
    assert made.prompt == ids(stem)
    if rest:
        assert made.continuations == (rest,)
    else:
        assert made.error == "a continuation has no tokens"


def test_merges_of_the_test_tokenizer_do_cross_the_boundary():
    assert ids("the cat sat on the mat")[: len(ids("the ca"))] != ids("the ca")


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_white_space_at_the_end_of_the_context_moves_to_the_continuation(encoder_decoder):
    made = encoder(encoder_decoder=encoder_decoder)
    moved, plain = one(made, "the é \n ", ("sat",)), one(made, "the é", (" \n sat",))
    assert moved == plain
    assert tiny.tokenizer().decode(moved.continuations[0]) == " \n sat"


def test_white_space_at_the_end_of_a_prompt_to_generate_from_stays():
    made = one(encoder(), "the cat \n", generation=Generation(4))
    assert tiny.tokenizer().decode(made.prompt) == "the cat \n"


@pytest.mark.parametrize("continuations", [(), (" sat",)])
@pytest.mark.parametrize(
    ("variant", "prompt", "special_tokens", "expected"),
    [
        ({"bos": True}, "the cat", True, 1),
        ({"bos": True}, "<s>the cat", True, 1),
        ({"bos": True}, "<s>the cat", False, 1),
        ({"bos": True, "eos": True}, "the cat", True, 1),
        ({"bos": True}, "the cat", False, 0),
        ({}, "the cat", True, 0),
        ({}, "<s>the cat", True, 1),
    ],
)
def test_bos_stands_once_where_the_tokenizer_wants_it(
    variant, prompt, special_tokens, expected, continuations
):
    generation = None if continuations else Generation(4)
    made = one(encoder(**variant), prompt, continuations, generation, special_tokens)
    assert made.prompt.count(0) == expected
    assert made.prompt[:expected] == (0,) * expected
    assert 1 not in made.prompt
    assert 0 not in sum(made.continuations, ())


def test_bos_written_by_the_chat_template_is_not_doubled(opened_chat):
    prompt = opened_chat.chat([Turn("user", "what is the answer?")])
    assert prompt.startswith("<s>[user] what is")
    assert prompt.endswith("[assistant]")
    for special_tokens in (False, True):
        made = opened_chat.encode([Request(prompt, ("yes",), special_tokens=special_tokens)])[0]
        assert made.prompt.count(0) == 1
        assert made.prompt[0] == 0


@pytest.fixture(scope="module")
def opened_chat(checkpoint):
    from bench.models.hf import HuggingFace

    return HuggingFace(str(checkpoint("llama", bos=True, chat=True)))


def test_a_chat_template_that_refuses_is_an_error_with_a_remedy(opened_chat):
    from bench.errors import ModelError

    with pytest.raises(ModelError, match="refuses the prompt: no system turn") as caught:
        opened_chat.chat([Turn("system", "be short"), Turn("user", "hello")])
    assert "--chat off" in caught.value.remedy


@pytest.mark.parametrize(("variant", "token"), [({"bos": True}, 0), ({"pad": "eos"}, 1), ({}, 1)])
@pytest.mark.parametrize("context", ["", " \n"])
def test_an_empty_context_is_bos_or_else_eos(variant, token, context):
    made = one(encoder(**variant), context, (" sat", " ran"))
    assert made.prompt == (token,)
    assert [tiny.tokenizer().decode(part) for part in made.continuations] == [
        f"{context} sat",
        f"{context} ran",
    ]


def test_an_empty_prompt_without_bos_and_eos_is_an_error_not_an_exception():
    bare = encoder()
    bare.empty = ()
    assert "empty" in one(bare, "", ("sat",)).error
    assert "empty" in one(bare, "", generation=Generation(4)).error


def test_a_continuation_without_tokens_is_an_error_not_an_exception():
    first, second = encoder().encode([Request("the cat", ("",)), Request("the cat", (" sat",))])
    assert first.error == "a continuation has no tokens"
    assert second.error is None


@given(
    context=SOME,
    question=SOME,
    choices=st.lists(SOME, min_size=1, max_size=3),
    reads=st.integers(2, 40),
    bos=st.booleans(),
)
def test_truncation_keeps_bos_and_the_question_and_counts(context, question, choices, reads, bos):
    """Whatever the lengths: it fits and ends as the whole prompt does, or it is an error."""
    question = "\n?" + question.strip()
    prompt, texts = context + question, tuple(f" {text}" for text in choices)
    request = Request(prompt, texts, essential=len(question))
    whole = encoder(bos=bos).encode([request])[0]
    assume(whole.error is None)
    made = encoder(reads, bos=bos).encode([request])[0]
    answer = max(map(len, whole.continuations)) - 1
    needed = min(len(ids(question)) + bos, len(whole.prompt))
    if made.error:
        assert "over-long prompt" in made.error
        assert needed + answer > reads
        return
    assert made.continuations == whole.continuations
    assert len(made.prompt) + answer <= reads
    assert len(made.prompt) + made.truncated == len(whole.prompt)
    assert len(made.prompt) >= needed
    assert made.prompt[:bos] == (0,) * bos
    kept = len(made.prompt) - bos
    assert made.prompt[bos:] == whole.prompt[len(whole.prompt) - kept :]
    if made.truncated:
        assert len(made.prompt) + answer == reads


@pytest.mark.parametrize(("max_tokens", "left"), [(10, 20), (29, 1)])
def test_generation_keeps_room_for_the_answer(max_tokens, left):
    made = one(encoder(30), "the cat sat on the mat?" * 20, generation=Generation(max_tokens))
    assert len(made.prompt) == left
    assert made.truncated > 0


@pytest.mark.parametrize("generation", [Generation(30), Generation(4)])
def test_a_question_that_cannot_fit_is_an_error_that_says_what_was_read(generation):
    text = "what? " * 40
    made = one(encoder(30), text, generation=generation, essential=len(text))
    assert made.error is not None
    assert "the model reads 30" in made.error
    assert str(generation.max_tokens) in made.error
    assert not made.continuations


def test_encoder_input_keeps_its_final_token_and_continuations_have_none():
    made = one(encoder(encoder_decoder=True, eos=True), "the cat", ("the mat", "on"))
    assert made.prompt == (*ids("the cat"), 1)
    assert made.continuations == (ids("the mat"), ids("on"))


def test_encoder_input_cut_on_the_left_keeps_its_final_token_and_its_question():
    made = encoder(12, encoder_decoder=True, eos=True)
    question = " what is the answer?"
    needed = len(ids(question))
    cut = one(made, "qq" * 30 + question, ("yes",), essential=len(question))
    assert cut.prompt[-1] == 1
    assert cut.prompt[-1 - needed : -1] == ids(question)
    assert len(cut.prompt) == 12
    tight = encoder(needed, encoder_decoder=True, eos=True)
    assert "over-long" in one(tight, "qq" + question, ("yes",), essential=len(question)).error


def test_requests_of_one_call_do_not_change_each_other():
    made = encoder(bos=True)
    requests = [
        Request("the cat", (" sat", " ran")),
        Request("the cat", generation=Generation(4)),
        Request("", ("the cat",)),
        Request("the cat ", ("sat",), special_tokens=False),
    ]
    assert made.encode(requests) == [made.encode([request])[0] for request in requests]


def test_generation_settings_travel_with_the_ids():
    generation = Generation(4, ("\n",), 0.7, 0.9, seed=5)
    assert one(encoder(), "the cat", generation=generation).generation == generation
    assert dataclasses.is_dataclass(generation)


def test_an_answer_longer_than_an_encoder_decoder_writes_is_an_error():
    made = Encoder(tiny.tokenizer(), 100, True, writes=8)
    assert one(made, "the cat", generation=Generation(8)).error is None
    assert (
        "up to 9 tokens, the model writes 8" in one(made, "the cat", generation=Generation(9)).error
    )
    longest = "é" * 4  # two tokens each
    assert one(made, "the cat", (longest,)).error is None
    assert "over-long answer" in one(made, "the cat", (longest + "z",)).error


def test_threads_may_share_an_encoder():
    made, texts = encoder(), ["the cat", "a dog", "on the mat", "what is"]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: one(made, text, (" sat",)), texts * 50))
    assert found == [one(made, text, (" sat",)) for text in texts * 50]
