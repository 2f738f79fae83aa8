"""The ragged cache holds what was put into it, in place, whoever comes and goes."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DynamicCache

from bench.models.ragged import RaggedCache

HEADS, DIM, LAYERS = 2, 3, 2


def read(lengths, seed: int) -> DynamicCache:
    """Rows that were read together, padded on the right."""
    made = torch.Generator().manual_seed(seed)
    cache = DynamicCache()
    for layer in range(LAYERS):
        shape = (len(lengths), HEADS, max(lengths), DIM)
        cache.update(torch.randn(shape, generator=made), torch.randn(shape, generator=made), layer)
    return cache


def rows_of(cache: RaggedCache, layer: int):
    """What a step sees of each row: its keys where the mask shows them, the new one included."""
    seen = cache.extend().bool()
    rows = len(cache.lengths)
    new = torch.full((rows, HEADS, 1, DIM), float(layer))
    for number in range(LAYERS):
        keys, values = cache.update(new, new + 1, number)
        if number == layer:
            found = [(keys[row][:, seen[row]], values[row][:, seen[row]]) for row in range(rows)]
    cache.written()
    return found


@given(
    events=st.lists(
        st.one_of(
            st.tuples(st.just("place"), st.integers(1, 30)),
            st.tuples(st.just("drop"), st.integers(0, 9)),
            st.tuples(st.just("step"), st.integers(0, LAYERS - 1)),
        ),
        max_size=25,
    )
)
def test_rows_see_their_own_tokens_and_no_others(events):
    cache = RaggedCache(read([1], 0), widest=200)
    known: list[list[tuple[torch.Tensor, torch.Tensor]]] = []  # by lane, by layer
    for number, (event, value) in enumerate(events):
        if event == "place" and cache.reserve(len(known) + 1) > len(known):
            group = read([value, value + 3], number)
            columns = slice(1, value + 1) if value % 2 else torch.arange(1, value + 1)
            cache.place(group, number % 2, columns, value)
            known.append(
                [
                    (keys[number % 2, :, 1 : value + 1], values[number % 2, :, 1 : value + 1])
                    for keys, values, _ in group
                ]
            )
        elif event == "drop" and known:
            lane = value % len(known)
            cache.drop(lane)
            known[lane] = known[-1]
            known.pop()
        elif event == "step" and known:
            found = rows_of(cache, value)
            for row, (keys, values) in zip(known, found, strict=True):
                for layer in range(LAYERS):
                    new = torch.full((HEADS, 1, DIM), float(value))
                    row[layer] = tuple(
                        torch.cat([part, more], 1)
                        for part, more in zip(row[layer], (new, new + 1), strict=True)
                    )
                assert torch.equal(keys, row[value][0])
                assert torch.equal(values, row[value][1])
    assert cache.lengths == [row[0][0].shape[1] for row in known]


def test_room_for_rows_is_made_in_leaps():
    cache = RaggedCache(read([1], 0), widest=9)
    assert [cache.reserve(rows) for rows in (0, 1, 4, 5, 3, 6, 7)] == [0, 1, 4, 4, 4, 6, 6]


def test_tokens_are_written_in_place():
    """Room is made anew a few times, not with every token."""
    cache = RaggedCache(read([1], 0), widest=400)
    cache.reserve(3)
    for row, length in enumerate((20, 9, 3)):
        cache.place(read([20, 9, 3], 1), row, slice(length), length)
    places = set()
    for _ in range(300):
        rows_of(cache, 0)
        places.add((cache.columns, cache.layers[0].all_keys.data_ptr()))
    assert len(places) <= 15
    assert cache.columns < 1.25 * max(cache.lengths)


def test_room_gets_smaller_when_the_longest_row_has_left():
    cache = RaggedCache(read([1], 0), widest=400)
    cache.reserve(2)
    cache.place(read([300], 1), 0, slice(300), 300)
    cache.place(read([10], 2), 0, slice(10), 10)
    cache.drop(0)
    rows_of(cache, 0)
    assert cache.columns < 40
    assert cache.lengths == [11]


def test_rows_lie_without_gaps_and_are_no_wider_than_the_widest_may_be():
    cache = RaggedCache(read([1], 0), widest=31)
    cache.reserve(4)
    for row, length in enumerate((30, 5)):
        cache.place(read([30, 5], 1), row, slice(length), length)
    cache.extend()
    keys, _ = cache.update(*2 * (torch.zeros(2, HEADS, 1, DIM),), 0)
    assert keys.is_contiguous()
    assert keys.shape == (2, HEADS, 31, DIM)
