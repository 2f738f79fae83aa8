"""The least work of requests, against sets of token sequences."""

from hypothesis import given
from hypothesis import strategies as st

from bench.models.model import Encoded
from tests.speed.common.roofline import Shape, Work, work_of

SHAPE = Shape(
    layer_parameters=1000, weight_bytes=8000, vocabulary=7, width=10, layers=3, cache_bytes=1
)
ids = st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple)
items = st.builds(Encoded, ids, st.lists(ids, min_size=1, max_size=3).map(tuple))


@given(st.lists(items, min_size=1, max_size=4))
def test_tokens_are_counted_once_for_each_different_beginning(asked):
    read, wanted = set(), set()
    for item in asked:
        for branch in item.continuations:
            whole = item.prompt + branch
            read |= {whole[:end] for end in range(1, len(whole))}
            wanted |= {whole[:end] for end in range(len(item.prompt), len(whole))}
    tokens, positions = len(read), len(wanted)
    attention = 4 * 10 * 3 * sum(map(len, read))
    flops = 2 * 1000 * tokens + attention + 2 * 10 * 7 * positions
    assert work_of(asked, SHAPE) == Work(tokens, positions, flops)


def test_a_prompt_is_one_for_its_choices_and_a_prefix_one_for_all_prompts():
    shared = tuple(range(100, 150))
    asked = [Encoded((*shared, row), ((1, 2), (3, 4), (5,))) for row in range(4)]
    assert work_of(asked, SHAPE).tokens == 50 + 4 * (1 + 2)
    assert work_of(asked, SHAPE).positions == 4 * (1 + 2)
