"""Layouts: whatever the shapes, each token stands where its network reads and predicts it."""

from itertools import count

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.training.networks.layout import Batch, Document, lay_out, micro_batches
from tests.training.built import documents

few = settings(max_examples=40)  # each looks at every token
LENGTHS = st.integers(1, 7)
SHAPES = st.lists(st.tuples(LENGTHS, st.lists(LENGTHS, min_size=1, max_size=4)), min_size=1)
REACHES = st.sampled_from([0, 12, 20, 35, 1000])


def distinct(shapes) -> list[Document]:
    """Documents in which no id stands twice; 0 is padding."""
    number = count(1)

    def ids(length: int) -> tuple[int, ...]:
        return tuple(next(number) for _ in range(length))

    return [Document("", ids(prompt), tuple(map(ids, replies))) for prompt, replies in shapes]


def pairs(chosen) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(document.prompt, reply) for document in chosen for reply in document.replies]


def seen_by(batch: Batch, place: int) -> dict[int, int]:
    """Id -> position of the tokens that the token at a flat place attends to."""
    row, column = divmod(place, batch.ids_RW.shape[1])
    if batch.places_RW is None:
        visible = batch.mask[row].bool() & (torch.arange(len(batch.mask[row])) <= column)
        positions = torch.arange(len(visible))
    else:
        visible = batch.mask[row, 0, column] == 0
        positions = batch.places_RW[row]
    return dict(zip(batch.ids_RW[row][visible].tolist(), positions[visible].tolist(), strict=True))


@few
@given(SHAPES, REACHES)
def test_every_reply_token_stands_once_in_the_grid(shapes, reach):
    chosen = distinct(shapes)
    batch = lay_out(chosen, reach)
    grid = batch.grid(batch.tokens_n)
    found = [row[mask].tolist() for row, mask in zip(grid, batch.mask_BT, strict=True)]
    assert found == [list(reply) for _, reply in pairs(chosen)]
    assert not grid[~batch.mask_BT].any()


@few
@given(SHAPES, REACHES)
def test_a_token_is_predicted_at_the_one_before_it(shapes, reach):
    chosen = distinct(shapes)
    batch = lay_out(chosen, reach)
    whole = [(*prompt, *reply)[-len(reply) - 1 : -1] for prompt, reply in pairs(chosen)]
    found = batch.ids_RW.flatten()[batch.predicting_n].tolist()
    assert found == [token for before in whole for token in before]


@few
@given(SHAPES, REACHES)
def test_the_last_position_is_that_of_the_last_token(shapes, reach):
    chosen = distinct(shapes)
    batch = lay_out(chosen, reach)
    ends = batch.ids_RW.flatten()[batch.last_B].tolist()
    assert ends == [reply[-1] for _, reply in pairs(chosen)]


@few
@given(SHAPES, REACHES)
def test_the_last_token_sees_its_prompt_and_its_reply_in_order_and_nothing_else(shapes, reach):
    chosen = distinct(shapes)
    batch = lay_out(chosen, reach)
    for place, (prompt, reply) in zip(batch.last_B.tolist(), pairs(chosen), strict=True):
        whole = (*prompt, *reply)
        assert seen_by(batch, place) == dict(zip(whole, range(len(whole)), strict=True))


@few
@given(SHAPES, REACHES)
def test_replies_are_numbered_by_document(shapes, reach):
    chosen = distinct(shapes)
    owners = [number for number, document in enumerate(chosen) for _ in document.replies]
    assert lay_out(chosen, reach).groups_B.tolist() == owners


@few
@given(SHAPES, st.integers(1, 60))
def test_packed_rows_hold_every_token_once_and_are_never_wider_than_the_reach(shapes, reach):
    chosen = distinct(shapes)
    batch = lay_out(chosen, reach)
    packed = all(document.length <= reach for document in chosen)
    assert (batch.places_RW is not None) == packed
    if packed:
        assert batch.ids_RW.shape[1] <= reach
        ids = sorted(batch.ids_RW[batch.ids_RW > 0].tolist())
        assert ids == list(range(1, sum(document.length for document in chosen) + 1))


def test_rows_are_filled_before_a_new_one_is_begun():
    batch = lay_out(documents([(100, (50,)), (60, (40,)), (50, (50,)), (20, (30,))]), reach=10**9)
    assert batch.ids_RW.shape == (2, 250)


def test_a_document_longer_than_the_usual_width_gets_the_row_it_needs():
    batch = lay_out(documents([(300, (50, 50)), (200, (50,))]), reach=10**9)
    assert batch.ids_RW.shape == (2, 400)


@few
@given(SHAPES, st.integers(1, 60))
def test_micro_batches_hold_every_document_once_within_the_budget(shapes, tokens):
    chosen = distinct(shapes)
    groups = micro_batches(chosen, tokens)
    assert sorted(place for group in groups for place in group) == list(range(len(chosen)))
    for group in groups:
        assert len(group) == 1 or sum(chosen[place].length for place in group) <= tokens


def test_micro_batches_run_long_documents_first():
    chosen = documents([(2, (1,)), (9, (9,)), (5, (1,)), (5, (1,))])
    assert micro_batches(chosen, 18) == [[1], [2, 3, 0]]


@pytest.mark.parametrize("reach", [0, 1000])
def test_a_batch_moves_as_a_whole(reach):
    batch = lay_out(documents(), reach)
    moved = batch.to(torch.device("meta"))
    values = [getattr(moved, name) for name in Batch.__slots__]
    assert {value.device.type for value in values if isinstance(value, torch.Tensor)} == {"meta"}
