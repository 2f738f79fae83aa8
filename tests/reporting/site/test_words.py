"""Foreign text on a page: lines stay, what hides goes, long texts are cut, differences add up."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.export import HIDES
from bench.reporting.site.words import (
    MOST_CHARACTERS,
    MOST_TOKENS,
    compared,
    differences,
    harmless,
    is_long,
    readable,
)

sentences = st.lists(st.sampled_from(["a", "red", "fox", "。", "狐狸", ",", "\n"]), max_size=30)


@given(sentences, sentences)
def test_the_parts_of_a_difference_give_back_both_texts(one, other):
    before, after = " ".join(one), " ".join(other)
    parts = differences(before, after)
    assert "".join(part.text for part in parts if part.kind != "added") == before
    assert "".join(part.text for part in parts if part.kind != "removed") == after


def test_equal_texts_have_no_difference():
    assert [part.kind for part in differences("a red fox", "a red fox")] == ["same"]


def test_chinese_is_compared_sign_by_sign():
    assert compared("今天天气好", "今天天气很好") == "今天天气<ins>很</ins>好"


def test_markup_in_a_text_is_text():
    told = compared("<b>x</b>", "<script>x</script>")
    assert re.sub(r"</?(ins|del)>", "", told).count("<") == 0


@given(st.text(max_size=60))
def test_nothing_that_hides_or_reorders_is_left(text):
    assert not HIDES.search(harmless(text).replace("\n", ""))


def test_lines_stay_whatever_ends_them():
    assert harmless("a\r\nb\rc\u2028d\n\te") == "a\nb\nc\nd\n    e"
    assert harmless("x\u202ey\0z") == "x\ufffdy\ufffdz"


def test_a_text_that_is_too_long_is_cut_and_its_length_kept():
    found = readable("x" * 1_000_000)
    assert (len(found.shown), found.characters, found.is_cut) == (MOST_CHARACTERS, 1_000_000, True)
    assert not readable("short").is_cut


def test_long_texts_are_compared_at_their_beginnings():
    text = "word " * MOST_TOKENS
    assert is_long(text)
    assert not is_long("word " * 10)
    assert "<ins>" in compared(text, "first " + text)
