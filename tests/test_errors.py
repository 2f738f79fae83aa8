"""Errors: cause and remedy in two lines, whole after a process boundary; names that are close."""

import errno
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import errors
from bench.errors import BenchError, TaskError, did_you_mean, write_remedy

KINDS = [errors.TaskError, errors.ModelError, errors.RunError, errors.SandboxError]
KINDS += [errors.UsageError]


def test_an_error_reads_as_cause_and_remedy():
    assert str(TaskError("a.yaml: no such file", "bench new a")) == (
        "a.yaml: no such file\n  try: bench new a"
    )


def test_an_error_without_a_remedy_is_its_cause():
    assert str(TaskError("a.yaml: no such file")) == "a.yaml: no such file"


@pytest.mark.parametrize("kind", KINDS)
def test_every_expected_failure_is_a_bench_error(kind):
    assert issubclass(kind, BenchError)
    with pytest.raises(BenchError):
        raise kind("cause")


@pytest.mark.parametrize("kind", [BenchError, *KINDS])
def test_an_error_keeps_its_parts_across_processes(kind):
    error = pickle.loads(pickle.dumps(kind("cause", "remedy")))
    assert type(error) is kind
    assert (error.cause, error.remedy, str(error)) == ("cause", "remedy", "cause\n  try: remedy")


def test_every_child_is_drawn_in_the_docstring():
    for kind in KINDS:
        assert kind.__name__ in (errors.__doc__ or "")
    assert {kind.__name__ for kind in BenchError.__subclasses__()} == {
        kind.__name__ for kind in KINDS
    }


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("promt", ["prompt", "title"], "did you mean prompt?"),
        ("tests", ["test", "train", "tester"], "did you mean test or tester?"),
        ("xyz", ["prompt", "title"], "known: prompt, title"),
        ("xyz", [], "none is known"),
        ("xyz", [f"a{number}" for number in range(20)], ", ..."),
    ],
)
def test_a_wrong_name_gets_the_nearest_or_the_list(name, known, said):
    assert did_you_mean(name, known).endswith(said)


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_a_known_name_is_always_among_the_nearest(known, data):
    name = data.draw(st.sampled_from(known))
    assert name in did_you_mean(name, known)


@pytest.mark.parametrize("number", [errno.ENOTDIR, errno.EACCES, errno.EROFS, errno.ENAMETOOLONG])
def test_space_does_not_help_where_the_place_is_wrong(number):
    remedy = write_remedy(OSError(number, "no"))
    assert remedy == "choose another folder with -o, then run the same command again"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_space_helps_where_there_is_none(number):
    assert write_remedy(OSError(number, "no")).startswith("free some space or choose another")
