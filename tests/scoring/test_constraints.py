"""Verifiable instructions: every kind with replies that keep and break it, and invariants."""

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TaskError
from bench.scoring.constraints import CONSTRAINTS, check_constraint, loose, satisfied, strict
from bench.scoring.text_measures import sentence_count

Parameters = Mapping[str, object]

# kind, parameters, replies that satisfy it, replies that do not
CASES: list[tuple[str, Parameters, list[str], list[str]]] = [
    (
        "min_words",
        {"n": 3},
        ["one two three", "a well-known old song"],
        ["one two", "-- one - two"],
    ),
    ("max_words", {"n": 3}, ["one - two - three", "Yes."], ["one two three four", "a b c 4"]),
    ("exact_words", {"n": 2}, ["Hello, world!", "so -- what?"], ["Hello", "Hello big world"]),
    ("max_characters", {"n": 5}, ["  abcde\n", "你好世界"], ["abcdef", "a b c d"]),
    ("sentences", {"n": 2}, ["Dr. Lee left. Why?", "你好。我来了。"], ["One.", "A b. C d. E f."]),
    ("sentences", {"n": 2, "how": "at least"}, ["A b! C d? E f.", "Hi. Bye"], ["One", "3.5 km"]),
    ("paragraphs", {"n": 2}, ["a\n\nb", "a\nb\n \n\nc\n"], ["a\nb", "a\n\nb\n\nc"]),
    (
        "paragraphs",
        {"n": 2, "how": "at most"},
        ["a", "a\n\nb"],
        ["a\n\nb\n\nc", "1\n\n2\n\n3\n\n4"],
    ),
    ("lines", {"n": 3}, ["a\nb\nc", "a\n\nb\nc\n"], ["a b c", "a\nb\nc\nd"]),
    ("lines", {"n": 2, "how": "at least"}, ["a\nb", "a\nb\nc"], ["a", "a\n\n"]),
    ("bullets", {"n": 2}, ["- a\n- b", "List:\n * a\n * b"], ["- a", "-a\n-b", "- a\n- b\n- c"]),
    ("bullets", {"n": 2, "how": "at least"}, ["- a\n* b", "- a\n- b\n- c"], ["- a", "- \n- a"]),
    (
        "numbered_list",
        {"n": 2},
        ["1. a\n2. b", "So:\n 1) a\n 2) b"],
        ["1. a", "2. a\n1. b", "1 a\n2 b"],
    ),
    ("keywords", {"words": ["cat", "sea"]}, ["The CAT, at sea.", "sea-cat"], ["cats sea", "cat"]),
    ("keywords", {"words": ["春天"]}, ["在春天里", "春天"], ["春 天", "夏天"]),
    ("keywords", {"words": ["New York"]}, ["in new\nyork", "New York's"], ["Newyork", "York, New"]),
    ("forbidden_words", {"words": ["very"]}, ["every day", "good"], ["Very good", "so very, very"]),
    (
        "keyword_count",
        {"word": "go", "n": 2},
        ["Go, go!", "go to Go"],
        ["go", "go going", "go go go"],
    ),
    (
        "keyword_count",
        {"word": "go", "n": 1, "how": "at most"},
        ["go", "gone"],
        ["go go", "go, Go, go"],
    ),
    ("letter_count", {"letter": "e", "n": 2}, ["Eve", "café tale"], ["eel e", "oak"]),
    ("letter_count", {"letter": "Z", "n": 2, "how": "at least"}, ["jazz", "zzz"], ["zoo", "sea"]),
    ("no_letter", {"letter": "e"}, ["A big dog", "Oak"], ["Eve", "café"]),
    ("all_lowercase", {}, ["hi, you 2", "café"], ["Hi", "123"]),
    ("all_uppercase", {}, ["HI, YOU 2", "CAFÉ"], ["Hi", "123"]),
    (
        "title_case",
        {},
        ["New Shoes for the Road", '"A Day in 3D"'],
        ["NEW SHOES", "New shoes", "the End"],
    ),
    ("capital_words", {"n": 1}, ["I saw NASA", "WOW! a plan"], ["I saw A cat", "STOP IT"]),
    ("capital_words", {"n": 1, "how": "at most"}, ["I see", "OK then"], ["OK YES", "A BIG DOG"]),
    (
        "starts_with",
        {"text": "Dear Tom"},
        ["dear  Tom, hi", "\nDear Tom"],
        ["Dear Tommy", "Oh dear Tom"],
    ),
    ("starts_with", {"text": "我"}, ["我们走", "我 走"], ["他走", "“我”走"]),
    ("ends_with", {"text": "day"}, ["A good day", "(the Day.)\n"], ["on Monday", "day off"]),
    (
        "ends_with",
        {"text": "isn't it?"},
        ["Nice, isn\u2019t it?", "Isn't it? "],
        ["isn't it", "is it?"],
    ),
    ("ends_with", {"text": "?"}, ["谁\uff1f", 'He said "why?"'], ["why", "why? ok"]),
    ("contains_text", {"text": "5-6 p.m."}, ["At 5-6 P.M. sharp", "5-6 p.m."], ["5-6 pm", "at 5"]),
    ("no_commas", {}, ["a b", "a; b"], ["a, b", "你好\uff0c世界", "苹果、梨"]),
    ("no_digits", {}, ["two", "ten-ish"], ["2", "room 12b"]),
    ("numbers", {"n": 2}, ["3.5 and 1,000", "10:30 to 11"], ["two", "1 2 3"]),
    ("numbers", {"n": 1, "how": "at least"}, ["in 1969", "1 2 3"], ["one", "no date"]),
    ("json", {}, ['{"a": 1}', "```json\n[]\n```"], ["'a'", '"a"', "{a: 1}", '{"a": NaN}']),
    (
        "json",
        {"keys": ["a", "b"]},
        ['{"a": 1, "b": 2, "c": 3}', '[{"a": 1, "b": 2}]'],
        ['{"a": 1}', "[]", '["a", "b"]', '{"a": 1, "b": 2} done'],
    ),
    (
        "json",
        {"n": 2},
        ["[1, 2]", '[{"a": 1},\n {"b": 2}]'],
        ['{"a": 1, "b": 2}', "[1]", "[[1, 2]]"],
    ),
    (
        "quoted",
        {},
        ['"Just do it now."', "“Hello”"],
        ['"Hello" he said', '""', '"a" and "b"', "'a'"],
    ),
    ("placeholders", {"n": 2}, ["Dear [name], [date]", "[a][b c]"], ["[name]", "[] [ ] [a]"]),
    (
        "placeholders",
        {"n": 2, "how": "at least"},
        ["[a] [b] [c]", "[a] or [b]"],
        ["[a]", "(a) (b)"],
    ),
    ("titled", {}, ["<<Rain>>\nIt fell.", "A << b >>"], ["<Rain>", "<< >>", "<<Ra\nin>>"]),
    (
        "postscript",
        {},
        ["Bye.\n\nP.S. Call me", "Bye.\np.s.: hi"],
        ["P.S. Hi", "Bye. P.S. hi", "Bye\nP.S."],
    ),
    (
        "two_answers",
        {},
        ["yes\n******\nno", "a ****** b"],
        ["a", "a******a", "a ***** b", "a ****** b ****** c", "****** b"],
    ),
    (
        "language",
        {"language": "zh"},
        ["你好世界", "我在用 C 语言"],
        ["hello", "Translation: 你好", "123"],
    ),
    ("language", {"language": "en"}, ["Good day", "naïve: 好"], ["你好", "да, конечно", "42"]),
    ("highlights", {"n": 1}, ["a *b c* d", "**bold** x"], ["* a\n* b", "2 * 3 * 4", "*a* *b*"]),
    (
        "highlights",
        {"n": 2, "how": "at least"},
        ["*a* **b**", "- *a b*\n- *c*"],
        ["*a*", "** a **"],
    ),
    ("yes_or_no", {}, ["Yes", " no.\n"], ["Yes, it is", "maybe", "yes no"]),
    (
        "one_of",
        {"options": ["red", "dark blue"]},
        ["Red.", '"dark blue"'],
        ["blue", "It is red", "red, dark blue"],
    ),
]
KEPT = [(kind, given, text) for kind, given, kept, _ in CASES for text in kept]
BROKEN = [(kind, given, text) for kind, given, _, broken in CASES for text in broken]


