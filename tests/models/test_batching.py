"""Batches: everything once, longest first, within the budget."""

from hypothesis import given
from hypothesis import strategies as st

from bench.models.batching import Budget, batches, common_prefix

ITEMS = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 10)), max_size=40)
BUDGETS = st.builds(Budget, st.integers(1, 200), st.integers(1, 40), st.integers(1, 10))
SEQUENCES = st.lists(st.lists(st.integers(0, 2), max_size=6).map(tuple), max_size=5)


@given(items=ITEMS, budget=BUDGETS)
def test_every_item_is_in_one_batch_longest_first(items, budget):
    lengths = [length for length, _ in items]
    made = list(batches(lengths, [positions for _, positions in items], budget))
    order = [place for batch in made for place in batch]
    assert sorted(order) == list(range(len(items)))
    assert all(made)
    assert [lengths[place] for place in order] == sorted(lengths, reverse=True)


@given(items=ITEMS, budget=BUDGETS)
def test_a_batch_of_several_items_keeps_to_the_budget(items, budget):
    lengths, positions = [length for length, _ in items], [count for _, count in items]
    for batch in batches(lengths, positions, budget):
        if len(batch) > 1:
            assert len(batch) * max(lengths[place] for place in batch) <= budget.tokens
            assert sum(positions[place] for place in batch) <= budget.positions
            assert len(batch) <= budget.rows


def test_equal_items_fill_the_budget():
    budget = Budget(tokens=100, positions=1000, rows=1000)
    assert [len(batch) for batch in batches([10] * 25, [1] * 25, budget)] == [10, 10, 5]


@given(sequences=SEQUENCES)
def test_the_common_prefix_is_the_longest_that_all_share(sequences):
    found = common_prefix(sequences)
    assert len({sequence[:found] for sequence in sequences}) <= 1
    if sequences and found < min(map(len, sequences)):
        assert len({sequence[: found + 1] for sequence in sequences}) > 1
