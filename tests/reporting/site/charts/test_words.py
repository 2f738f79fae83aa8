"""Texts that fit, numbers as they are printed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.site.charts.words import (
    SIGN,
    SIZE,
    STOP,
    brief,
    clean,
    compact,
    escaped,
    finite,
    fitted,
    p_text,
    plain,
    several,
    width_of,
    wrapped,
)
from tests.reporting.site.charts.samples import HOSTILE, parsed


@given(st.text(max_size=300), st.floats(20, 400))
def test_a_fitted_text_is_no_wider_than_its_room(text, room):
    assert width_of(fitted(text, room)) <= room + 1e-9


@given(st.text(max_size=20))
def test_a_text_that_has_room_stays_whole(text):
    assert fitted(text, 20 * 1.05 * SIZE + 1) == clean(text)


def test_a_long_name_keeps_both_its_ends():
    name = fitted("organisation/" + "x" * 200 + "-ppo-ptx", 150)
    assert name.startswith("organisation")
    assert name.endswith("-ppo-ptx")
    assert "…" in name


@given(st.text(max_size=200), st.floats(60, 400))
def test_wrapped_lines_fit_and_leave_no_short_word_out(text, room):
    lines = wrapped(text, room)
    assert all(width_of(line) <= room + 1e-9 for line in lines)
    short = [word for word in clean(text).split(" ") if word and width_of(word) <= room]
    whole = [word for word in short if not re.search(f"[{SIGN}{STOP}]", word)]
    assert all(word in " ".join(lines).split(" ") for word in whole)


@given(st.text(max_size=60))
def test_any_escaped_text_is_well_formed_xml(text):
    written = escaped(text)
    assert parsed(f'<a b="{written}">{written}</a>').text == (clean(text) or None)


def test_hostile_text_is_neither_markup_nor_reordered():
    written = escaped(HOSTILE)
    assert not set(written) & set('<>"\x00\u202e\ufffe')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300, None])
def test_what_cannot_be_drawn_is_missing(value):
    assert finite(value) is None


@pytest.mark.parametrize(("value", "text"), [(61.34, "61.3"), (-0.04, "0.0"), (-2.0, "−2.0")])
def test_plain_numbers_have_one_decimal(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (135e6, "135M"),
        (1.3e9, "1.3B"),
        (175e9, "175B"),
        (999_999, "1M"),
        (2000, "2k"),
        (42.5, "42.5"),
        (-3500, "−3.5k"),
    ],
)
def test_counts_are_written_with_a_unit(value, text):
    assert compact(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(None, "none"), (0.0001, "<0.001"), (0.0314, "0.031"), (1.0, "1.000")]
)
def test_a_p_value_is_never_zero_and_a_missing_one_is_a_word(p, text):
    assert p_text(p) == text


def test_a_sentence_names_six_and_counts_the_rest():
    assert several([str(at) for at in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"


def test_a_name_of_two_hundred_characters_is_cut_in_a_sentence():
    assert len(brief("x" * 200)) < 70
