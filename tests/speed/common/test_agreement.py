"""A ratio is printed only where both programs answered alike."""

import pytest

from tests.speed.common.agreement import agreement

SCORES = [[-23.5434, -34.0631], [-15.3628, -16.4439]]
TEXTS = ["He has 18 eggs left.", "She sells 4.", "None.", "It takes 3 days.", "20"]


@pytest.mark.parametrize(
    ("dtype", "shift", "enough"),
    [("float32", 5e-4, True), ("float32", 5e-3, False), ("bfloat16", 0.2, True)],
)
def test_log_likelihoods_may_differ_by_the_rounding_of_the_arithmetic(dtype, shift, enough):
    shifted = [[score + shift for score in row] for row in SCORES]
    assert agreement(shifted, SCORES, dtype).enough is enough


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_answers_to_other_questions_are_never_alike(dtype):
    assert not agreement(SCORES[::-1], SCORES, dtype).enough


def test_fp32_log_likelihoods_must_all_be_alike():
    one_off = [SCORES[0], [SCORES[1][0], SCORES[1][1] - 0.01]]
    found = agreement(one_off, SCORES, "float32")
    assert (found.alike, found.furthest, found.enough) == (0.75, 0.01, False)


def test_most_texts_must_be_alike():
    assert agreement(["", *TEXTS[1:]], TEXTS, "float32").enough
    assert not agreement(["", "", "", *TEXTS[3:]], TEXTS, "float32").enough


def test_answers_to_fewer_requests_are_an_error():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        agreement(SCORES[:1], SCORES, "float32")
    with pytest.raises(ValueError, match=r"shorter|longer"):
        agreement([[-1.0]], [[-1.0, -2.0]], "float32")
