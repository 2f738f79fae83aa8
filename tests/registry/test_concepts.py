"""types.py: the shared concepts are values, and the examples in the room's docstrings are true."""

import dataclasses
import doctest
import importlib
import pickle

import pytest

from bench import types
from bench.types import Reply, Turn

CONCEPTS = [value for value in vars(types).values() if dataclasses.is_dataclass(value)]
DOCUMENTED = ["bench.errors", "bench.types", "bench.registry.prompt", "bench.registry.render"]


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.__name__)
def test_a_concept_is_frozen(concept):
    assert concept.__dataclass_params__.frozen
    assert "__slots__" in vars(concept)


def test_values_are_equal_by_content_and_survive_another_process():
    reply = Reply(text="a", logprobs=(-1.0,))
    assert pickle.loads(pickle.dumps(reply)) == reply == Reply(text="a", logprobs=(-1.0,))
    assert Turn("user", "a") != Turn("user", "b")


def test_a_reply_is_empty_until_something_is_said():
    assert (Reply().text, Reply().logprobs, Reply().error) == (None, (), None)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_examples_in_docstrings_are_true(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