@pytest.mark.parametrize(("kind", "parameters", "text"), KEPT)
def test_a_reply_that_keeps_the_constraint_passes(
    kind: str, parameters: Parameters, text: str
) -> None:
    assert check_constraint(text, {"kind": kind, **parameters})


@pytest.mark.parametrize(("kind", "parameters", "text"), BROKEN)
def test_a_reply_that_breaks_the_constraint_fails(
    kind: str, parameters: Parameters, text: str
) -> None:
    assert not check_constraint(text, {"kind": kind, **parameters})


@pytest.mark.parametrize("cases", [KEPT, BROKEN], ids=["kept", "broken"])
def test_every_kind_has_two_cases(cases: list[tuple[str, Parameters, str]]) -> None:
    counts = Counter(kind for kind, _, _ in cases)
    assert counts.keys() == CONSTRAINTS.keys()
    assert min(counts.values()) >= 2


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We met J. K. Rowling at 9 a.m. today, e.g. for tea.", 1),
        ("We left at 9 a.m. Nobody saw us.", 2),
        ('"Stop!" he said. "Why?"', 3),
        ("1. Mix.\n2. Bake.", 2),
        ("Dear all\n\nWe are closed", 2),
        ("So did I. Then we ate etc.", 2),
        ("Great! 🎉 ...", 1),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: int) -> None:
    assert sentence_count(text) == sentences


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ({"kind": "min_word", "n": 3}, "kind: found 'min_word'.*did you mean.*min_words"),
        ({"n": 3}, "kind: found None"),
        ({"kind": "min_words"}, "n: missing.*give a whole number"),
        ({"kind": "min_words", "n": "3"}, "n: found '3'.*give a whole number"),
        ({"kind": "min_words", "n": True}, "n: found True"),
        ({"kind": "min_words", "n": -1}, "n: found -1"),
        ({"kind": "no_commas", "n": 1}, "n: not a parameter of this kind.*none is known"),
        ({"kind": "keywords", "word": ["a"]}, "word: not a parameter.*did you mean words"),
        ({"kind": "keywords", "words": "a"}, "words: found 'a'.*give a non-empty list"),
        ({"kind": "keywords", "words": []}, "words: found"),
        ({"kind": "no_letter", "letter": "ee"}, "letter: found 'ee'.*give one letter"),
        ({"kind": "starts_with", "text": " "}, "text: found ' '.*give a non-blank string"),
        ({"kind": "sentences", "n": 1, "how": "about"}, "how: found 'about'.*give 'exactly'"),
        ({"kind": "language", "language": "fr"}, "language: found 'fr'.*give 'en' or 'zh'"),
    ],
)
def test_a_wrong_constraint_is_an_error_that_says_what_was_expected(
    constraint: Mapping[str, object], message: str
) -> None:
    with pytest.raises(TaskError, match=f"(?s){message}"):
        check_constraint("", constraint)


