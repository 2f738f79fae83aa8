"""Stop strings are found at the token that completes them, at the same cost for any length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from transformers.convert_slow_tokenizer import bytes_to_unicode

from bench.models.stops import StopWatch
from tests.models import tiny

BYTES = tiny.tokenizer()
TEXTS = ("the end. the end?", "é€😀 – 你好", "a\n\nb\nc", " x  y")


def sentencepiece() -> Tokenizer:
    """Llama 2's decoder: bytes where no word fits, and no space at the start of a text."""
    words = [
        "<unk>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        "▁the",
        "the",
        "▁a",
        "b",
        ".",
    ]
    made = Tokenizer(
        BPE({word: number for number, word in enumerate(words)}, [], byte_fallback=True)
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return made


WORDS = sentencepiece()
DECODERS = {
    "byte-level": lambda ids: BYTES.decode(list(ids), skip_special_tokens=True),
    "sentencepiece": lambda ids: WORDS.decode(list(ids), skip_special_tokens=True),
}
LAST = {"byte-level": tiny.WORDS - 1, "sentencepiece": WORDS.get_vocab_size() - 1}
STOPS = st.lists(
    st.sampled_from(["\n", "\n\n", "the", " the", "e ", "é", "€", "😀", "a b", " ", ". t", "你好"]),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)


def first_cut(tokens, stops, decode):
    """By reading the whole text anew with every token: (tokens, text before the stop)."""
    for count in range(1, len(tokens) + 1):
        text = decode(tokens[:count])
        ends = [at for stop in stops if (at := text.find(stop)) >= 0]
        if ends:
            return count, text[: min(ends)]
    return None


def watched_cut(tokens, stops, decode):
    watch = StopWatch(stops, decode)
    for count in range(1, len(tokens) + 1):
        text = watch.cut(tokens[:count])
        if text is not None:
            return count, text
    return None


@st.composite
def tokens_of_text(draw):
    """Texts in several alphabets, cut into byte-level tokens with bytes between them."""
    text = "".join(draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4)))
    ids = BYTES(text, add_special_tokens=False)["input_ids"]
    noise = draw(st.lists(st.integers(0, LAST["byte-level"]), max_size=3))
    at = draw(st.integers(0, len(ids)))
    return ids[:at] + noise + ids[at:]


@given(tokens=tokens_of_text(), stops=STOPS)
def test_byte_level_texts_are_cut_where_reading_them_whole_cuts_them(tokens, stops):
    decode = DECODERS["byte-level"]
    assert watched_cut(tokens, stops, decode) == first_cut(tokens, stops, decode)


@pytest.mark.parametrize("kind", DECODERS)
@given(draw=st.data(), stops=STOPS)
def test_random_tokens_are_cut_where_reading_them_whole_cuts_them(kind, draw, stops):
    """Among them halves of characters, special tokens, and spaces that show only in the midst."""
    often = st.integers(LAST[kind] - 5, LAST[kind]) | st.integers(0, LAST[kind])
    tokens = draw.draw(st.lists(often, max_size=24))
    assert watched_cut(tokens, stops, DECODERS[kind]) == first_cut(tokens, stops, DECODERS[kind])


def test_the_cases_are_not_all_without_a_stop():
    """Every stop is cut somewhere in what the properties above draw from."""
    decode = DECODERS["byte-level"]
    whole = BYTES("".join(TEXTS) + "a b. t", add_special_tokens=False)["input_ids"]
    for stop in ("\n", "\n\n", "the", " the", "é", "€", "😀", "a b", " ", ". t", "你好"):
        assert watched_cut(whole, (stop,), decode) is not None


def test_a_character_of_several_tokens_ends_a_stop():
    ids = BYTES("so 😀 it", add_special_tokens=False)["input_ids"]
    cut = watched_cut(ids, ("o 😀",), DECODERS["byte-level"])
    assert cut == first_cut(ids, ("o 😀",), DECODERS["byte-level"])
    assert cut[1] == "s"


@pytest.mark.parametrize("between", [[], [0], [0] * 40], ids=["none", "one", "many"])
@pytest.mark.parametrize("stop", ["the end", "你好😀", "–"])
def test_a_stop_of_single_bytes_is_found_whatever_says_nothing_between_them(stop, between):
    """Token 0 is special: it has no text."""
    letters = dict(zip(bytes_to_unicode().values(), bytes_to_unicode(), strict=True))
    ids = {letters[BYTES.convert_ids_to_tokens(n)]: n for n in range(3, 259)}
    tokens = [token for byte in f"x{stop}".encode() for token in (*between, ids[byte])]
    assert watched_cut(tokens, (stop,), DECODERS["byte-level"]) == (len(tokens), "x")


def test_the_cost_of_a_token_does_not_grow_with_the_text():
    read = []

    def decode(ids):
        read.append(len(ids))
        return "".join(chr(97 + token) for token in ids)

    watch = StopWatch(("abcd", "zzz"), decode)
    tokens = []
    for number in range(2000):
        tokens.append((number * 7) % 25)
        assert watch.cut(tokens) is None
    assert max(read) <= watch.span
    assert sum(read) < 2 * len(tokens)  # two of 25 tokens end a stop; the others are looked up


@st.composite
def tokens_of_bytes(draw):
    """Texts of which each byte is a token, as Llama 2 writes what it has no word for."""
    words = ("龘", "❤️", "你好", "\n", "\n\n", "é", "the", "b", "Q")
    text = "".join(draw(st.lists(st.sampled_from(words), min_size=1, max_size=8)))
    known = {"the": 259, "b": 261}
    ids: list[int] = []
    while text:
        word = next((one for one in known if text.startswith(one)), "")
        ids += [known[word]] if word else [1 + byte for byte in text[0].encode()]
        text = text[len(word) or 1 :]
    return ids


@given(tokens=tokens_of_bytes(), stops=STOPS)
def test_stops_behind_runs_of_bytes_are_found(tokens, stops):
    decode = DECODERS["sentencepiece"]
    assert watched_cut(tokens, stops, decode) == first_cut(tokens, stops, decode)


@pytest.mark.parametrize(
    ("text", "stop"),
    [("龘龘\nQ", "\n"), ("❤️\n", "\n"), ("龘龘\n\nQ", "\n\n"), ("龘龘龘龘你好x", "你好")],
)
def test_a_stop_within_a_run_of_bytes_is_found_with_its_last_byte(text, stop):
    tokens = [258, *(1 + byte for byte in text.encode())]
    found = watched_cut(tokens, (stop,), DECODERS["sentencepiece"])
    count = 1 + len(text[: text.index(stop) + len(stop)].encode())
    assert found == (count, DECODERS["sentencepiece"]([258]) + text[: text.index(stop)])
