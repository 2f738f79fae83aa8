"""Attention piece by piece equals attention under the dense mask that says the same."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from bench.models.pieces import Piece, Pieces, attend, in_pieces, pieces_behind

torch.set_num_threads(1)
LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@st.composite
def rows(draw) -> tuple[Pieces, int]:
    """One or two rows of random trees of pieces, padded to one width, and the width."""
    parts = draw(st.lists(LENGTHS, min_size=1, max_size=2))
    width = max(map(sum, parts))
    pieces: list[Piece] = []
    for number, lengths in enumerate(parts):
        first, start = len(pieces), number * width
        for length in lengths:
            parent = draw(st.sampled_from([None, *range(first, len(pieces))]))
            after = () if parent is None else (*pieces[parent].after, parent)
            pieces.append(Piece(start, start + length, after))
            start += length
        if start < (number + 1) * width:
            pieces.append(Piece(start, (number + 1) * width))
    return Pieces(dense(pieces, len(parts), width), tuple(pieces)), width


def dense(pieces, count: int, width: int) -> torch.Tensor:
    """The mask written token by token."""
    mask = torch.full((count, 1, width, width), torch.finfo(torch.float32).min)
    for piece in pieces:
        before = [range(pieces[other].start, pieces[other].stop) for other in piece.after]
        for place in range(piece.start, piece.stop):
            seen = [*(key for part in before for key in part), *range(piece.start, place + 1)]
            mask[place // width, 0, place % width, [key % width for key in seen]] = 0.0
    return mask


@given(rows(), st.integers(1, 3), st.integers(1, 3), st.sampled_from([None, 0.3]))
def test_pieces_give_what_the_dense_mask_gives_and_the_same_gradients(made, groups, times, scale):
    laid, width = made
    draw = torch.Generator().manual_seed(0)
    count, heads = laid.mask.shape[0], groups * times
    shapes = [(heads, 8), (groups, 8), (groups, 4)]  # values may be of another size
    ours = [torch.randn(count, some, width, size, generator=draw) for some, size in shapes]
    theirs = [part.clone().requires_grad_(True) for part in ours]
    ours = [part.requires_grad_(True) for part in ours]
    query, key, value = theirs
    key, value = (part.repeat_interleave(times, 1) for part in (key, value))
    expected = scaled_dot_product_attention(query, key, value, attn_mask=laid.mask, scale=scale)
    found = attend(*ours, laid, scale)
    torch.testing.assert_close(found, expected.transpose(1, 2), rtol=0.0, atol=1e-5)
    weights = torch.randn(found.shape, generator=draw)
    (found * weights).sum().backward()
    (expected.transpose(1, 2) * weights).sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0.0, atol=1e-5)


def test_only_the_mask_that_was_announced_stands_for_pieces():
    mask = torch.zeros(1, 1, 3, 3)
    with in_pieces(mask, [Piece(0, 3)]):
        assert pieces_behind(mask).pieces == (Piece(0, 3),)
        assert pieces_behind(mask.clone()) is None
        assert pieces_behind(None) is None
    assert pieces_behind(mask) is None


def test_weights_are_dropped_and_the_others_grow():
    laid = Pieces(torch.zeros(1, 1, 40, 40), (Piece(0, 40),))
    torch.manual_seed(0)
    query, key, value = torch.randn(1, 2, 40, 4), torch.randn(1, 2, 40, 4), torch.ones(1, 2, 40, 4)
    found = attend(query, key, value, laid, None, dropout=0.5)
    assert found.std() > 0.01
    assert found.mean().item() == pytest.approx(1.0, abs=0.15)


def test_rows_without_pieces_are_run_densely():
    mask = torch.zeros(1, 1, 3, 3)
    with in_pieces(mask, []):
        assert pieces_behind(mask) is None


@pytest.mark.parametrize("length", [1, 4])
def test_a_piece_has_the_length_between_its_ends(length):
    assert replace(Piece(2, 3), stop=2 + length).length == length
