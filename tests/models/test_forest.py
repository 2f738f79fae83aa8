"""Forest rows: each beginning once, and every token is seen by what descends from it."""

import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.models.batching import Budget
from bench.models.blocks import cut
from bench.models.forest import PART, fill, plant, positions_of
from bench.models.model import Encoded

TOKENS = st.integers(0, 2)  # few, so that much is shared
IDS = st.lists(TOKENS, min_size=1, max_size=7).map(tuple)
ITEMS = st.lists(
    st.builds(Encoded, IDS, st.lists(IDS, min_size=1, max_size=3).map(tuple)),
    min_size=1,
    max_size=6,
)
CPU = torch.device("cpu")


def seen_by(row, token: int) -> list[int]:
    """The tokens of the row that `token` sees, in order, as their ids."""
    return [row.ids[place] for place in range(token + 1) if token < row.stops[place]]


def beginnings(items) -> set[tuple[int, ...]]:
    read = [item.prompt + branch[:-1] for item in items for branch in item.continuations]
    return {sequence[:end] for sequence in read for end in range(1, len(sequence) + 1)}


@given(items=ITEMS)
def test_every_beginning_stands_once(items):
    row = plant(items)
    written = [tuple(seen_by(row, token)) for token in range(len(row.ids))]
    assert len(written) == len(set(written))
    assert set(written) == beginnings(items)
    assert row.places == [len(seen) - 1 for seen in written]


@given(items=ITEMS)
def test_each_token_is_predicted_where_exactly_what_is_before_it_is_seen(items):
    row = plant(items)
    for item, branches in zip(items, row.predicting, strict=True):
        for branch, predicting in zip(item.continuations, branches, strict=True):
            for number, token in enumerate(predicting):
                assert tuple(seen_by(row, token)) == item.prompt + branch[:number]
            assert len(predicting) == len(branch)


@given(items=ITEMS, prefix=IDS)
def test_a_row_behind_a_prefix_is_the_row_without_it_further_on(items, prefix):
    behind = [Encoded(prefix + item.prompt, item.continuations) for item in items]
    bare, row = plant(items), plant(behind, len(prefix))
    assert (row.ids, row.stops, row.predicting) == (bare.ids, bare.stops, bare.predicting)
    assert row.places == [place + len(prefix) for place in bare.places]


@given(items=ITEMS, tokens=st.integers(1, 40), positions=st.integers(1, 20))
def test_rows_hold_every_item_once_within_their_bounds(items, tokens, positions):
    rows = list(fill(items, 0, Budget(tokens, positions, rows=1)))
    assert sorted(place for row in rows for place in row) == list(range(len(items)))
    for row in rows:
        chosen = [items[place] for place in row]
        if len(row) > 1:
            assert len(plant(chosen).ids) <= tokens
            assert sum(map(positions_of, chosen)) <= positions


@given(lengths=st.lists(st.integers(1, 60), min_size=12, max_size=40), parts=st.integers(1, 3))
def test_rows_are_even_and_a_multiple_of_the_parts(lengths, parts):
    items = [Encoded((number, *range(length)), ((1,),)) for number, length in enumerate(lengths)]
    total = sum(lengths) + len(lengths)
    assume(total >= parts * PART)
    rows = list(fill(items, 0, Budget(10_000, 10_000, rows=1), parts))
    assert len(rows) == parts
    for row in rows:
        held = sum(1 + lengths[place] for place in row)
        assert abs(held - total / parts) <= max(lengths) + 1


def test_similar_prompts_come_to_stand_in_one_row():
    items = [
        Encoded((subject, *range(10, 20), question), ((1,),))
        for question in (3, 4)
        for subject in (7, 8)
    ]
    assert list(fill(items, 0, Budget(13, 100, rows=1))) == [[0, 2], [1, 3]]


@given(items=ITEMS, prefix=st.integers(0, 3), width=st.integers(1, 9))
def test_blocks_cover_a_row_and_hide_what_a_token_does_not_see(items, prefix, width):
    row = plant(items)
    blocks = cut(row, prefix, CPU, width)
    assert [token for block in blocks for token in range(block.start, block.stop)] == list(
        range(len(row.ids))
    )
    for block in blocks:
        assert block.stop - block.start <= width
        keys = torch.arange(prefix + len(row.ids))[block.keys].tolist()
        for token, hidden in zip(range(block.start, block.stop), block.hidden, strict=True):
            seen = [
                key - prefix for key, hides in zip(keys, hidden.tolist(), strict=True) if not hides
            ]
            below = [place for place in range(token + 1) if token < row.stops[place]]
            assert seen == [*range(-prefix, 0), *below]


def test_blocks_are_cut_where_prompts_part():
    items = [Encoded((1, token, *range(10, 16)), ((1,),)) for token in (2, 3, 4)]
    blocks = cut(plant(items), 0, CPU, width=10)
    assert [(block.start, block.stop) for block in blocks] == [(0, 8), (8, 15), (15, 22)]
    assert blocks[0].keys == slice(0, 8)
    assert blocks[1].keys.tolist() == [0, *range(8, 15)]
