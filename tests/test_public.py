"""The public names of `bench`, exactly, and how little importing it costs."""

import subprocess
import sys

import pytest

import bench

HEAVY = ("torch", "transformers", "pydantic", "numpy", "rich", "typer")


def test_all_lists_exactly_the_names_that_have_a_home():
    assert bench.__all__ == sorted(bench._HOME)


@pytest.mark.parametrize("name", bench.__all__)
def test_a_public_name_comes_from_its_home_and_is_documented(name):
    value = getattr(bench, name)
    assert value.__module__ == bench._HOME[name]
    assert value.__doc__


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'bench' has no attribute 'evalute'"):
        _ = bench.evalute


def test_importing_bench_loads_nothing_heavy():
    code = f"import sys, bench; print(sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
