"""Targets on the Hub: what is read, and what is said of the rest."""

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.reporting.hub.target import Target, is_repo_id, parse_target


@pytest.mark.parametrize(
    ("text", "kind", "repo"),
    [
        ("hf://spaces/org/board", "space", "org/board"),
        ("hf://datasets/org/results", "dataset", "org/results"),
        ("hf://org/model-1.5_b", "model", "org/model-1.5_b"),
        ("hf://models/org/model", "model", "org/model"),
        ("hf://spaces/org/board/", "space", "org/board"),
    ],
)
def test_a_target_is_read(text, kind, repo):
    assert parse_target(text) == Target(kind, repo)
    assert parse_target(str(parse_target(text))) == Target(kind, repo)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("org/board", "begin with hf://"),
        ("https://huggingface.co/org/board", "begin with hf://"),
        ("hf://space/org/board", "did you mean spaces?"),
        ("hf://spaces/board", "1 names behind the kind"),
        ("hf://board", "expected ORG/NAME"),
        ("hf://", "expected ORG/NAME"),
        ("hf://spaces/org/board/index.html", "3 names behind the kind"),
        ("hf://org/board@main", "is no name on the Hub"),
        ("hf://org/a--b", "is no name on the Hub"),
        ("hf://../etc", "is no name on the Hub"),
    ],
)
def test_what_is_no_target_is_an_error_that_says_why(text, told):
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert told in str(caught.value)


@given(st.from_regex(r"[a-z0-9._-]{1,8}/[A-Za-z0-9._-]{1,99}", fullmatch=True))
def test_a_name_that_is_accepted_is_accepted_by_the_client_too(text):
    try:
        validate_repo_id(text)
    except HFValidationError:
        assert not is_repo_id(text)
