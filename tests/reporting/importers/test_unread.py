"""Which key paths of a source nobody reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.importers.unread import unread

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "read", "paths"),
    [
        ({"a": 1, "b": 2}, {"a"}, {"b"}),
        ({"a": {"b": 1, "c": 2}}, {"a"}, set()),
        ({"a": {"b": 1, "c": 2}}, {"a.b"}, {"a.c"}),
        ({"a": {"b": 1}}, {"x"}, {"a"}),
        ({"a": [{"b": 1}, {"c": 2}]}, {"a.b"}, {"a.c"}),
        ({"a": {"x": {"b": 1, "c": 2}, "y": {"c": 3}}}, {"a.*.b"}, {"a.*.c"}),
        ({"a": {"x": {"b": 1}, "y": 2}}, {"a.*.b", "a.y"}, set()),
        ({"a": None, "b": "", "c": [], "d": {}}, set(), set()),
        ({"a": 0, "b": False}, set(), {"a", "b"}),
        ({"a": {"b.c": 1, "d": 2}}, {"a.b.c"}, {"a.d"}),
    ],
)
def test_paths_are_the_shortest_of_which_nothing_is_read(value, read, paths):
    assert unread(value, frozenset(read)) == paths


@given(st.dictionaries(st.sampled_from("abcd"), VALUES), st.sets(st.text("abcd.", max_size=4)))
def test_what_is_reported_is_missed_no_more_once_it_is_read_too(value, read):
    missed = unread(value, frozenset(read))
    assert unread(value, frozenset(read | missed)) == set()