def test_no_constraints_is_an_error() -> None:
    with pytest.raises(TaskError, match="empty list"):
        strict("hello", [])


@pytest.mark.parametrize(
    ("text", "constraints"),
    [
        ("Sure, here it is:\nTea and toast", [{"kind": "no_commas"}]),
        ("Tea and toast\nHope that helps!", [{"kind": "ends_with", "text": "toast"}]),
        ("Sure!\n**Tea and toast**\nBye", [{"kind": "exact_words", "n": 3}]),
        ("**Yes**", [{"kind": "yes_or_no"}]),
        ("*a*, b\nc", [{"kind": "highlights", "n": 1}, {"kind": "no_commas"}]),
    ],
    ids=["opening", "closing", "both", "asterisks", "each constraint has its own variant"],
)
def test_loose_forgives_wrapping_that_strict_does_not(
    text: str, constraints: list[Mapping[str, object]]
) -> None:
    assert (strict(text, constraints), loose(text, constraints)) == (0.0, 1.0)


def test_loose_does_not_count_a_variant_that_is_blank() -> None:
    assert loose("a, b", [{"kind": "no_commas"}]) == 0.0


def test_satisfied_answers_in_the_order_of_the_constraints() -> None:
    constraints: list[Mapping[str, object]] = [
        {"kind": "no_digits"},
        {"kind": "max_words", "n": 2},
        {"kind": "no_commas"},
    ]
    assert satisfied("one two three", constraints) == [True, False, True]


CONSTRAINT_LISTS = st.lists(
    st.sampled_from([{"kind": kind, **given} for kind, given, _, _ in CASES]),
    min_size=1,
    max_size=3,
)
REPLIES = st.one_of(
    st.text(max_size=60),
    st.text('aAé ,.*-\n[]1"好', max_size=30),
    st.sampled_from([text for _, _, text in KEPT + BROKEN]),
)


@given(REPLIES, CONSTRAINT_LISTS)
def test_strict_never_exceeds_loose(text: str, constraints: list[Mapping[str, object]]) -> None:
    assert strict(text, constraints) <= loose(text, constraints)


@given(REPLIES, CONSTRAINT_LISTS, st.randoms(use_true_random=False))
def test_the_order_of_constraints_is_irrelevant(
    text: str, constraints: list[Mapping[str, object]], random: Random
) -> None:
    shuffled = random.sample(constraints, len(constraints))
    assert strict(text, shuffled) == strict(text, constraints)
    assert loose(text, shuffled) == loose(text, constraints)


@given(st.text(" \t\n\r\u3000", max_size=9), CONSTRAINT_LISTS)
def test_a_blank_reply_scores_zero(text: str, constraints: list[Mapping[str, object]]) -> None:
    assert strict(text, constraints) == loose(text, constraints) == 0.0


@given(REPLIES, CONSTRAINT_LISTS)
def test_another_constraint_never_raises_the_score(
    text: str, constraints: list[Mapping[str, object]]
) -> None:
    assert strict(text, constraints) <= strict(text, constraints[:1])
    assert loose(text, constraints) <= loose(text, constraints[:1])


@given(REPLIES, CONSTRAINT_LISTS)
def test_strict_holds_exactly_if_all_are_satisfied(
    text: str, constraints: list[Mapping[str, object]]
) -> None:
    assert strict(text, constraints) == float(all(satisfied(text, constraints)))


@given(REPLIES)
def test_space_around_a_reply_does_not_matter(text: str) -> None:
    for kind, parameters, _, _ in CASES:
        constraint = {"kind": kind, **parameters}
        assert check_constraint(f" {text.strip()}\n", constraint) == check_constraint(
            text.strip(), constraint
        )
